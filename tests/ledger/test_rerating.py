"""A corrected price becomes adjustment lines; a price that arrives rates the calls that wait."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from chatapp.ledger.models import Adjustment, Charge, ChargeLine, DailyTotal
from chatapp.pricing import repricing
from chatapp.pricing.models import Model, price_book
from chatapp.pricing.repricing import Effect
from tests.ledger.conftest import HAIKU, LONG_AGO, OPUS, UNKNOWN, estimated, exact, price_version

Authorize = Callable[..., Charge]
MICRO = 10**6
YESTERDAY = timezone.now() - timedelta(days=1)


def totals() -> dict[str, tuple[int, int]]:
    rows = DailyTotal.objects.exclude(calls=0).values_list("status")
    sums = rows.annotate(calls=Sum("calls"), amount=Sum("amount_pusd"))
    return {status: (calls, amount) for status, calls, amount in sums}


def test_a_back_dated_price_restates_the_calls_since(authorize: Authorize, admin: Any) -> None:
    haiku, guess, opus, lost = authorize(), authorize(), authorize(model=OPUS), authorize()
    haiku.capture(exact())
    guess.capture(estimated(likely=50))
    opus.capture(exact(OPUS))
    lost.capture(UNKNOWN)
    price_version(HAIKU, dollars=2, valid_from=YESTERDAY)
    change = {"model": HAIKU, "since": YESTERDAY}
    expected = Effect(calls=2, difference_pusd=(406 + 271) * MICRO, newly_priced=0)

    assert repricing.preview(price_book(), **change) == expected
    assert not Adjustment.objects.exists()
    before = timezone.now()
    assert repricing.apply(price_book(), **change, note="we were told", by=admin) == expected

    haiku.refresh_from_db()
    guess.refresh_from_db()
    assert (haiku.status, haiku.amount_pusd) == ("exact", 812 * MICRO)
    assert (guess.low_pusd, guess.high_pusd) == (2 * 26 * MICRO, 2 * 5021 * MICRO)
    for charge in (haiku, guess):
        assert charge.lines.total() == charge.amount_pusd
        assert sum(line.amount_pusd for line in charge.lines.in_force()) == charge.amount_pusd
    adjustment = haiku.adjustments.get()
    assert (adjustment.reason, adjustment.note) == ("rerate", "we were told")
    assert adjustment.recorded_by == admin
    # A report of last week stays what it was.
    day = haiku.day
    known = ChargeLine.objects.between(day, day).as_of(before).total()
    assert known == (406 + 271 + 4 * 406) * MICRO
    assert ChargeLine.objects.between(day, day).total() == known + expected.difference_pusd
    assert totals()["exact"] == (2, (812 + 4 * 406) * MICRO)
    # Done once, there is nothing left to do.
    assert repricing.apply(price_book(), **change, note="", by=admin) == Effect(0, 0, 0)


def test_calls_before_the_change_keep_their_price(authorize: Authorize) -> None:
    authorize().capture(exact())
    tomorrow = timezone.now() + timedelta(days=1)
    price_version(HAIKU, dollars=2, valid_from=tomorrow)
    assert repricing.preview(price_book(), model=HAIKU, since=LONG_AGO) == Effect(0, 0, 0)


def test_a_restated_call_can_be_restated_again(authorize: Authorize) -> None:
    charge = authorize()
    charge.capture(estimated())
    charge.adjust(exact())
    for dollars in (2, 3):
        price_version(HAIKU, dollars=dollars, valid_from=YESTERDAY)
        repricing.apply(price_book(), model=HAIKU, since=YESTERDAY, note="x" * 1000, by=None)
    charge.refresh_from_db()
    assert {len(adjustment.note) for adjustment in charge.adjustments.all()} == {0, 300}
    # At the evidence that came late, not at the first guess.
    assert charge.amount_pusd == 3 * 406 * MICRO == charge.lines.total()
    assert charge.adjustments.count() == 3
    assert totals() == {"exact": (1, 3 * 406 * MICRO)}


def test_the_same_rates_in_another_version_change_nothing(authorize: Authorize) -> None:
    authorize().capture(exact())
    price_version(HAIKU, dollars=1, valid_from=YESTERDAY)
    assert repricing.preview(price_book(), model=HAIKU, since=LONG_AGO) == Effect(0, 0, 0)


@pytest.mark.parametrize("certainty", [exact, estimated])
def test_a_price_that_arrives_rates_the_calls_that_wait(
    authorize: Authorize, certainty: Any
) -> None:
    charge = authorize()
    charge.capture(certainty("claude-new"))
    assert charge.status == "unpriced"
    assert repricing.rate_waiting(price_book()) == 0
    Model.objects.create(
        id="claude-new",
        name="New",
        launched=datetime(2026, 1, 1, tzinfo=UTC).date(),
        context_window=1,
        max_output=1,
    )
    price_version("claude-new")
    assert repricing.rate_waiting(price_book()) == 1
    charge.refresh_from_db()
    assert charge.amount_pusd == charge.lines.total() > 0
    assert charge.status == charge.certainty
    assert totals() == {charge.status: (1, charge.amount_pusd)}


def test_a_version_that_is_taken_back_leaves_calls_unpriced_not_free(
    authorize: Authorize, prices: Any
) -> None:
    charge = authorize()
    charge.capture(exact())
    price_version(HAIKU, valid_from=YESTERDAY, available=False)
    effect = repricing.apply(price_book(), model=HAIKU, since=YESTERDAY, note="", by=None)
    assert effect == Effect(1, -406 * MICRO, 0)
    charge.refresh_from_db()
    assert (charge.status, charge.amount_pusd) == ("unpriced", None)
    assert charge.lines.total() == 0
    assert DailyTotal.objects.get(status="unpriced").held_pusd == charge.held_pusd
