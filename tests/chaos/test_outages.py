"""F51 to F61: Redis and the database away, frozen, half dead."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest
from redis import Redis

from tests.chaos.audit import LEASE
from tests.chaos.cluster import Cluster
from tests.chaos.conftest import question
from tests.chaos.test_people import stored, whole
from tests.chaos.test_processes import talk

Tab = Callable[..., Any]


def health(port: int) -> tuple[str, float]:
    """What /healthz says, and after how many seconds."""
    began = time.monotonic()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            said = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            said = json.load(error)
    return said["status"], time.monotonic() - began


async def through(cluster: Cluster, tab: Tab, disturb: Callable[[], Any], seconds: float) -> Any:
    """Replies seen from both processes go on through a disturbance of so many seconds."""
    talks = await talk(tab, 6, f"words:{round(25 * (seconds + 6))}+slow:40")
    await asyncio.to_thread(disturb)
    await asyncio.sleep(seconds)
    return talks


async def live_across(cluster: Cluster, tab: Tab) -> None:
    """Redis is back: a reply that one process writes is live in the other."""
    here = await tab("person1", port=cluster.nodes[0].port)
    other = await tab("person1", port=cluster.nodes[1].port)
    await asyncio.sleep(3)
    ack = await here.ask(question("words:100+slow:40"))
    await other.watch(ack["conversation"], ack["gen"])
    await whole(cluster, other, ack["gen"])
    assert other.reply(ack["gen"]).longest_pause < 1.5


@pytest.mark.row("F51", "Redis killed, restarted, flushed")
async def test_redis_restarted(cluster: Cluster, tab: Tab) -> None:
    redis = cluster.redis
    assert redis
    talks = await through(cluster, tab, redis.kill, 3)
    late = await tab("person0")
    ack = await late.ask(question("words:5"))
    await whole(cluster, late, ack["gen"])
    redis.start()
    for browser, ack in talks:
        await whole(cluster, browser, ack["gen"])
        assert browser.closed == [], "sockets stay"
        assert browser.reply(ack["gen"]).longest_pause < 3.5


@pytest.mark.row("F51", "Redis killed, restarted, flushed")
async def test_redis_flushed(cluster: Cluster, tab: Tab) -> None:
    redis = cluster.redis
    assert redis

    def flush() -> None:
        with closing(Redis.from_url(redis.url)) as client:
            client.flushall()

    for browser, ack in await through(cluster, tab, flush, 1):
        await whole(cluster, browser, ack["gen"])
        assert browser.closed == [], "sockets stay"
        assert browser.reply(ack["gen"]).longest_pause < 3.5
    await live_across(cluster, tab)


@pytest.mark.row("F52", "Redis frozen for 10 s")
@pytest.mark.full
async def test_redis_frozen(cluster: Cluster, tab: Tab) -> None:
    redis = cluster.redis
    assert redis
    talks = await through(cluster, tab, redis.freeze, 5)
    browser = await tab("person0")
    began = time.monotonic()
    ack = await browser.ask(question("words:5"))
    assert time.monotonic() - began < 2, "sends are accepted"
    await asyncio.sleep(5)
    redis.thaw()
    await whole(cluster, browser, ack["gen"])
    for browser, ack in talks:
        await whole(cluster, browser, ack["gen"])
        assert browser.reply(ack["gen"]).longest_pause < 3.5
    await live_across(cluster, tab)


@pytest.mark.row("F53", "Redis absent at the start")
@pytest.mark.full
async def test_redis_absent(cluster: Cluster, tab: Tab) -> None:
    assert cluster.redis
    cluster.redis.kill()
    node = cluster.nodes[0]
    await asyncio.to_thread(node.restart)
    assert (await asyncio.to_thread(health, node.port))[0] == "degraded"
    browser = await tab(port=node.port)
    ack = await browser.ask(question())
    await whole(cluster, browser, ack["gen"])
    cluster.redis.start()
    await live_across(cluster, tab)


@pytest.mark.row("F54", "PostgreSQL restarted")
async def test_database_restarted(cluster: Cluster, tab: Tab) -> None:
    postgres = cluster.postgres
    assert postgres

    def restart() -> None:
        postgres.halt()
        postgres.start()

    for browser, ack in await through(cluster, tab, restart, 1):
        await whole(cluster, browser, ack["gen"])


@pytest.mark.row("F55", "PostgreSQL down for 20 s, less than a lease")
@pytest.mark.full
async def test_database_down(cluster: Cluster, tab: Tab) -> None:
    assert cluster.postgres
    with cluster.changed(LEASE_SECONDS="30"):
        talks = await through(cluster, tab, cluster.postgres.halt, 1)
        status, seconds = await asyncio.to_thread(health, cluster.nodes[0].port)
        assert status == "down"
        assert seconds < 2
        shown = talks[0][0].reply(talks[0][1]["gen"]).length
        browser = talks[0][0]
        late = asyncio.create_task(browser.ask(question("words:5"), within=60))
        await asyncio.sleep(18)
        assert talks[1][0].reply(talks[1][1]["gen"]).length > shown, "text goes on from memory"
        await asyncio.to_thread(cluster.postgres.start)
        await whole(cluster, browser, (await late)["gen"])
        for browser, ack in talks:
            await whole(cluster, browser, ack["gen"])


@pytest.mark.row("F56", "PostgreSQL down for longer than a lease")
@pytest.mark.full
async def test_database_down_for_long(cluster: Cluster, tab: Tab) -> None:
    assert cluster.postgres
    talks = await talk(tab, 4, "words:900+slow:40")
    cluster.postgres.halt()
    await asyncio.sleep(LEASE + 6)
    await asyncio.to_thread(cluster.postgres.start)
    for browser, ack in talks:
        # Whole when its process is back before another has taken it over.
        ended = await browser.finish(ack["gen"], LEASE + 60)
        assert ended["state"] in ("interrupted", "done")
        assert stored(cluster, ack["gen"])[1].startswith("w0 w1 ")


@pytest.mark.row("F57", "PostgreSQL frozen for 10 s")
@pytest.mark.full
async def test_database_frozen(cluster: Cluster, tab: Tab) -> None:
    assert cluster.postgres
    with cluster.changed(LEASE_SECONDS="30"):
        talks = await through(cluster, tab, cluster.postgres.freeze, 2)
        status, seconds = await asyncio.to_thread(health, cluster.nodes[0].port)
        assert (status, seconds < 2.5) == ("down", True), (status, seconds)
        await asyncio.sleep(8)
        cluster.postgres.thaw()
        for browser, ack in talks:
            await whole(cluster, browser, ack["gen"])


@pytest.mark.parametrize("mode", ["half", "blackhole"])
@pytest.mark.row("F57", "the database's link half dead, dead")
@pytest.mark.full
async def test_database_link(cluster: Cluster, tab: Tab, mode: str) -> None:
    database = cluster.database
    assert database

    def spoil() -> None:
        database.mode = mode

    talks = await through(cluster, tab, spoil, 4)
    database.mode = "pass"
    for browser, ack in talks:
        await whole(cluster, browser, ack["gen"])


@pytest.mark.row("F57", "300 ms to the database and back")
@pytest.mark.full
async def test_database_far_away(cluster: Cluster, tab: Tab) -> None:
    assert cluster.database
    cluster.database.delay = 0.15
    for browser, ack in await talk(tab, 4, "words:60+slow:40"):
        await whole(cluster, browser, ack["gen"])


@pytest.mark.row("F59", "locks held, sessions terminated under it")
@pytest.mark.full
async def test_sessions_terminated(cluster: Cluster, tab: Tab) -> None:
    assert cluster.postgres
    talks = await talk(tab, 6, "words:120+slow:40")
    with psycopg.connect(cluster.postgres.url, autocommit=True) as admin:
        for _ in range(10):
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            await asyncio.sleep(0.3)
    with psycopg.connect(cluster.postgres.url) as locker:
        locker.execute("LOCK TABLE ledger_charge IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(2)
    for browser, ack in talks:
        await whole(cluster, browser, ack["gen"])


@pytest.mark.row("F61", "SQLite: many replies and the dashboard at once")
@pytest.mark.full
async def test_sqlite_crowd(single: Cluster, tab: Tab) -> None:
    log = single.nodes[0].log
    before = log.stat().st_size
    talks = await talk(tab, 24, "words:60+slow:20")
    for _ in range(20):
        single.query("SELECT COUNT(*), SUM(amount_pusd) FROM ledger_charge")
        await asyncio.sleep(0.05)
    for browser, ack in talks:
        await whole(single, browser, ack["gen"])
    assert "locked" not in log.read_text()[before:]
