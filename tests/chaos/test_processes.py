"""F41 to F50: servers killed, drained and frozen."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.audit import LEASE
from tests.chaos.browser import eventually
from tests.chaos.cluster import Cluster, Node, procfile
from tests.chaos.conftest import question
from tests.chaos.parts import within
from tests.chaos.test_people import stored, whole

Tab = Callable[..., Any]
TALKS = 20
# Seconds of text that a kill may cost: half a second, and what saving takes on a busy machine.
LOST = 1.0
ALL_ENDED = "SELECT COUNT(*) FROM chat_generation WHERE state IN ('queued', 'running')"


async def talk(tab: Tab, count: int, directive: str, **options: Any) -> list[tuple[Any, Any]]:
    """So many tabs of as many people, each with a reply under way."""
    browsers = [await tab(f"person{10 + n % 12}", **options) for n in range(count)]
    asked = [browser.ask(question(directive)) for browser in browsers]
    acks = await asyncio.gather(*asked)
    await asyncio.gather(*(b.words(a["gen"]) for b, a in zip(browsers, acks, strict=True)))
    return list(zip(browsers, acks, strict=True))


@pytest.mark.row("F41", "kill -9 of the process that writes")
async def test_killed_writer(cluster: Cluster, tab: Tab) -> None:
    talks = await talk(tab, 6, "words:400+slow:40")
    _, ack = talks[0]
    node = cluster.writer(ack["gen"])
    mine = [(b, a) for b, a in talks if cluster.writer(a["gen"]) is node]
    killed = time.monotonic()
    node.kill()
    for browser, ack in mine:
        ended = await browser.finish(ack["gen"], LEASE + 15)
        assert ended["state"] == "interrupted"
        saved = len(stored(cluster, ack["gen"])[1])
        assert browser.reply(ack["gen"]).shown_beyond(saved, killed) <= LOST
    for browser, ack in talks:
        await browser.stop(ack["gen"])


@pytest.mark.row("F41", "kill -9 of the only process")
@pytest.mark.row("F45", "kill -9 of all processes")
async def test_killed_single(single: Cluster, tab: Tab) -> None:
    browser = await tab()
    ack = await browser.ask(question("words:400+slow:40"))
    reading = await browser.words(ack["gen"], 60)
    killed = time.monotonic()
    single.nodes[0].kill()
    await asyncio.to_thread(single.nodes[0].start)
    assert (await browser.finish(ack["gen"], LEASE + 15))["state"] == "interrupted"
    assert reading.shown_beyond(len(stored(single, ack["gen"])[1]), killed) <= LOST


@pytest.mark.row("F42", "kill -9 between the send and the claim")
@pytest.mark.full
async def test_killed_before_the_claim(world: Cluster, tab: Tab) -> None:
    node = world.nodes[0]
    browser = await tab(port=node.port)
    others = [n for n in world.nodes if n is not node]
    for other in others:
        other.freeze()
    node.restart(GENERATIONS="0")
    ack = await browser.ask(question("words:20"))
    assert stored(world, ack["gen"])[0] == "queued"
    node.kill()
    for other in others:
        other.thaw()
    node.start(GENERATIONS="1")
    await whole(world, browser, ack["gen"])


@pytest.mark.row("F45", "kill -9 of all processes")
async def test_all_killed(cluster: Cluster, tab: Tab) -> None:
    await talk(tab, 6, "words:400+slow:40")
    for node in cluster.nodes:
        node.kill()
    await asyncio.to_thread(cluster.heal)
    within(LEASE + 10, lambda: cluster.query(ALL_ENDED) == [(0,)], "orphans are settled")


def half_a_request(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\nhalf")
    return connection


async def drained(node: Node) -> float:
    """Seconds until it ended well after SIGTERM."""
    began = time.monotonic()
    assert await asyncio.to_thread(node.stop) == 0
    return time.monotonic() - began


@pytest.mark.row("F46", "SIGTERM with replies under way")
@pytest.mark.row("F47", "SIGTERM with a half-open request")
async def test_drain(world: Cluster, tab: Tab) -> None:
    node = world.nodes[0]
    talks = await talk(tab, TALKS, "words:120+slow:30", port=node.port)
    with half_a_request(node.port):
        seconds = await drained(node)
    assert seconds < 30
    await asyncio.to_thread(node.start)
    for browser, ack in talks:
        await whole(world, browser, ack["gen"])
        assert browser.closed[0] == 1012


@pytest.mark.row("F48", "a second SIGTERM")
@pytest.mark.full
async def test_second_signal(world: Cluster, tab: Tab) -> None:
    node = world.nodes[0]
    talks = await talk(tab, 6, "words:900+slow:40", port=node.port)
    process = node.process
    ending = asyncio.create_task(drained(node))
    await asyncio.sleep(2)
    began = time.monotonic()
    assert process
    process.send_signal(signal.SIGTERM)
    await ending
    assert time.monotonic() - began < 8
    await asyncio.to_thread(node.start)
    for browser, ack in talks:
        assert (await browser.finish(ack["gen"]))["state"] == "interrupted"


@pytest.mark.row("F49", "SIGSTOP for less than a lease")
@pytest.mark.full
async def test_frozen_briefly(world: Cluster, tab: Tab) -> None:
    node = world.nodes[0]
    with world.changed(LEASE_SECONDS="30"):
        browser = await tab(port=node.port)
        ack = await browser.ask(question("words:300+slow:40"))
        await browser.words(ack["gen"])
        node.freeze()
        await asyncio.sleep(12)
        node.thaw()
        await whole(world, browser, ack["gen"])


@pytest.mark.row("F50", "SIGSTOP for longer than a lease: the zombie writes nothing")
async def test_zombie(cluster: Cluster, tab: Tab) -> None:
    node = cluster.nodes[0]
    browser = await tab(port=node.port)
    ack = await browser.ask(question("words:600+slow:30"))
    await browser.words(ack["gen"])
    node.freeze()
    settled = "SELECT COUNT(*) FROM chat_generation WHERE id = %s AND state = 'interrupted'"
    await eventually(lambda: cluster.query(settled, ack["gen"]) == [(1,)], LEASE + 15)
    text = stored(cluster, ack["gen"])[1]
    node.thaw()
    assert (await browser.finish(ack["gen"], 40))["state"] == "interrupted"
    await asyncio.sleep(2)
    assert stored(cluster, ack["gen"])[1] == text


@pytest.mark.row("F68", "nginx reloaded, sockets closed by it")
@pytest.mark.full
async def test_nginx_reloaded(cluster: Cluster, tab: Tab) -> None:
    assert cluster.nginx
    talks = await talk(tab, 4, "words:150+slow:40")
    cluster.nginx.reload()
    await asyncio.sleep(1)
    cluster.nginx.kill()
    cluster.nginx.start()
    for browser, ack in talks:
        await whole(cluster, browser, ack["gen"])


@pytest.mark.row("-", "replies in a generation_worker: web processes come and go")
@pytest.mark.full
async def test_worker(cluster: Cluster, tab: Tab) -> None:
    web = cluster.nodes[:2]
    worker = Node(cluster.folder / "worker")
    worker.folder.mkdir()
    worker.command, worker.env = procfile()["worker"], web[0].env
    await asyncio.to_thread(lambda: [node.stop() for node in web])
    for node in web:
        node.env = (node.env or {}) | {"GENERATIONS": "0"}
    await asyncio.to_thread(cluster.start, worker, *web)
    cluster.nodes.append(worker)
    try:
        browser = await tab()
        began = time.monotonic()
        ack = await browser.ask(question("words:250+slow:40"))
        await browser.words(ack["gen"], 1)
        assert time.monotonic() - began < 1.5, "the bell is heard"
        assert cluster.writer(ack["gen"]) is worker
        for node in web:
            await asyncio.to_thread(node.restart)
        await whole(cluster, browser, ack["gen"])
        ack = await browser.ask(question("words:60+slow:40"))
        await browser.words(ack["gen"])
        assert await drained(worker) < 30
        await whole(cluster, browser, ack["gen"])
    finally:
        cluster.nodes.remove(worker)
        for node in web:
            node.stop()
            node.env = (node.env or {}) | {"GENERATIONS": "1"}
