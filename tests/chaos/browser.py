"""A browser of docs/protocol.md: comes back by itself, sends again, asks again, shows the text."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from chatapp.chat.text import after, units
from tests.chaos.cluster import Cluster

Frame = dict[str, Any]
SILENCE = 25.0  # seconds without a word until the socket is given up
AGAIN = 3.0  # seconds until an unanswered send is sent again
QUIET = 2.0  # seconds without a word of a live reply until it is asked for
LONGEST_WAIT = 15.0
NOT_AGAIN = {4401, 4403, 4409}


class Rejected(Exception):
    def __init__(self, frame: Frame) -> None:
        super().__init__(frame["code"], frame["message"])
        self.code: str = frame["code"]


class Reading:
    """One reply as this browser shows it: static/js/stream.js in Python."""

    def __init__(self) -> None:
        self.epoch = self.length = self.upto = 0
        self.html = self.tail = ""
        self.held: list[Frame] = []
        self.ended: Frame | None = None
        self.end = asyncio.Event()
        self.heard_at = time.monotonic()
        # When it grew, and to what length.
        self.news: list[tuple[float, int]] = []
        self.notices: list[Frame] = []

    def apply(self, frame: Frame) -> bool:
        """True when the page must ask for a snapshot."""
        self.heard_at = time.monotonic()
        match frame:
            case {"type": "done", "epoch": epoch} if epoch >= self.epoch:
                self.ended = frame
                self.end.set()
            case {"type": "notice"}:
                self.notices.append(frame)
            case {"type": "delta", "epoch": epoch} if epoch >= self.epoch:
                return self._delta(frame)
            case {"type": "snapshot", "epoch": epoch} if epoch >= self.epoch:
                return self._snapshot(frame)
        return False

    def _begin(self, epoch: int) -> None:
        self.epoch, self.length, self.upto, self.html, self.tail = epoch, 0, 0, "", ""

    def _delta(self, frame: Frame) -> bool:
        if frame["epoch"] > self.epoch and frame["off"] == 0:
            self._begin(frame["epoch"])
        if frame["epoch"] > self.epoch or frame["off"] > self.length:
            self.held.append(frame)
            return True
        self._append(frame)
        self._release()
        return False

    def _append(self, frame: Frame) -> None:
        have = self.length - frame["off"]
        if have < units(frame["s"]):
            piece = after(frame["s"], have)
            self.tail += piece
            self.length += units(piece)
            self.news.append((time.monotonic(), self.length))
        for block in frame.get("blocks", []):
            self._freeze(block)

    def _freeze(self, block: Frame) -> None:
        if block["from"] == self.upto:
            self.tail = after(self.tail, min(block["upto"] - self.upto, units(self.tail)))
            self.upto = block["upto"]
            self.length = max(self.length, self.upto)
            self.html += block["html"]

    def _snapshot(self, frame: Frame) -> bool:
        if frame["epoch"] > self.epoch and frame["from"] == 0:
            self._begin(frame["epoch"])
        if frame["epoch"] > self.epoch or frame["from"] > self.upto:
            return True
        for block in frame["blocks"]:
            self._freeze(block)
        start = frame["blocks"][-1]["upto"] if frame["blocks"] else frame["from"]
        if start == self.upto and start + units(frame["tail"]) >= self.length:
            grown = start + units(frame["tail"]) > self.length
            self.tail, self.length = frame["tail"], start + units(frame["tail"])
            if grown:
                self.news.append((time.monotonic(), self.length))
        if not frame["more"]:
            self._release()
        return False

    def _release(self) -> None:
        held, self.held = self.held, []
        for frame in sorted(held, key=lambda frame: int(frame["off"])):
            if frame["epoch"] == self.epoch and frame["off"] <= self.length:
                self._append(frame)
            elif frame["epoch"] >= self.epoch:
                self.held.append(frame)

    @property
    def pauses(self) -> list[float]:
        """Seconds between two pieces of news."""
        return [b - a for (a, _), (b, _) in itertools.pairwise(self.news)]

    @property
    def longest_pause(self) -> float:
        return max(self.pauses, default=0.0)

    def shown_beyond(self, length: int, until: float) -> float:
        """How long before `until` (monotonic) more than this was shown first; 0 when it never was."""
        return max(
            (until - at for at, shown in self.news if shown > length and at < until), default=0.0
        )


class Browser:
    """One tab of one person. `port` goes past nginx; `address` is where it comes from."""

    def __init__(
        self, cluster: Cluster, person: str, *, port: int = 0, address: str = "127.0.0.1"
    ) -> None:
        base = f"http://127.0.0.1:{port}" if port else cluster.url
        self.url = base.replace("http", "ws", 1) + "/ws/chat/"
        cookie = f"{cluster.cookie}={cluster.sessions[person]}"
        self.options: dict[str, Any] = {
            "additional_headers": {"Cookie": cookie, "Origin": cluster.origin},
            "max_size": None,
            "open_timeout": 10,
            "local_addr": (address, 0),
        }
        if self.url.startswith("wss"):
            self.options["ssl"] = cluster.tls
        self.replies: dict[str, Reading] = {}
        self.closed: list[int] = []
        self.opened: list[float] = []
        self.conversation: str | None = None
        self.ready = asyncio.Event()
        self.errors: list[Frame] = []
        self._unanswered: dict[str, tuple[Frame, float, asyncio.Future[Frame]]] = {}
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> "Browser":
        self._tasks = [asyncio.create_task(self._live()), asyncio.create_task(self._tick())]
        await asyncio.wait_for(self.ready.wait(), 60)
        return self

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """The network is gone without a goodbye."""
        if self._socket:
            self._socket.transport.abort()

    # Acting

    async def ask(
        self, text: str, *, key: str = "", within: float = 60, times: int = 1, **fields: Any
    ) -> Frame:
        """Send until it is answered; the acknowledgement. Raises Rejected."""
        frame = {"type": "send", "key": key or str(uuid4()), "text": text}
        frame |= {"conversation": None, "parent": None} | fields
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._unanswered[frame["key"]] = frame, time.monotonic(), future
        for _ in range(times):
            await self.say(frame)
        answer = await asyncio.wait_for(future, within)
        if answer["type"] == "reject":
            raise Rejected(answer)
        self.conversation = answer["conversation"]
        self.reply(answer["gen"])
        return answer

    async def stop(self, gen: str) -> None:
        await self.say({"type": "stop", "gen": gen})

    async def say(self, frame: Frame) -> None:
        with suppress(ConnectionClosed):
            if self._socket and self.ready.is_set():
                await self._socket.send(json.dumps(frame))

    async def watch(self, conversation: str, gen: str) -> None:
        self.conversation = conversation
        self.reply(gen)
        await self.say({"type": "watch", "conversation": conversation})

    def reply(self, gen: str) -> Reading:
        return self.replies.setdefault(gen, Reading())

    async def words(self, gen: str, enough: int = 40, within: float = 30) -> Reading:
        """Wait until that much of a reply is shown."""
        reading = self.reply(gen)
        await eventually(lambda: reading.length >= enough or reading.ended, within)
        return reading

    async def finish(self, gen: str, within: float = 60) -> Frame:
        """The frame that ended this reply."""
        reading = self.reply(gen)
        with suppress(TimeoutError):
            await asyncio.wait_for(reading.end.wait(), within)
        assert reading.ended, (
            f"{gen} has no end after {within} s: {reading.length} units of epoch {reading.epoch},"
            f" watching {self.conversation}, connected: {self.ready.is_set()},"
            f" {len(self.opened)} times; closed {self.closed}; errors {self.errors}"
        )
        return reading.ended

    # Living

    async def _live(self) -> None:
        failures = 0
        while True:
            try:
                async with connect(self.url, **self.options) as socket:
                    self._socket = socket
                    while True:
                        async with asyncio.timeout(SILENCE):  # wait_for may swallow a cancel
                            frame = json.loads(await socket.recv())
                        if frame["type"] == "welcome":
                            failures = 0
                            await self._welcome()
                        await self._hear(frame)
            except ConnectionClosed as end:
                self.closed.append(end.rcvd.code if end.rcvd else 1006)
            except (OSError, WebSocketException, TimeoutError):
                self.closed.append(1006)
            self.ready.clear()
            if self.closed[-1] in NOT_AGAIN:
                return
            await asyncio.sleep(random.random() * min(0.5 * 2**failures, LONGEST_WAIT))
            failures += 1

    async def _welcome(self) -> None:
        self.ready.set()
        self.opened.append(time.monotonic())
        if self.conversation:
            await self.say({"type": "watch", "conversation": self.conversation})
        for frame, *_ in list(self._unanswered.values()):
            await self.say(frame)

    async def _hear(self, frame: Frame) -> None:
        match frame:
            case {"type": "ack" | "reject", "key": key} if key in self._unanswered:
                _, _, future = self._unanswered.pop(key)
                if not future.done():
                    future.set_result(frame)
            case {"type": "error"}:
                self.errors.append(frame)
            case {"gen": gen} if self.reply(gen).apply(frame):
                await self._resume(gen)

    async def _resume(self, gen: str) -> None:
        reading = self.reply(gen)
        await self.say({"type": "resume", "gen": gen, "epoch": reading.epoch, "upto": reading.upto})

    async def _tick(self) -> None:
        beat = time.monotonic()
        while True:
            await asyncio.sleep(0.25)
            now = time.monotonic()
            if now - beat > 15:
                beat = now
                await self.say({"type": "ping"})
            for key, (frame, sent, future) in list(self._unanswered.items()):
                if now - sent > AGAIN:
                    self._unanswered[key] = frame, now, future
                    await self.say(frame)
            for gen, reading in list(self.replies.items()):
                if not reading.ended and now - reading.heard_at > QUIET:
                    reading.heard_at = now
                    await self._resume(gen)


async def eventually(condition: Callable[[], Any], within: float = 30) -> Any:
    """What `condition` says once it says something; may be asked in a thread's time."""
    async with asyncio.timeout(within):
        while not (found := condition()):  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(0.05)
    return found
