"""What the stored calls would have cost otherwise."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import Sum
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from chatapp.accounts.models import User
from chatapp.dashboard.what_if import Call, Scenario, cost, replay, uncached
from chatapp.ledger.models import Charge
from chatapp.pricing.book import PriceBook, Tier, Version
from chatapp.pricing.usage import Certainty, Metered
from tests.dashboard.conftest import signed_in

LONG_AGO, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
AT = datetime(2026, 3, 1, tzinfo=UTC)


def version(model: str, rate: int, since: datetime = LONG_AGO) -> Version:
    tier = Tier(0, rate, rate * 5 // 4, rate * 2, rate // 10, rate * 5)
    return Version(model, "standard", since, True, 5000, 11000, 10**10, (tier,))


BOOK = PriceBook(
    versions=[
        version("small", 10**6),
        version("small", 2 * 10**6, LATER),
        version("large", 4 * 10**6),
    ],
    aliases={"small": "small", "large": "large"},
)
counts = st.integers(0, 10**6)


def call(model: str = "small", **usage: Any) -> Call:
    metered = Metered(model, usage, {"stop_reason": "end_turn"}, Certainty.EXACT)
    plain = Call(model, AT, 0, metered)
    return Call(model, AT, cost(BOOK, plain, Scenario()) or 0, metered)


@given(counts, counts, counts, counts)
def test_nothing_otherwise_is_what_it_was(a: int, b: int, c: int, d: int) -> None:
    usage = {"input_tokens": a, "output_tokens": b, "cache_read_input_tokens": c}
    one = call(**usage, cache_creation_input_tokens=d)
    assert cost(BOOK, one, Scenario()) == one.amount_pusd
    assert cost(BOOK, one, Scenario(model="large")) == 4 * one.amount_pusd
    assert cost(BOOK, one, Scenario(at=LATER)) == 2 * one.amount_pusd
    assert cost(BOOK, one, Scenario(cached=False)) == (a + c + d) * 10**6 + b * 5 * 10**6


def test_caching_is_taken_out_of_every_sampling() -> None:
    split = {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}
    entry = {"type": "message", "input_tokens": 1, "cache_read_input_tokens": 2, "output_tokens": 9}
    plain = uncached({"input_tokens": 1, "cache_creation": split, "iterations": [entry]})
    assert plain == {
        "input_tokens": 8,
        "iterations": [{"type": "message", "input_tokens": 3, "output_tokens": 9}],
    }


def test_an_advisor_keeps_its_model_and_an_estimate_its_output() -> None:
    entries = [
        {"type": "message", "model": "small", "input_tokens": 10, "output_tokens": 1},
        {"type": "advisor_message", "model": "small", "input_tokens": 100, "output_tokens": 0},
    ]
    one = call(input_tokens=10, output_tokens=1, iterations=entries)
    assert cost(BOOK, one, Scenario(model="large")) == (10 + 5) * 4 * 10**6 + 100 * 10**6
    usage = {"input_tokens": 10, "output_tokens": 1}
    metered = Metered("small", usage, {}, Certainty.ESTIMATED, 50, 1)
    stopped = Call("small", AT, 0, metered)
    assert cost(BOOK, stopped, Scenario()) == (10 + 250) * 10**6


def test_what_has_no_price_is_in_neither_sum() -> None:
    found = replay(BOOK, [call(input_tokens=1), call()], Scenario(model="unheard of"))["small"]
    assert (found.calls, found.unpriced, found.actual_pusd, found.otherwise_pusd) == (0, 2, 0, 0)


@pytest.mark.usefixtures("ledger")
def test_the_page_adds_up(payer: Client, bob: Any) -> None:
    page = "/dashboard/what-if/"
    assert "together" not in payer.get(page).context
    spent = payer.get("/dashboard/?range=12m").context["figures"].all.amount_pusd
    same = payer.get(page, {"range": "12m", "prices": "2026-11-19", "model": "claude-haiku-4-5"})
    haiku = same.context["together"]
    assert haiku.difference_pusd == 0
    found = payer.get(page, {"range": "12m", "cache": "off"}).context
    assert found["together"].actual_pusd == spent
    assert sum(outcome.otherwise_pusd for _, outcome in found["rows"]) == (
        found["together"].otherwise_pusd
    )
    dearer = payer.get(page, {"range": "12m", "as": "claude-opus-4-8"})
    assert dearer.context["together"].calls == Charge.objects.exclude(amount_pusd=None).count()
    assert dearer.context["together"].otherwise_pusd > spent
    for wrong in ({"as": "gpt"}, {"prices": "yesterday"}, {"from": "x"}):
        assert payer.get(page, wrong).status_code == 400
    assert signed_in(bob).get(page).status_code == 404


@pytest.mark.usefixtures("ledger")
def test_everybody_has_the_same_of_their_own(client: Client) -> None:
    page, others = "/usage/what-if/", User.objects.filter(charges__amount_pusd__gt=0).distinct()
    one, other = others[:2]
    assert client.get(page).status_code == 302
    asked = {"range": "12m", "cache": "off", "user": other.username, "team": "none"}
    own = signed_in(one).get(page, asked).context["together"]
    spent = Charge.objects.filter(user=one).aggregate(sum=Sum("amount_pusd"))["sum"]
    assert own.actual_pusd == spent


@pytest.mark.usefixtures("ledger")
def test_too_many_calls_are_not_begun(payer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatapp.dashboard.what_if_views.MOST", 10)
    page = payer.get("/dashboard/what-if/", {"range": "12m", "cache": "off"})
    assert page.context["too_many"]
    assert "more calls than a page can reckon with" in page.text
