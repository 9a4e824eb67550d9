"""The moment a request leaves: stored before it, and only then; what never left is asked by another."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chatapp.chat import claims
from chatapp.chat.broadcast import Broadcast
from chatapp.chat.conversation import Claim, Taker, post
from chatapp.chat.models import Generation, Settlement
from chatapp.chat.pace import Pace
from chatapp.chat.running import Engine
from chatapp.chat.writing import Writing
from chatapp.claude.connection import connection
from chatapp.ledger.models import Charge
from chatapp.web.database import db
from tests.chat.conftest import ask, eventually

GONE = timedelta(seconds=-1)
LONG = timedelta(seconds=30)


@pytest.fixture
async def claim(transactional_db: None, prices: None, upstream: Any, alice: Any) -> Claim:
    """A reply taken with its question by a process that was then lost, before it asked."""
    await connection()
    posted = await db(post, alice, ask("Hi [[words:3]]"), Taker(uuid4(), "lost", GONE))
    assert posted.claim
    return posted.claim


async def now(claim: Claim) -> Generation:
    return await db(Generation.objects.get, id=claim.generation.id)


def charges(claim: Claim) -> list[str]:
    """The states of its charges, attempt by attempt."""
    found = Charge.objects.filter(reference=claim.generation.id).order_by("attempt")
    return list(found.values_list("state", flat=True))


async def test_a_reply_lost_before_it_was_asked_for_is_asked_by_another(
    claim: Claim, upstream: Any, settings: Any
) -> None:
    settings.LEASE_SECONDS = 1.5
    engine = Engine(Broadcast())
    await engine.start()

    async def done() -> bool:
        return (await now(claim)).state == "done"

    await eventually(done)
    await engine.close()
    assert (await now(claim)).fence == 3  # claimed, given back, claimed
    assert await db(charges, claim) == ["captured"]
    assert len(upstream.bill) == 1


async def test_what_may_have_left_is_never_asked_again(claim: Claim, upstream: Any) -> None:
    await db(claims.depart, claim.generation, claim.prompt, claim.charge, 1)
    assert await db(claims.abandon, claim.generation.id)
    assert (await now(claim)).state == "interrupted"
    assert not upstream.bill


async def test_who_was_overtaken_sends_nothing(claim: Claim, upstream: Any) -> None:
    await db(claims.abandon, claim.generation.id)
    other = await db(claims.claim, claim.generation.id, runner="other", lease=LONG)
    await Writing(claim, Broadcast(), Pace()).run()
    assert not upstream.bill
    assert ((await now(claim)).runner, (await now(claim)).state) == ("other", "running")
    assert other
    await Writing(other, Broadcast(), Pace()).run()
    assert (await now(claim)).state == "done"
    assert len(upstream.bill) == 1


async def test_who_was_overtaken_does_not_end_what_was_given_back(
    claim: Claim, upstream: Any
) -> None:
    await db(claims.abandon, claim.generation.id)
    await Writing(claim, Broadcast(), Pace()).run()
    assert (await now(claim)).state == "queued"
    assert await db(charges, claim) == ["authorized"]
    assert not upstream.bill


async def test_who_was_overtaken_while_it_waited_does_not_try_again(
    claim: Claim, upstream: Any
) -> None:
    await db(claims.depart, claim.generation, claim.prompt, claim.charge, 1)
    await db(claims.abandon, claim.generation.id)
    with pytest.raises(claims.Overtaken):
        await db(claims.depart, claim.generation, claim.prompt, claim.charge, 2)
    assert len(await db(charges, claim)) == 1


async def test_a_server_that_ends_before_it_asked_gives_the_question_back(
    claim: Claim, upstream: Any
) -> None:
    writing = Writing(claim, Broadcast(), Pace())
    running = asyncio.create_task(writing.run())
    await asyncio.sleep(0)
    writing.interrupt("restarted", "")
    await running
    found = await now(claim)
    assert (found.state, found.sent_at, found.runner) == ("queued", None, "")
    assert not upstream.bill


async def test_a_stop_before_it_was_asked_costs_nothing(claim: Claim, upstream: Any) -> None:
    writing = Writing(claim, Broadcast(), Pace())
    running = asyncio.create_task(writing.run())
    await asyncio.sleep(0)
    writing.stop()
    await running
    assert (await now(claim)).state == "stopped"
    assert await db(charges, claim) == ["voided"]
    assert not upstream.bill


async def test_a_stop_that_was_not_heard_by_the_lost_process_is_heard_by_the_next(
    claim: Claim, upstream: Any, alice: Any
) -> None:
    await db(claims.request_stop, alice, claim.generation.id)
    assert await db(claims.abandon, claim.generation.id)
    assert (await now(claim)).state == "stopped"
    assert await db(charges, claim) == ["voided"]


async def test_no_hold_outlives_its_reply(claim: Claim) -> None:
    """A stop may come while the money for another attempt is being held."""
    await db(claims.depart, claim.generation, claim.prompt, claim.charge, 1)
    await db(claim.charge.void, error="overloaded")
    await db(claims.depart, claim.generation, claim.prompt, claim.charge, 2)
    how = Settlement(state="stopped", text="")
    assert await db(claim.generation.settle, how, fence=1)
    assert await db(charges, claim) == ["voided", "voided"]
