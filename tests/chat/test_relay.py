"""Frames between processes: they arrive, few and in order, and nobody waits for a layer that is away."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatapp.chat import events
from chatapp.chat.broadcast import Broadcast
from tests.chat.conftest import eventually
from tests.chat.page import Frame, Page

TOPIC = "conversation.1"


class Ear:
    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def hear(self, frame: Frame, encoded: str) -> None:
        assert events.decode(encoded) == frame
        self.frames.append(frame)


def layer(settings: Any, url: str) -> None:
    settings.REDIS_URL = url
    host = {"address": url, "socket_timeout": 1, "socket_connect_timeout": 1}
    backend = "channels_redis.pubsub.RedisPubSubChannelLayer"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": {"hosts": [host]}}}


@pytest.fixture
async def processes(settings: Any) -> AsyncIterator[list[Broadcast]]:
    """Two broadcasts, as two processes have them; open them after the layer is set."""
    both = [Broadcast(), Broadcast()]
    yield both
    for broadcast in both:
        await broadcast.close()


async def test_another_process_hears_the_same_words_in_fewer_frames(
    redis_url: str, settings: Any, processes: list[Broadcast]
) -> None:
    layer(settings, redis_url)
    here, there, elsewhere = Ear(), Ear(), Ear()
    for broadcast in processes:
        broadcast.open()
    processes[0].join(TOPIC, here)
    processes[1].join(TOPIC, there)
    processes[1].join("conversation.2", elsewhere)

    def heard() -> bool:
        processes[0].publish(TOPIC, events.heartbeat())
        return bool(there.frames)

    await eventually(heard)
    page, text = Page(), "".join(f"word {number} 🎈" for number in range(300))
    page.apply(events.snapshot("g", 1, "running", 0, [], "", "")[0])
    for off in range(0, len(text), 10):
        done = text[:off]
        processes[0].publish(
            TOPIC, events.delta("g", 1, len(done.encode("utf-16-le")) // 2, text[off : off + 10])
        )
        await asyncio.sleep(0)

    def whole() -> bool:
        page.__init__()  # type: ignore[misc]
        page.epoch = 1
        for frame in there.frames:
            page.apply(frame)
        return page.tail == text

    await eventually(whole)
    count = [sum(frame["type"] == "delta" for frame in ear.frames) for ear in (here, there)]
    assert count[0] == -(-len(text) // 10)  # directly, each once: its own echo is not heard
    assert count[1] < count[0] / 5
    assert not elsewhere.frames


async def test_a_layer_that_is_away_delays_nobody(
    settings: Any, processes: list[Broadcast]
) -> None:
    layer(settings, "redis://127.0.0.1:9/0")
    here = Ear()
    processes[0].open()
    processes[0].join(TOPIC, here)
    for number in range(1000):
        processes[0].publish(TOPIC, events.delta("g", 1, number, "x"))
    assert len(here.frames) == 1000
    await asyncio.sleep(0.2)
    async with asyncio.timeout(10):
        await processes[0].close()


def test_deltas_that_follow_one_another_become_one() -> None:
    merged = events.merge(
        [
            events.delta("g", 1, 0, "ab"),
            events.delta("g", 1, 2, "👍", thinking="hm"),
            events.delta("g", 1, 4, "c", thinking="m", at=2),
            events.delta("g", 1, 9, "gap"),
            events.delta("other", 1, 12, "x"),
            events.heartbeat(),
        ]
    )
    assert merged[0] == events.delta("g", 1, 0, "ab👍c", thinking="hmm")
    assert [frame.get("off") for frame in merged] == [0, 9, 12, None]
