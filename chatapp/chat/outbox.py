"""What one socket is still to be sent: a slow reader delays nobody but itself."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

LIMIT = 1_000_000  # characters waiting


class Outbox:
    """Frames in order, sent by a task of their own.

    A reader who falls too far behind loses what is waiting: the page notices the gap and asks.
    """

    def __init__(self, send: Callable[[str], Awaitable[None]]) -> None:
        self._send = send
        self._frames: deque[str] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def put(self, frame: str) -> None:
        if self._size > LIMIT:
            self._frames.clear()
            self._size = 0
        self._frames.append(frame)
        self._size += len(frame)
        self._wake.set()

    def rest(self) -> list[str]:
        """What is still waiting, which is then not sent from here."""
        frames = list(self._frames)
        self._frames.clear()
        return frames

    def close(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._frames:
                frame = self._frames.popleft()
                self._size -= len(frame)
                await self._send(frame)
