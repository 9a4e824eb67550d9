"""Two engines and one database: who writes a reply, who takes over, and that it is paid for once."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.utils import timezone

from chatapp.chat import claims, running, writing
from chatapp.chat.broadcast import Broadcast
from chatapp.chat.conversation import Posted, Taker, post
from chatapp.chat.events import Frame
from chatapp.chat.forgetting import forget
from chatapp.chat.models import Chunk, Conversation, Generation
from chatapp.chat.running import Engine
from chatapp.claude.connection import connection
from chatapp.ledger.models import Charge
from chatapp.web.database import db
from tests.chat.conftest import ask, eventually

SLOW = "Go [[slow:30+words:400]]"


class Ear:
    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def hear(self, frame: Frame, encoded: str) -> None:
        self.frames.append(frame)


@pytest.fixture
async def engines(
    transactional_db: None, prices: None, upstream: Any, settings: Any
) -> AsyncIterator[Callable[[], Any]]:
    """Starts engines as separate processes would have them: nothing shared but the database."""
    settings.LEASE_SECONDS = 2.5
    await connection()
    started: list[Engine] = []

    async def start() -> Engine:
        engine = Engine(Broadcast())
        started.append(engine)
        await engine.start()
        return engine

    yield start
    for engine in started:
        await engine.close()


async def asked(user: Any, text: str = SLOW) -> Generation:
    posted = await db(post, user, ask(text))
    return await db(
        Generation.objects.select_related("message__conversation").get, id=posted.generation.id
    )


async def now(generation: Generation) -> Generation:
    return await db(Generation.objects.select_related("message__charge").get, id=generation.id)


async def until(generation: Generation, *states: str, within: float = 30) -> Generation:
    async def ended() -> Generation | None:
        found = await now(generation)
        return found if found.state in states else None

    return await eventually(ended, within)


async def saved(generation: Generation) -> str:
    """The text of the first checkpoint."""

    async def words() -> str:
        return (await db(Chunk.words, generation))[0]

    return await eventually(words)


async def settled(generation: Generation) -> Charge:
    """Its one charge, settled once, with nothing left over."""
    (charge,) = await db(lambda: list(Charge.objects.filter(reference=generation.id)))
    assert charge.state != "authorized"
    assert not await db(Chunk.objects.exists)
    return charge


async def test_another_process_settles_what_a_dead_one_left(
    engines: Any, alice: Any, upstream: Any
) -> None:
    first, generation = await engines(), await asked(alice)
    first.wake(generation.id)
    prefix = await saved(generation)
    await first.close()
    second, ear = await engines(), Ear()
    second._broadcast.join(generation.message.conversation.topic, ear)
    end = await until(generation, "interrupted")
    charge = await settled(generation)
    assert end.message.text.startswith(prefix)
    assert upstream.bill[0].text.startswith(end.message.text)
    assert (charge.status, charge.error) == ("estimated", "interrupted")
    assert charge.usage["input_tokens"] == upstream.bill[0].usage["input_tokens"]
    assert len(upstream.bill) == 1
    await asyncio.sleep(0.1)
    assert [frame["type"] for frame in ear.frames] == ["done"]


async def test_a_reply_that_cannot_be_ended_does_not_keep_others_from_it(
    engines: Any, alice: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, replies = await engines(), [await asked(alice), await asked(bob)]
    for generation in replies:
        first.wake(generation.id)
        await saved(generation)
    await first.close()
    poison, other = sorted(replies, key=lambda generation: generation.id)

    def abandon(id: Any) -> bool:
        if id == poison.id:
            raise ValueError("poison")
        return claims.abandon(id)

    monkeypatch.setattr(running, "claims", SimpleNamespace(**vars(claims) | {"abandon": abandon}))
    await engines()
    await until(other, "interrupted")
    assert (await now(poison)).state == "running"
    monkeypatch.undo()
    await until(poison, "interrupted")


async def test_leases_that_a_jumping_clock_ends_are_prolonged_by_who_lives(
    engines: Any, alice: Any, upstream: Any
) -> None:
    first, generation = await engines(), await asked(alice, "Go [[slow:40+words:60]]")
    first.wake(generation.id)
    await saved(generation)
    await engines()
    for _ in range(8):
        await db(Generation.objects.update, lease_until=timezone.now() - timedelta(hours=1))
        await asyncio.sleep(0.25)
    assert (await until(generation, "done")).fence == 1
    assert (await settled(generation)).status == "exact"


async def test_a_question_nobody_claimed_is_answered_by_the_next_sweep(
    engines: Any, alice: Any
) -> None:
    generation = await asked(alice, "Hi [[words:3]]")
    await engines()
    end = await until(generation, "done")
    assert end.message.text == "w0 w1 w2 "


async def test_what_was_never_sent_is_given_back_and_asked_once(
    engines: Any, alice: Any, upstream: Any
) -> None:
    generation = await asked(alice, "Hi [[words:3]]")
    await db(
        Generation.objects.update,
        state="running", runner="gone", fence=3, lease_until=timezone.now() - timedelta(minutes=1),
    )  # fmt: skip
    await engines()
    end = await until(generation, "done")
    assert end.fence == 5  # given back, and claimed
    assert len(upstream.bill) == 1


async def test_a_paused_process_is_fenced_out_and_its_evidence_kept(
    engines: Any, alice: Any, upstream: Any
) -> None:
    first, generation = await engines(), await asked(alice, "Go [[slow:40+words:200]]")
    for task in first._tasks:  # no lease, no checkpoint, no sweep: as good as paused
        task.cancel()
    first.wake(generation.id)
    await until(generation, "running")
    await engines()
    await until(generation, "interrupted")
    text = (await now(generation)).message.text
    await eventually(lambda: not first._replies, within=20)
    end = await now(generation)
    assert (end.state, end.message.text, end.fence) == ("interrupted", text, 2)
    charge = await settled(generation)
    assert charge.status == "exact"  # adjusted once, by the vendor's own last word
    assert await db(charge.adjustments.count) == 1
    assert charge.usage["input_tokens"] == upstream.bill[0].usage["input_tokens"]


@pytest.mark.parametrize("bell", [True, False])
async def test_stopping_closes_the_upstream_and_keeps_the_text(
    engines: Any, alice: Any, upstream: Any, bell: bool
) -> None:
    engine, generation = await engines(), await asked(alice)
    engine.wake(generation.id)
    prefix = await saved(generation)
    await db(claims.request_stop, alice, generation.id)
    if bell:
        engine.hear({"type": "stop", "gen": str(generation.id)})
    end = await until(generation, "stopped", within=8)
    charge = await settled(generation)
    assert end.message.text.startswith(prefix)
    assert charge.status == "estimated"
    assert charge.usage["input_tokens"] == upstream.bill[0].usage["input_tokens"]
    assert charge.low_pusd <= charge.amount_pusd <= charge.high_pusd
    await eventually(lambda: not upstream.open)
    assert not (await db(claims.request_stop, alice, generation.id)).live  # again: nothing happens


async def test_stopping_before_it_was_asked_costs_nothing(
    engines: Any, alice: Any, upstream: Any
) -> None:
    generation = await asked(alice)
    await db(claims.request_stop, alice, generation.id)
    assert (await now(generation)).state == "stopped"
    assert (await settled(generation)).state == "voided"
    await engines()
    assert not upstream.bill


async def test_a_drain_lets_replies_end_and_interrupts_the_late_ones(
    engines: Any, alice: Any, bob: Any
) -> None:
    engine = await engines()
    short, long = await asked(alice, "Hi [[pace:20+words:20]]"), await asked(bob)
    engine.wake(short.id)
    engine.wake(long.id)
    await saved(long)
    await engine.drain(1.0)
    assert (await now(short)).state == "done"
    end = await now(long)
    assert (end.state, end.error) == ("interrupted", "restarted")
    assert (await settled(long)).status == "estimated"
    late = await asked(alice, "Later")
    engine.wake(late.id)
    assert (await now(late)).state == "queued"


async def test_settling_waits_for_the_database(
    engines: Any, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, generation, away = await engines(), await asked(alice, "Hi [[words:5]]"), [1, 2, 3]

    async def flaky(function: Any, *args: Any, **kwargs: Any) -> Any:
        if away and getattr(getattr(function, "func", None), "__name__", "") == "settle":
            away.pop()
            raise OperationalError("gone")
        return await db(function, *args, **kwargs)

    monkeypatch.setattr(writing, "db", flaky)
    engine.wake(generation.id)
    await until(generation, "done")
    assert not away
    assert (await settled(generation)).status == "exact"


@pytest.mark.parametrize("how", ["refuses", "is silent"])
async def test_without_the_database_for_a_lease_it_stops_spending(
    engines: Any, alice: Any, upstream: Any, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    engine, generation = await engines(), await asked(alice)
    engine.wake(generation.id)
    await saved(generation)
    back = threading.Event()

    def gone(*args: Any, **kwargs: Any) -> None:
        if how == "is silent":
            back.wait(30)
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(type(Generation.objects.all()), "beat", gone)
        began = time.monotonic()
        await eventually(lambda: not upstream.open)
        assert time.monotonic() - began < 6, "a lease, and what a slow machine takes"
    back.set()
    assert (await until(generation, "interrupted")).error == "interrupted"
    await settled(generation)


async def test_replies_of_someone_who_may_no_longer_be_here_stop(engines: Any, alice: Any) -> None:
    engine, generation = await engines(), await asked(alice)
    engine.wake(generation.id)
    await saved(generation)
    alice.is_active = False
    await db(alice.save)
    await until(generation, "stopped")
    assert (await settled(generation)).status == "estimated"


async def test_what_someone_erased_was_writing_is_still_paid_for(engines: Any, alice: Any) -> None:
    engine, generation = await engines(), await asked(alice)
    engine.wake(generation.id)
    await saved(generation)
    await db(alice.erase)
    await eventually(lambda: not engine._replies)
    assert not await db(Conversation.objects.exists)
    assert (await settled(generation)).state == "captured"


async def test_a_question_that_waited_too_long_fails_and_costs_nothing(
    engines: Any, alice: Any, settings: Any
) -> None:
    settings.QUEUE_TIMEOUT = 0.2
    generation = await asked(alice)
    await asyncio.sleep(0.3)
    await engines()
    end = await until(generation, "failed")
    assert end.error == "queue_timeout"
    assert (await settled(generation)).state == "voided"


async def test_deleted_words_go_after_the_undo_and_money_stays(engines: Any, alice: Any) -> None:
    engine, generation = await engines(), await asked(alice, "Hi [[words:3]]")
    engine.wake(generation.id)
    await until(generation, "done")
    conversation = generation.message.conversation
    await db(conversation.hide)
    await db(forget)
    assert await db(Conversation.objects.exists)
    await db(Conversation.objects.update, deleted_at=timezone.now() - timedelta(hours=2))
    await db(forget)
    assert not await db(Conversation.objects.exists)
    assert await db(Charge.objects.captured().count) == 1


async def test_an_older_checkpoint_that_comes_late_takes_nothing_away(
    engines: Any, alice: Any
) -> None:
    generation = await asked(alice)
    await db(claims.claim, generation.id, runner="me", lease=timedelta(seconds=30))
    chunk = {"generation_id": generation.id, "offset": 0}
    await db(Chunk.save_all, [Chunk(text="longer", **chunk)], runner="me")
    await db(Chunk.save_all, [Chunk(text="long", **chunk)], runner="me")
    assert await db(Chunk.words, generation) == ("longer", "")
    assert await db(Chunk.save_all, [Chunk(text="much longer", **chunk)], runner="other") == set()
    assert await db(Chunk.words, generation) == ("longer", "")


async def test_settling_twice_is_settling_once(engines: Any, alice: Any, upstream: Any) -> None:
    engine, generation = await engines(), await asked(alice, "Hi [[words:3]]")
    engine.wake(generation.id)
    end = await until(generation, "done")
    how = claims.Settlement(state="failed", text="other")
    assert await db(end.settle, how, fence=1)
    assert (await now(generation)).message.text == "w0 w1 w2 "
    assert not await db(end.settle, how, fence=0)
    assert (await now(generation)).state == "done"


async def test_a_reply_is_taken_with_its_question(engines: Any, alice: Any) -> None:
    engine, question = await engines(), ask("Hi [[words:3]]")
    posted = await engine.ask(lambda taker: post(alice, question, taker))
    assert posted.new
    assert (await now(posted.generation)).runner == engine.runner
    end = await until(posted.generation, "done")
    assert end.message.text == "w0 w1 w2 "
    assert end.sent_at
    again = await engine.ask(lambda taker: post(alice, question, taker))
    assert (again.generation.id, again.new, again.claim) == (end.id, False, None)


async def test_a_reply_whose_asker_left_at_once_is_written(engines: Any, alice: Any) -> None:
    engine, question = await engines(), ask("Hi [[words:3]]")
    asking = asyncio.create_task(engine.ask(lambda taker: post(alice, question, taker)))
    await asyncio.sleep(0)
    asking.cancel()
    found = await eventually(lambda: db(Generation.objects.filter(key=question.key).first))
    await until(found, "done")


async def test_a_taker_knows_its_reply_when_the_commits_answer_was_lost(
    transactional_db: None, prices: None, upstream: Any, alice: Any
) -> None:
    question, taker = ask(), Taker(uuid4(), "me", timedelta(seconds=30))
    first = await db(post, alice, question, taker)
    again = await db(post, alice, question, taker)
    assert first.claim
    assert again.claim
    assert again.new
    assert again.claim.prompt == first.claim.prompt
    assert again.claim.charge == first.claim.charge
    assert await db(Charge.objects.count) == 1


async def test_what_is_asked_while_the_server_drains_is_left_to_others(
    engines: Any, alice: Any, upstream: Any
) -> None:
    leaving = await engines()

    def slowly(taker: Taker | None) -> Posted:
        posted = post(alice, ask("Hi [[words:3]]"), taker)
        leaving.draining = True
        return posted

    posted = await leaving.ask(slowly)
    waiting = await now(posted.generation)
    assert (waiting.state, waiting.sent_at, waiting.runner) == ("queued", None, "")
    staying = await engines()
    staying.wake(waiting.id)
    await until(waiting, "done")
    assert len(upstream.bill) == 1
