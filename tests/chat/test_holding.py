"""Holds: what a budget cannot pay whole is shortened, and what is captured never passes a limit."""

import random
from collections import OrderedDict
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from chatapp.accounts.models import Team
from chatapp.chat import quoting
from chatapp.chat.conversation import post
from chatapp.chat.draft import Ask
from chatapp.chat.holding import at_most, extras
from chatapp.chat.models import Generation
from chatapp.chat.prompts import counts, upper_bound
from chatapp.chat.refusals import CountNeeded, Refused
from chatapp.claude.prompt import Prompt
from chatapp.ledger.models import Budget, Charge, State
from chatapp.pricing.models import Model, price_book
from chatapp.web.database import db
from tests.chat.conftest import ask, eventually
from tests.vendor_script import prompt_tokens, reporting


@pytest.fixture(autouse=True)
def nothing_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "_tokens", OrderedDict())


TOKEN = 5_500_000  # pico-USD that a token of Haiku's output costs at most


def budget(user: Any, tokens: int, prompt: int) -> Budget:
    """Room for so many tokens of output after a prompt of so many tokens."""
    limit = tokens * TOKEN + at_most(prompt) * 1_375_000
    return Budget.objects.create(scope="person", person=user, period="day", limit_pusd=limit)


def counted(user: Any, question: Ask, tokens: int) -> Generation:
    """Posted after the count that it needs."""
    with pytest.raises(CountNeeded) as needed:
        post(user, question)
    counts.keep(needed.value.prompt, tokens)
    return post(user, question).generation


@pytest.mark.usefixtures("prices")
def test_a_reply_is_shortened_to_what_the_budget_pays(alice: Any) -> None:
    budget(alice, 1_000, prompt=10)
    generation = counted(alice, ask("Hello"), 10)
    charge = generation.message.charge
    assert charge
    assert generation.max_tokens == charge.max_tokens == 1_000
    assert charge.held_pusd <= Budget.objects.get().limit_pusd < charge.held_pusd + TOKEN
    stored = Generation.objects.get()
    assert stored.shortened == "shortened to 1,000 tokens by your budget"
    assert stored.message.conversation.max_tokens == 4096
    assert stored.message.stop_words == stored.shortened


@pytest.mark.usefixtures("prices")
def test_too_short_a_reply_is_no_use(alice: Any) -> None:
    budget(alice, 255, prompt=11)
    with pytest.raises(Refused, match="budget_exceeded"):
        counted(alice, ask("Hi there"), 11)
    assert not Charge.objects.exists()
    assert not Generation.objects.exists()


@pytest.mark.usefixtures("prices")
def test_the_shortest_budget_decides_and_is_named(alice: Any) -> None:
    budget(alice, 2_000, prompt=12)
    everyone = budget(alice, 500, prompt=12)
    Budget.objects.filter(pk=everyone.pk).update(scope="everyone", person=None)
    generation = counted(alice, ask("Hello you"), 12)
    assert generation.shortened == "shortened to 500 tokens by the shared budget"


@pytest.mark.usefixtures("prices")
def test_a_quote_says_so_too(alice: Any) -> None:
    budget(alice, 1_000, prompt=10)
    prompt, cached = quoting.draft_of(alice, ask("Hello"))
    quote = quoting.quote(alice, prompt, 10, cached, approximate=False)
    assert (quote.blocked, quote.level) == ("", "amber")
    assert quote.shortened == "shortened to 1,000 tokens by your budget"
    Budget.objects.update(limit_pusd=TOKEN)
    quote = quoting.quote(alice, prompt, 10, cached, approximate=False)
    assert (bool(quote.blocked), quote.shortened, quote.level) == (True, "", "red")


@pytest.mark.usefixtures("prices")
def test_options_are_held_too() -> None:
    model = Model.objects.get(id="claude-haiku-4-5")
    plain = Prompt(model=model.id, messages=[{"role": "user", "content": "Hi"}], max_tokens=100)
    assert extras(plain, model, 50) == {
        "prompt_tokens": 50,
        "web_searches": 0,
        "speed": "standard",
        "cache_ttl": "5m",
    }
    searching = replace(plain, options={"web_search": 2, "speed": "fast", "cache_ttl": "1h"})
    assert extras(searching, model, 50) == {
        "prompt_tokens": 50 + (150 + 25_000) + (150 + 50_000),
        "web_searches": 2,
        "speed": "fast",
        "cache_ttl": "1h",
    }
    assert upper_bound(searching) > upper_bound(plain)
    counts.keep(plain, 5)
    assert counts.get(searching) is None


async def test_the_page_is_told_and_no_more_is_asked_for(
    alice: Any, tab: Any, upstream: Any
) -> None:
    prompt = prompt_tokens({"messages": [{"role": "user", "content": "[[words:9000]]"}]})
    await db(budget, alice, 300, prompt)
    page = await tab(alice)
    await page.say("send", key=str(uuid4()), conversation=None, parent=None, text="[[words:9000]]")
    posted = await page.until("message")
    assert "shortened to 300 tokens by your budget" in posted["html"]
    done = await page.finish(posted["gen"])
    assert "cut off at the token limit · shortened to 300 tokens by your budget" in done["html"]
    assert upstream.bill[0].max_tokens == 300


@pytest.mark.usefixtures("running")
async def test_whatever_the_vendor_reports_within_the_margin_stays_within_the_limit(
    alice: Any, upstream: Any
) -> None:
    """The dearest that a call may come to, in 12 ways, through the socket of the SDK."""
    from chatapp.chat.running import engine

    chance = random.Random(20261121)
    for number in range(12):
        question = ask("word " * chance.randint(1, 300) + str(number), max_tokens=4000)
        exact = chance.randint(5, 400)
        room = chance.randint(300, 3_900)

        def asked(question: Ask = question, exact: int = exact, room: int = room) -> Generation:
            Budget.objects.all().delete()
            spent = sum(Charge.objects.values_list("amount_pusd", flat=True))
            within = budget(alice, room, exact)
            Budget.objects.filter(pk=within.pk).update(limit_pusd=within.limit_pusd + spent)
            return counted(alice, question, exact)

        generation = await db(asked)
        most = min(at_most(exact), await db(bound_of, alice, question))
        written = chance.choice(["input_tokens", "cache_creation_input_tokens"])
        usage = {"input_tokens": 0, written: most, "output_tokens": generation.max_tokens}
        usage["inference_geo"] = chance.choice(["us", "global"])
        upstream.reply_with(reporting(usage, model="claude-haiku-4-5"))
        engine.wake(generation.id)
        charge = Charge.objects.filter(reference=generation.id, state=State.CAPTURED)
        found = await eventually(charge.afirst)
        assert found.amount_pusd <= found.held_pusd
        assert not found.flags
        limit = await Budget.objects.aget()
        standing = await db(Charge.objects.standing, limit, source=found.source)
        assert standing.spent_pusd <= limit.limit_pusd
        assert standing.held_pusd == 0


def bound_of(user: Any, question: Ask) -> int:
    prompt, _ = quoting.draft_of(user, question)
    assert price_book().resolve(prompt.model)
    return upper_bound(prompt)


@pytest.mark.parametrize(
    ("whose", "limit", "hard", "state"),
    [
        ("everyone", 0, True, "stopped"),
        ("person", 1, True, "stopped"),
        ("team", -1, True, "stopped"),
        ("team", None, True, "done"),
        ("person", -1, False, "done"),
    ],
)
async def test_lowering_a_budget_ends_what_no_longer_fits(
    tab: Any, alice: Any, bob: Any, whose: str, limit: int | None, hard: bool, state: str
) -> None:
    """A negative limit: so much less than what is held; none: just that."""
    alice.team = await db(Team.objects.create, name="Crew")
    await db(alice.save)
    named = {"person": {"person": alice}, "team": {"team": alice.team}}.get(whose, {})
    lowered = Budget(scope=whose, period="day", limit_pusd=10**12, hard=hard, **named)
    await db(lowered.save)
    page, other = await tab(alice), await tab(bob)
    ack = await page.ask("Go [[slow:20+words:60]]")
    theirs = await other.ask("Go [[slow:20+words:60]]")
    await page.until("delta")
    if limit is None or limit < 0:
        held = (await db(Charge.objects.get, reference=ack["gen"])).held_pusd
        limit = held + (limit or 0)
    lowered.limit_pusd = limit
    await db(lowered.save)
    assert (await page.finish(ack["gen"]))["state"] == state
    ended = (await other.finish(theirs["gen"]))["state"]
    assert ended == ("stopped" if whose == "everyone" else "done")
    charge = await db(Charge.objects.get, reference=ack["gen"])
    assert charge.status == ("exact" if state == "done" else "estimated")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("prices")
def test_what_was_not_asked_for_yet_costs_nothing_then(alice: Any) -> None:
    only = budget(alice, 100_000, prompt=1_000)
    generation = post(alice, ask("Hello")).generation
    only.limit_pusd = 0
    only.save()
    generation.refresh_from_db()
    assert (generation.state, Charge.objects.get().state) == ("stopped", State.VOIDED)
