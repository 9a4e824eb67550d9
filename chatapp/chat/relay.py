"""Frames between processes through the channel layer: a doorbell that may fail without harm."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from channels.layers import get_channel_layer

from chatapp.chat import events
from chatapp.chat.events import Frame

GROUP = "chat"
PACE = 0.05  # seconds: at most 20 messages a second, however many replies are being written
LIMIT = 10_000  # frames waiting; older ones are dropped, and heal by a resume
PATIENCE = 1.5
RETRY = 1.0

logger = logging.getLogger(__name__)


class Relay:
    """One process' end of the one group that all processes join.

    Nobody waits for the layer: while it is away frames are dropped and joining is tried again.
    """

    def __init__(self, deliver: Callable[[str, str], None]) -> None:
        """`deliver` takes the topic and the encoded frame that another process published."""
        self._deliver = deliver
        self._layer = get_channel_layer()
        self._me = uuid4().hex
        self._out: deque[tuple[str, Frame]] = deque(maxlen=LIMIT)
        self._wake = asyncio.Event()
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]

    async def close(self) -> None:
        """Send what is waiting, and leave."""
        if self._out:
            await self._flush()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=PATIENCE)

    def put(self, topic: str, frame: Frame) -> None:
        self._out.append((topic, frame))
        self._wake.set()

    async def _send(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._flush()
            await asyncio.sleep(PACE)

    async def _flush(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._layer.group_send(GROUP, self._message())
        except Exception as fault:
            logger.warning("channel layer: %s; frames dropped", type(fault).__name__)

    def _message(self) -> dict[str, Any]:
        by_topic: dict[str, list[Frame]] = {}
        while self._out:
            topic, frame = self._out.popleft()
            by_topic.setdefault(topic, []).append(frame)
        frames = [
            (topic, events.encode(frame))
            for topic, waiting in by_topic.items()
            for frame in events.merge(waiting)
        ]
        return {"type": "relay", "from": self._me, "frames": frames}

    async def _receive(self) -> None:
        channel = await self._join()
        while True:
            message = await self._layer.receive(channel)
            if message["from"] != self._me:
                for topic, encoded in message["frames"]:
                    self._deliver(topic, encoded)

    async def _join(self) -> str:
        while True:
            try:
                channel: str = await self._layer.new_channel()
                await self._layer.group_add(GROUP, channel)
                return channel
            except Exception as fault:
                logger.warning("channel layer: %s; joining again", type(fault).__name__)
                await asyncio.sleep(RETRY)
