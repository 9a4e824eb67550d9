"""The server: Daphne's own, with a drain, back-pressure to slow readers and a guard on input."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

from daphne.server import Server as Daphne
from daphne.server import twisted_loop
from daphne.ws_protocol import WebSocketFactory
from twisted.internet import defer, reactor
from twisted.internet.endpoints import serverFromString
from twisted.logger import globalLogBeginner

from chatapp.web.connections import SLOWEST, Factory, Inbox, Request, Socket, compressed
from chatapp.web.signals import GRACE, server_draining, server_started, tell

# Seconds, after the first SIGTERM, for pages being made, and for goodbyes.
PAGES = 5.0
GOODBYE = 3.0
MAX_MESSAGE = 256 * 1024

logger = logging.getLogger(__name__)


class Server(Daphne):
    """Daphne with an orderly end: SIGTERM drains, a second one hurries, both exit with 0.

    Daphne itself cuts every socket at SIGTERM, and forgets even that while a request is half read.
    """

    def __init__(self, application: Any, endpoint: str, announce: Callable[[], None]) -> None:
        super().__init__(
            application,
            [endpoint],
            server_name="",
            websocket_max_message_size=MAX_MESSAGE,
            websocket_max_frame_size=MAX_MESSAGE,
        )
        self.announce = announce
        self.ports: list[Any] = []
        self.fault = ""
        self.draining = False
        self.connections: dict[Any, dict[str, Any]] = {}
        self.tasks: set[asyncio.Task[Any]] = set()

    # Start

    def run(self) -> None:
        """Serve until told to end. `fault` says afterwards why it could not."""
        asyncio.set_event_loop(twisted_loop)
        globalLogBeginner.beginLoggingTo(
            [lambda _: None], redirectStandardIO=False, discardBuffer=True
        )
        self.http_factory = Factory(self)
        self.ws_factory = self.socket_factory()
        for number in (signal.SIGTERM, signal.SIGINT):
            twisted_loop.add_signal_handler(number, self.interrupt)
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        reactor.callWhenRunning(self.listen)
        reactor.addSystemEventTrigger("before", "shutdown", self.kill_all_applications)
        reactor.run(installSignalHandlers=False)
        self.clear()

    def socket_factory(self) -> WebSocketFactory:
        factory = WebSocketFactory(self, server="")
        factory.protocol = Socket
        factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
            closeHandshakeTimeout=GOODBYE,
            allowNullOrigin=False,
            perMessageCompressionAccept=compressed,
            failByDrop=False,  # tell the browser what was wrong
        )
        return factory

    def listen(self) -> None:
        listening = serverFromString(reactor, self.endpoints[0]).listen(self.http_factory)
        listening.addCallbacks(self.listen_success, self.listen_error)

    def listen_success(self, port: Any) -> None:
        self.ports.append(port)
        self.spawn(self.started())

    def listen_error(self, failure: Any) -> None:
        self.fault = failure.getErrorMessage()
        reactor.stop()

    async def started(self) -> None:
        await tell(server_started)
        # What was imported by now stays: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        self.announce()

    # Every message

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Inbox:
        inbox = Inbox()
        scope.setdefault("asgi", {"version": "3.0"})
        application = self.application(scope, inbox.get, partial(self.handle_reply, protocol))
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(application)
        return inbox

    async def handle_reply(self, protocol: Socket | Request, message: dict[str, Any]) -> None:
        """Send, then wait while the reader is slow; one that stays slow is cut off."""
        await super().handle_reply(protocol, message)
        if protocol.valve.opened.is_set():
            return
        try:
            async with asyncio.timeout(SLOWEST):
                await protocol.valve.opened.wait()
        except TimeoutError:
            logger.warning("a reader took nothing for %.0f s and was cut off", SLOWEST)
            protocol.abort()
            protocol.valve.resumeProducing()

    # End

    def interrupt(self) -> None:
        """SIGTERM or SIGINT: end in good order; again: as soon as everything is settled."""
        if self.draining:
            self.spawn(tell(server_draining, grace=0.0))
        else:
            self.draining = True
            reactor.stop()

    def kill_all_applications(self) -> defer.Deferred[None]:
        return defer.Deferred.fromFuture(asyncio.ensure_future(self.drain()))

    async def drain(self) -> None:
        for port in self.ports:
            port.stopListening()
        pages = wait(self.applications(Request), PAGES)
        replies = asyncio.wait_for(tell(server_draining, grace=GRACE), GRACE + PAGES)
        await asyncio.gather(pages, replies, return_exceptions=True)
        for protocol in self.connections:
            if isinstance(protocol, Socket):
                protocol.say_goodbye(1012, b"restarting")
        await wait(self.applications(Socket), GOODBYE)
        for application in (left := self.applications(Socket, Request)):
            application.cancel()
        await wait(left, GOODBYE)

    def applications(self, *kinds: type) -> list[asyncio.Future[None]]:
        """Those still running. A request that is half read has none yet."""
        found = [
            details.get("application_instance")
            for protocol, details in self.connections.items()
            if isinstance(protocol, kinds)
        ]
        return [application for application in found if application and not application.done()]

    def clear(self) -> None:
        """End what is left on the loop; the interpreter may crash at exit with tasks pending."""
        twisted_loop.run_until_complete(self.clearing())
        twisted_loop.close()

    async def clearing(self) -> None:
        # Generators first: they hold connections and servers open until they are closed.
        await wait([asyncio.ensure_future(twisted_loop.shutdown_asyncgens())], GOODBYE)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await wait(left, GOODBYE)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


async def wait(futures: Iterable[asyncio.Future[Any]], seconds: float) -> None:
    if futures := list(futures):
        await asyncio.wait(futures, timeout=seconds)
