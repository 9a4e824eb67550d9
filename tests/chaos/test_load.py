"""F62 to F65: slow readers, floods, crowds."""

import asyncio
import json
import socket
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.chaos.browser import Browser, eventually
from tests.chaos.cluster import Cluster
from tests.chaos.conftest import question
from tests.chaos.test_limits import page
from tests.chaos.test_people import whole
from tests.chaos.test_processes import talk

Tab = Callable[..., Any]


def handshake(world: Cluster, person: str, port: int) -> bytes:
    """A websocket's opening, byte by byte, for clients that no library would make."""
    lines = [
        "GET /ws/chat/ HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        f"Origin: {world.origin}",
        f"Cookie: {world.cookie}={world.sessions[person]}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.mark.row("F62", "a slow reader")
@pytest.mark.full
async def test_slow_reader(world: Cluster, tab: Tab) -> None:
    node = world.nodes[0]
    before = node.memory
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", node.port))
    deaf.sendall(handshake(world, "person2", node.port))
    browser = await tab("person2", port=node.port)
    ack = await browser.ask(question("big:3000000+chunk:4000"), max_tokens=64_000)
    watch = json.dumps({"type": "watch", "conversation": ack["conversation"]}).encode()
    masked = bytes([0x81, 0x80 | len(watch), 0, 0, 0, 0]) + watch
    deaf.sendall(masked)
    await browser.finish(ack["gen"], 120)
    assert node.memory - before <= 60
    deaf.close()


@pytest.mark.row("F63", "floods: large messages, many messages")
async def test_floods(world: Cluster, tab: Tab) -> None:
    node = world.nodes[0]
    before = node.memory
    quiet = await tab("person3", port=node.port)
    codes = []
    for text, count in (("x" * 200_000, 600), ('{"type":"ping"}', 10_000)):
        flood = Browser(world, "person4", port=node.port)
        async with connect(flood.url, **flood.options) as socket:
            try:
                for _ in range(count):
                    await socket.send(text)
                while True:
                    await asyncio.wait_for(socket.recv(), 10)
            except ConnectionClosed as end:
                codes.append(end.rcvd.code if end.rcvd else 1006)
        began = time.monotonic()
        ack = await quiet.ask(question("words:3"))
        assert time.monotonic() - began < 3, "others are served"
        await quiet.finish(ack["gen"])
    assert set(codes) <= {1008, 1006}
    assert 1008 in codes
    assert node.memory - before <= 40


def late(talks: list[tuple[Browser, dict[str, Any]]]) -> float:
    """The 95th percentile of the seconds between two pieces of news, of all these replies."""
    pauses = [pause for browser, ack in talks for pause in browser.reply(ack["gen"]).pauses]
    return statistics.quantiles(pauses, n=20)[-1]


@pytest.mark.row("F64", "1000 idle sockets and 50 replies")
@pytest.mark.row("F65", "1000 sockets come back at once")
@pytest.mark.full
async def test_crowd(world: Cluster, tab: Tab) -> None:
    crowd = [
        Browser(world, f"person{n % 24}", port=node.port)
        for node in world.nodes
        for n in range(500)  # of one person, in one process, fewer than are allowed
    ]
    for start in range(0, len(crowd), 50):
        await asyncio.gather(*(browser.open() for browser in crowd[start : start + 50]))
    try:
        talks = await talk(tab, 50, "words:80+slow:40")
        for browser, ack in talks:
            await whole(world, browser, ack["gen"])
        print(f"a word later than the one before, at most in 19 of 20: {late(talks):.3f} s")
        assert all(node.memory < 400 for node in world.nodes)
        for browser in crowd:
            browser.cut()
        began = time.monotonic()
        await asyncio.sleep(0.5)
        await eventually(lambda: all(browser.ready.is_set() for browser in crowd), 60)
        print(f"{len(crowd)} sockets back after {time.monotonic() - began:.1f} s")
    finally:
        await asyncio.gather(*(browser.close() for browser in crowd))


MILLION = ("--calls", "1000000", "--people", "2000", "--days", "730", "--source", "anthropic")
QUESTIONS = (
    "?range=30d",
    "?range=12m&by=user",
    "?range=12m&model=claude-haiku-4-5",
    "calls/?range=12m",
    "export.csv?range=12m",
)


@pytest.mark.row("F67", "the dashboard over a million calls while replies are written")
@pytest.mark.full
@pytest.mark.usefixtures("long")
async def test_dashboard_meanwhile(world: Cluster, tab: Tab) -> None:
    await asyncio.to_thread(world.manage, "make_demo_data", *MILLION)
    world.query("UPDATE accounts_user SET is_superuser = %s WHERE username = 'person0'", True)
    talks = await talk(tab, 12, "words:400+slow:40")
    while not all(browser.reply(ack["gen"]).ended for browser, ack in talks):
        for query in QUESTIONS:
            assert await asyncio.to_thread(page, world, "person0", f"/dashboard/{query}") == 200
    for browser, ack in talks:
        await whole(world, browser, ack["gen"])
    print(f"a word later than the one before, at most in 19 of 20: {late(talks):.3f} s")
