"""One connection of the server: Daphne's request and socket, with limits both ways."""

import asyncio
from io import BytesIO
from typing import Any

from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

# Bytes waiting for a slow reader before its sender waits, and seconds until it is cut off.
OUTPUT = 256 * 1024
SLOWEST = 10.0
# Unread messages and bytes of one socket before it is closed.
MESSAGES = 64
INPUT = 2 * 1024 * 1024
# Frames repeat one another: a window of 2 KiB halves them, and takes 16 KiB a socket from its first
# message of some size on. An idle socket only hears small ones.
WINDOW, MEMORY = 11, 4
SMALL = 80
# Seconds to read and forget the rest of a body that was refused, so that the answer is seen.
LINGER = 5.0


@implementer(IPushProducer)
class Valve:
    """Shut by the transport while its buffer is full; who sends waits for it."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.opened.set()

    def pauseProducing(self) -> None:
        self.opened.clear()

    def resumeProducing(self) -> None:
        self.opened.set()

    stopProducing = resumeProducing


class Inbox(asyncio.Queue[dict[str, Any]]):
    """An application's input queue that knows its size in bytes."""

    size = 0

    def _put(self, message: dict[str, Any]) -> None:
        self.size += self._weight(message)
        super()._put(message)

    def _get(self) -> dict[str, Any]:
        message = super()._get()
        self.size -= self._weight(message)
        return message

    @property
    def crowded(self) -> bool:
        return self.qsize() >= MESSAGES or self.size >= INPUT

    @staticmethod
    def _weight(message: dict[str, Any]) -> int:
        return len(message.get("text") or message.get("bytes") or "")


def compressed(offers: list[Any]) -> PerMessageDeflateOfferAccept | None:
    """What we answer to a browser that offers compression (RFC 7692). It keeps no window for us."""
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(
                offer, request_no_context_takeover=True, window_bits=WINDOW, mem_level=MEMORY
            )
    return None


class Socket(WebSocketProtocol):
    """A websocket that waits for slow readers and closes on floods."""

    flooded = False

    def onConnect(self, request: Any) -> Any:
        self.valve = Valve()
        return super().onConnect(request)

    def onOpen(self) -> None:
        self.transport.bufferSize = OUTPUT
        self.transport.unregisterProducer()  # the HTTP channel it was upgraded from
        self.transport.registerProducer(self.valve, True)
        super().onOpen()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.flooded:
            return
        if self.application_queue.crowded:
            self.flooded = True
            self.say_goodbye(1008, b"too much at once")
        else:
            super().onMessage(payload, isBinary)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:
        if self.state == self.STATE_CONNECTING:
            self.serverAccept()
        data = content.encode() if isinstance(content, str) else content
        self.sendMessage(data, binary, doNotCompress=len(data) < SMALL)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Autobahn words a log line for each frame, logged or not, dearer than the sending."""
        if sync or chopsize or self.send_queue:
            super().sendData(data, sync, chopsize)
        else:
            self.transport.write(data)

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Pass the message on; one that comes after the end is nobody's fault."""
        if self.state in (self.STATE_CONNECTING, self.STATE_OPEN):
            super().handle_reply(message)

    def serverClose(self, code: int | None = None) -> None:
        """The application closes the socket, with whatever code."""
        self.say_goodbye(code or 1000, b"")

    def say_goodbye(self, code: int, reason: bytes) -> None:
        """Close with a code of the protocol's own range, which sendClose() refuses to send."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=code, reasonUtf8=reason, isReply=False)

    def abort(self) -> None:
        self.dropConnection(abort=True)


class Request(WebRequest):
    """An HTTP request with a limit on its body, as seen through the trusted proxies."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.valve = Valve()
        self.refused = False
        self.received = 0
        super().__init__(*args, **kwargs)

    # Reading

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        if length and length > settings.MAX_BODY:
            self.refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        if not self.refused and self.received > settings.MAX_BODY:
            self.refuse()
        if not self.refused:
            super().handleContentChunk(data)

    def refuse(self) -> None:
        """Answer 413 at once; what still arrives is forgotten for a while, then cut off."""
        self.refused = True
        self.content = BytesIO()
        self.requestHeaders.removeHeader(b"expect")
        self.channel.transport.write(
            b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        self.channel.callLater(LINGER, self.abort)

    def process(self) -> Any:
        if self.refused:
            return self.channel.loseConnection()
        if len(self.requestHeaders.getRawHeaders("host") or []) > 1:
            self.setResponseCode(400)
            self.setHeader("Connection", "close")
            return self.finish()
        # Any client could move the site's root with it.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        if address := self.forwarded_for():
            self.client = IPv4Address("TCP", address, 0)
        return super().process()

    def forwarded_for(self) -> str:
        """The address our outermost proxy saw: each of PROXIES has appended one, the rest is talk."""
        values = self.requestHeaders.getRawHeaders("x-forwarded-for") or []
        addresses = [part.strip() for part in ",".join(values).split(",")]
        if 0 < settings.PROXIES <= len(addresses):
            return addresses[-settings.PROXIES]
        return ""

    # Answering

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and not self.producer and self.channel:
            self.registerProducer(self.valve, True)
        super().handle_reply(message)

    def finish(self) -> None:
        if self.producer:
            self.unregisterProducer()
        self.valve.resumeProducing()
        super().finish()

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """What no page can answer, said plainly."""
        headers = [(b"Content-Type", b"text/plain"), (b"X-Content-Type-Options", b"nosniff")]
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": b"%d %s" % (status, status_text)})

    def abort(self) -> None:
        if self.channel:
            self.channel.forceAbortClient()


class Factory(HTTPFactory):
    """Makes our requests."""

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol
