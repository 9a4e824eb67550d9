"""Who in this process listens to what: frames go to them directly, and to other processes by relay."""

import asyncio
from typing import Protocol

from django.conf import settings

from chatapp.chat import events
from chatapp.chat.events import Frame
from chatapp.chat.relay import Relay


class Listener(Protocol):
    """A socket, or the engine. Hearing must not wait: it is on every reply's path."""

    def hear(self, frame: Frame, encoded: str) -> None: ...


class Broadcast:
    """Topics and their listeners in this process.

    Everything but `announce` belongs to the event loop's thread.
    """

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = {}
        self._relay: Relay | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self) -> None:
        """Start on the running loop. The in-memory layer reaches no other process: no relay."""
        self._loop = asyncio.get_running_loop()
        self._relay = Relay(self._overhear) if settings.REDIS_URL else None

    async def close(self) -> None:
        self._loop = None
        if self._relay:
            await self._relay.close()
            self._relay = None

    def join(self, topic: str, listener: Listener) -> None:
        self._listeners.setdefault(topic, set()).add(listener)

    def leave(self, topic: str, listener: Listener) -> None:
        listeners = self._listeners.get(topic, set())
        listeners.discard(listener)
        if not listeners:
            self._listeners.pop(topic, None)

    def audience(self, topic: str) -> int:
        """How many listen in this process."""
        return len(self._listeners.get(topic, ()))

    def publish(self, topic: str, frame: Frame) -> None:
        if topic in self._listeners:
            self._deliver(topic, frame, events.encode(frame))
        if self._relay:
            self._relay.put(topic, frame)

    def announce(self, topic: str, frame: Frame) -> None:
        """`publish` from any thread; without a running server nobody listens."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.publish, topic, frame)

    def _overhear(self, topic: str, encoded: str) -> None:
        if topic in self._listeners:
            self._deliver(topic, events.decode(encoded), encoded)

    def _deliver(self, topic: str, frame: Frame, encoded: str) -> None:
        for listener in tuple(self._listeners[topic]):
            listener.hear(frame, encoded)


broadcast = Broadcast()
