"""The headline's figures against totals made by hand, of two months that are known call by call."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chatapp.ledger.models import Budget
from chatapp.pricing.money import PUSD
from tests.conftest import person
from tests.dashboard.conftest import NOW, Authorize
from tests.ledger.conftest import UNKNOWN, exact

MILLION = 1_000_000


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


@pytest.fixture
def months(authorize: Authorize, monkeypatch: pytest.MonkeyPatch) -> None:
    """$2 by two people in October, $3 and a call without an amount by one of them in November.

    A million tokens in are $1, out $5, read from the cache $0.10.
    """
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    plain = exact(input_tokens=MILLION, output_tokens=0)
    authorize(at(10, 5)).capture(plain)
    authorize(at(10, 10), user=person("bea")).capture(plain)
    cached = {"cache_read_input_tokens": 10 * MILLION}
    authorize(at(11, 3)).capture(exact(input_tokens=MILLION, output_tokens=0, **cached))
    authorize(at(11, 16)).capture(exact(input_tokens=0, output_tokens=MILLION // 5))
    authorize(NOW).capture(UNKNOWN)
    authorize(at(9, 1)).capture(plain)
    Budget.objects.create(scope="everyone", period="month", limit_pusd=6 * PUSD)


def test_the_headline(months: Any, payer: Client) -> None:
    context = payer.get("/dashboard/?range=month").context
    figures = context["figures"]
    assert (figures.all.amount_pusd, figures.before.amount_pusd) == (3 * PUSD, 2 * PUSD)
    assert (figures.all.calls, figures.all.priced_calls, figures.before.calls) == (3, 2, 2)
    assert figures.change == 50
    assert (figures.people, figures.people_before) == (1, 2)
    assert figures.all.average_pusd == 3 * PUSD // 2
    assert (figures.savings_pusd, figures.savings_share) == (9 * PUSD, 75)
    (budget,) = context["budgets"]
    # What the call without an amount may have cost counts too: half a cent.
    assert (budget.whose, budget.percent) == ("Everyone", 50)
    assert budget.spent_pusd == 3 * PUSD + figures.all.held_pusd


def test_the_forecast(months: Any, payer: Client) -> None:
    """From 5 October on: $2 on seven Mondays, $1 on six Saturdays, $2 on seven Tuesdays.

    To come are two Mondays, two Saturdays and a Tuesday: 2 x 2/7 + 2 x 1/6 + 2/7 dollars, with a
    variance of 2 x 10/49 + 2 x 5/36 + 24/49.
    """
    page = payer.get("/dashboard/?range=month")
    found = page.context["forecast"]
    to_come = 25 / 21
    spread = 1.2816 * (44 / 49 + 5 / 18) ** 0.5
    assert found.low_pusd == 3 * PUSD
    assert found.middle_pusd == pytest.approx((3 + to_come) * PUSD)
    assert found.high_pusd == pytest.approx((3 + to_come + spread) * PUSD)
    assert "the average of that weekday in the last eight weeks" in page.text
    assert "weekday" not in payer.get("/dashboard/?range=30d").text
