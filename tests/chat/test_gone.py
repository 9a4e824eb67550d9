"""Replies whose person was erased, or whose chat was removed: no money is held for them for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from chatapp.chat import claims
from chatapp.chat.broadcast import Broadcast
from chatapp.chat.conversation import Claim, Taker, post
from chatapp.chat.forgetting import forget
from chatapp.chat.models import Chunk, Conversation, Generation, Message
from chatapp.chat.pace import Pace
from chatapp.chat.running import Engine
from chatapp.chat.writing import Writing
from chatapp.claude.connection import connection
from chatapp.ledger.models import Charge
from chatapp.pricing.usage import Certainty, Metered
from chatapp.web.database import db
from tests.chat.conftest import ask, eventually

GONE = timedelta(seconds=-1)
START = Metered(
    model="claude-haiku-4-5",
    usage={"input_tokens": 10, "output_tokens": 1},
    response={},
    certainty=Certainty.ESTIMATED,
    estimated_output=1,
    reported_output=1,
)


@pytest.fixture
async def sweeping(
    transactional_db: None, prices: None, settings: Any
) -> AsyncIterator[Callable[[], Any]]:
    """Starts an engine that has nothing of its own to write."""
    settings.LEASE_SECONDS = 0.6
    engines: list[Engine] = []

    async def start() -> None:
        engines.append(Engine(Broadcast()))
        await engines[-1].start()

    yield start
    for engine in engines:
        await engine.close()


def asked(user: Any) -> Claim:
    """Taken with its question by a process that was then killed."""
    claim = post(user, ask("Hi"), Taker(uuid4(), "lost", GONE)).claim
    assert claim
    return claim


def departed(user: Any) -> Claim:
    claim = asked(user)
    claims.depart(claim.generation, claim.prompt, claim.charge, 1)
    return claim


def charge_of(id: UUID) -> Charge:
    return Charge.objects.get(reference=id)


async def settled(id: UUID) -> Charge:
    async def found() -> Charge | None:
        charge = await db(charge_of, id)
        return charge if charge.state != "authorized" else None

    return await eventually(found)


@pytest.mark.usefixtures("prices")
def test_what_was_queued_for_an_erased_person_is_given_back(alice: Any, admin: Any) -> None:
    id = post(alice, ask()).generation.id
    alice.erase()
    assert not Generation.objects.exists()
    assert (charge_of(id).state, charge_of(id).error) == ("voided", "erased")


@pytest.mark.usefixtures("prices")
def test_what_was_taken_and_never_asked_is_given_back(alice: Any, admin: Any) -> None:
    claim = asked(alice)
    alice.erase()
    assert charge_of(claim.generation.id).state == "voided"
    with pytest.raises(claims.Overtaken):
        claims.depart(claim.generation, claim.prompt, claim.charge, 1)


async def test_a_writer_that_lives_pays_for_what_it_heard(
    transactional_db: None, prices: None, upstream: Any, alice: Any, admin: Any
) -> None:
    await connection()
    posted = await db(post, alice, ask("Hi [[words:200+slow:20]]"), Taker(uuid4(), "x", -GONE * 30))
    assert posted.claim
    writing = Writing(posted.claim, Broadcast(), Pace())
    running = asyncio.create_task(writing.run())
    await eventually(lambda: "w5" in writing.live.text)
    await db(alice.erase)
    assert (await db(charge_of, posted.generation.id)).state == "authorized"
    writing.interrupt("interrupted", claims.LOST)
    await running
    charge = await db(charge_of, posted.generation.id)
    assert (charge.state, charge.status) == ("captured", "estimated")


async def test_what_had_left_and_lost_its_writer_is_unknown(
    sweeping: Any, alice: Any, admin: Any
) -> None:
    claim = await db(departed, alice)
    await db(alice.erase)
    await sweeping()
    charge = await settled(claim.generation.id)
    assert (charge.state, charge.status, charge.error) == ("captured", "unknown", "interrupted")


async def test_what_had_begun_and_lost_its_writer_is_estimated(
    sweeping: Any, alice: Any, admin: Any
) -> None:
    claim = await db(departed, alice)
    await db(claim.charge.started, metered=START)
    await db(lambda: Chunk.objects.create(generation=claim.generation, offset=0, text="x" * 700))
    await db(alice.erase)
    await sweeping()
    charge = await settled(claim.generation.id)
    assert (charge.state, charge.status) == ("captured", "estimated")
    assert (charge.tokens_in, charge.tokens_out) == (10, 200)


async def test_its_writer_has_a_lease_to_settle_it_itself(
    sweeping: Any, alice: Any, admin: Any, settings: Any
) -> None:
    settings.LEASE_SECONDS = 30
    claim = await db(departed, alice)
    await db(alice.erase)
    await sweeping()
    await asyncio.sleep(2.5)
    assert (await db(charge_of, claim.generation.id)).state == "authorized"


@pytest.mark.usefixtures("prices")
def test_nothing_is_removed_while_a_reply_below_is_written(alice: Any) -> None:
    id = post(alice, ask()).generation.id
    long_ago = timezone.now() - timedelta(days=1)
    Message.objects.update(deleted_at=long_ago)
    Conversation.objects.update(deleted_at=long_ago)
    forget()
    assert Generation.objects.filter(id=id).exists()
    claims.expire(id)
    forget()
    assert not Message.objects.exists()
    assert charge_of(id).state == "voided"
