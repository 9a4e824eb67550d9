"""F41, F43, F44: kill -9 by the hundred, at any moment of a reply and inside its settlement."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.chaos.browser import Browser, eventually
from tests.chaos.cluster import Cluster
from tests.chaos.conftest import question
from tests.chaos.test_people import stored
from tests.chaos.test_processes import LOST

Tab = Callable[..., Any]
SEED = int(os.environ.get("CHAOS_SEED", "44"))
KILLS = int(os.environ.get("CHAOS_KILLS", "100"))
PLACES = (
    ("ledger_charge", "NEW.state = 'captured'"),
    ("chat_message", "NEW.role = 'assistant'"),
    ("chat_generation", "NEW.state <> 'running'"),
)


async def round_of(browsers: list[Browser], directive: str) -> list[tuple[Browser, str]]:
    """Each asks once; the replies."""
    acks = await asyncio.gather(*(browser.ask(question(directive)) for browser in browsers))
    return [(browser, ack["gen"]) for browser, ack in zip(browsers, acks, strict=True)]


async def leave(talks: list[tuple[Browser, str]]) -> list[tuple[Browser, str]]:
    """Close the tabs whose reply has ended, or each kill brings back all of them; the others."""
    over = [talk for talk in talks if talk[0].reply(talk[1]).ended and talk[0].ready.is_set()]
    await asyncio.gather(*(browser.close() for browser, _ in over))
    return [talk for talk in talks if talk not in over]


@pytest.mark.row("F41", "100 kills at random moments of a reply")
@pytest.mark.full
@pytest.mark.usefixtures("long")
async def test_killed_anywhere(world: Cluster, tab: Tab) -> None:
    dice = random.Random(SEED)
    killed: list[tuple[Browser, str, float]] = []
    waiting: list[tuple[Browser, str]] = []
    with world.changed(quick=True, LEASE_SECONDS="3"):
        for _ in range(KILLS):
            talks = await round_of([await tab() for _ in range(2)], "words:60+slow:20")
            await asyncio.sleep(dice.uniform(0, 1.3))
            node = world.writer(talks[0][1])
            hit = [(b, gen) for b, gen in talks if world.writer(gen) is node]
            killed += [(b, gen, time.monotonic()) for b, gen in hit if not b.reply(gen).ended]
            node.kill()
            await asyncio.to_thread(node.start)
            waiting = await leave(waiting + talks)
        await asyncio.gather(*(browser.finish(gen, 60) for browser, gen, _ in killed))
        ages = [b.reply(gen).shown_beyond(len(stored(world, gen)[1]), at) for b, gen, at in killed]
    print(f"{len(killed)} replies hit; the oldest text lost was shown {max(ages):.2f} s before,")
    print(f"{sum(age > 0.5 for age in ages)} lost text older than 0.5 s")
    assert max(ages) <= LOST


@contextmanager
def slow_settlements(world: Cluster) -> Iterator[None]:
    """Each of three statements of a settlement takes a moment longer: the database sees to it."""
    if world.postgres:
        world.query(
            "CREATE FUNCTION chaos_slow() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_sleep(0.15); RETURN NULL; END $$"
        )
        action = "FOR EACH ROW WHEN ({}) EXECUTE FUNCTION chaos_slow()"
    else:
        world.query(
            "CREATE VIEW chaos_slow AS WITH RECURSIVE n(i) AS"
            " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT COUNT(*) AS n FROM n"
        )
        action = "WHEN {} BEGIN SELECT n FROM chaos_slow; END"
    for table, condition in PLACES:
        change = f"CREATE TRIGGER chaos_{table} AFTER UPDATE ON {table} "
        world.query(change + action.format(condition))
    try:
        yield
    finally:
        for table, _ in PLACES:
            world.query(f"DROP TRIGGER chaos_{table}" + (f" ON {table}" if world.postgres else ""))
        world.query("DROP FUNCTION chaos_slow()" if world.postgres else "DROP VIEW chaos_slow")


@pytest.mark.row("F43", "kill -9 between the vendor's end and the settlement")
@pytest.mark.row("F44", "50 kills inside settlements")
@pytest.mark.full
@pytest.mark.usefixtures("long")
async def test_killed_while_settling(world: Cluster, tab: Tab) -> None:
    dice = random.Random(SEED)
    inside = 0
    replies: list[tuple[Browser, str]] = []
    waiting: list[tuple[Browser, str]] = []
    with world.changed(quick=True, LEASE_SECONDS="3"):
        with slow_settlements(world):
            for _ in range(KILLS // 2):
                bill = len(world.vendor.bill)
                talks = await round_of([await tab() for _ in range(3)], "words:5")
                await eventually(lambda: any(c.finished for c in world.vendor.bill[bill:]))  # noqa: B023
                node = world.writer(talks[0][1])
                await asyncio.sleep(dice.uniform(0, 0.5))
                node.kill()
                inside += sum(stored(world, gen)[0] == "running" for _, gen in talks)
                await asyncio.to_thread(node.start)
                replies += talks
                waiting = await leave(waiting + talks)
            # One that was given back, and found no process for a minute, has failed by then.
            ended = await asyncio.gather(*(browser.finish(gen, 120) for browser, gen in replies))
        world.manage("check_ledger")
    states = [frame["state"] for frame in ended]
    print(f"{len(replies)} replies, {inside} of them unsettled when the process was killed:")
    print(", ".join(f"{count} {state}" for state, count in Counter(states).items()))
    # What was given back and found no living process for a minute fails, and costs nothing.
    assert set(states) <= {"done", "interrupted", "failed"}
    assert inside >= KILLS // 4
