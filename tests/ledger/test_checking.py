"""check_ledger finds every kind of break, and nothing else."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from chatapp.ledger import checking
from chatapp.ledger.models import Adjustment, Charge, ChargeLine, DailyTotal
from chatapp.ledger.rollups import Grain, Rollup
from chatapp.pricing import repricing
from chatapp.pricing.models import PriceTier, PriceVersion, price_book
from tests.ledger.conftest import HAIKU, OPUS, UNKNOWN, estimated, exact, price_version
from tests.ledger.guards import lifted

Authorize = Callable[..., Charge]


@pytest.fixture
def ledger(authorize: Authorize, bob: Any, prices: Any) -> Charge:
    """Calls of every state and status, corrected and late ones among them; one exact charge."""
    PriceTier.objects.create(
        version=prices[OPUS],
        over=1000,
        **dict.fromkeys(("input", "cache_write_5m", "cache_write_1h"), 8 * 10**6),
        cache_read=10**6,
        output=40 * 10**6,
    )
    for user in (None, bob):
        whose = {"user": user} if user else {}
        authorize(**whose)
        authorize(**whose).void(error="refused")
        for metered in (
            exact(),
            estimated(),
            UNKNOWN,
            exact("claude-unheard-of"),
            exact(input_tokens=-1),
            exact(input_tokens=0, output_tokens=0),
        ):
            authorize(**whose).capture(metered)
        for prompt in (10, 5000):
            authorize(model=OPUS, prompt_tokens=9000, **whose).capture(
                exact(
                    OPUS,
                    input_tokens=prompt,
                    inference_geo="us",
                    cache_read_input_tokens=30,
                    server_tool_use={"web_search_requests": 2},
                )
            )
    late = authorize()
    late.capture(estimated())
    late.adjust(exact())
    yesterday = timezone.now() - timedelta(days=1)
    price_version(HAIKU, dollars=2, valid_from=yesterday)
    repricing.apply(price_book(), model=HAIKU, since=yesterday, note="", by=None)
    charge = authorize()
    charge.capture(exact())
    return charge


def broken() -> set[str]:
    return {broken.law for broken in checking.check().breaks}


def test_a_whole_ledger_breaks_nothing(ledger: Charge) -> None:
    found = checking.check()
    assert found.breaks == []
    assert found.charges == Charge.objects.count()
    assert found.lines == ChargeLine.objects.count()
    assert (found.open, found.held_pusd) == (2, sum(c.held_pusd for c in Charge.objects.open()))


def set_charge(**fields: Any) -> Callable[[Charge], Any]:
    return lambda charge: Charge.objects.filter(pk=charge.pk).update(**fields)


def set_line(**fields: Any) -> Callable[[Charge], Any]:
    return lambda charge: charge.lines.filter(kind="output").update(**fields)


def set_late(**fields: Any) -> Callable[[Charge], Any]:
    return lambda _: Adjustment.objects.filter(reason="late_evidence").update(**fields)


def set_total(**fields: Any) -> Callable[[Charge], Any]:
    return lambda charge: DailyTotal.objects.filter(user=charge.user, status="exact").update(
        **fields
    )


def copy_reversal(_: Charge) -> None:
    ChargeLine.objects.exclude(reverses=None).update(quantity=F("quantity") - 1)


def forget_lines(charge: Charge) -> None:
    charge.lines.all()._raw_delete("default")


def another_days_total(charge: Charge) -> None:
    total = DailyTotal.objects.filter(user=charge.user).first()
    assert total
    total.pk, total.day = None, total.day - timedelta(days=1)
    total.save()


@pytest.mark.parametrize(
    ("break_it", "law"),
    [
        (set_charge(amount_pusd=F("amount_pusd") + 1), "lines_add_up"),
        (set_charge(amount_pusd=0), "lines_add_up"),
        (forget_lines, "lines_add_up"),
        (set_charge(tokens_out=1), "tokens_add_up"),
        (set_charge(tokens_in=None), "tokens_add_up"),
        (set_line(amount_pusd=F("amount_pusd") + 1), "lines_multiply"),
        (set_line(multiplier_bp=10_001), "lines_multiply"),
        (copy_reversal, "taken_back_exactly"),
        (set_line(unit_price_pusd=5_000_001), "price_version_reproduces"),
        (set_line(multiplier_bp=20_000), "price_version_reproduces"),
        (set_line(price_version=None), "price_version_reproduces"),
        (lambda _: PriceTier.objects.filter(over=1000).delete(), "price_version_reproduces"),
        (
            lambda _: PriceVersion.objects.update(valid_from=timezone.now() + timedelta(days=1)),
            "price_version_was_in_force",
        ),
        (
            lambda charge: charge.lines.update(
                price_version=PriceVersion.objects.filter(model=HAIKU).earliest("valid_from")
            ),
            "price_version_was_in_force",
        ),
        (set_total(amount_pusd=F("amount_pusd") + 1), "daily_totals_equal_rows"),
        (set_total(output_tokens=0), "daily_totals_equal_rows"),
        (lambda _: DailyTotal.objects.all().delete(), "daily_totals_equal_rows"),
        (another_days_total, "daily_totals_equal_rows"),
        (set_charge(status="estimated", low_pusd=0, high_pusd=1), "states_are_whole"),
        (set_late(status_after="unknown"), "adjustments_follow_on"),
        (set_late(amount_after_pusd=None), "adjustments_follow_on"),
        (
            lambda _: Charge.objects.open().update(
                authorized_at=timezone.now() - timedelta(days=9)
            ),
            "holds_are_let_go",
        ),
    ],
)
def test_a_seeded_break_is_found(
    ledger: Charge, break_it: Callable[[Charge], Any], law: str
) -> None:
    with lifted():
        break_it(ledger)
    assert law in broken()


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_rollups_are_checked_beside_the_rest(
    authorize: Authorize,
) -> None:
    authorize().capture(exact())
    assert not broken()
    Rollup.objects.filter(grain=Grain.RANK_DAY).update(web_searches=1)
    Rollup.objects.filter(grain=Grain.WHOLE_WEEK).delete()
    DailyTotal.objects.update(web_search_pusd=1)
    assert broken() == {"daily_totals_equal_rows", "rollups_equal_totals"}


def test_rows_that_no_constraint_would_let_in_are_found(ledger: Charge) -> None:
    """States and orphans that constraints refuse: the check does not rely on them."""
    late = Adjustment.objects.get(reason="late_evidence")
    with lifted(), connection.constraint_checks_disabled():
        if connection.vendor == "sqlite":
            _without_checks("UPDATE ledger_charge SET state = 'voided' WHERE id = %s", ledger.pk)
        else:
            _execute("ALTER TABLE ledger_charge DROP CONSTRAINT captured_says_how_well_known")
            _execute("ALTER TABLE ledger_charge DROP CONSTRAINT amount_only_when_captured")
            _execute("UPDATE ledger_charge SET state = 'voided' WHERE id = %s", ledger.pk)
        _execute("DROP INDEX late_evidence_counts_once")
        late.pk = None
        late.save()
    assert {"states_are_whole", "settled_once"} <= broken()


def _execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _without_checks(sql: str, *parameters: Any) -> None:
    _execute("PRAGMA ignore_check_constraints = ON")
    _execute(sql, *parameters)
    _execute("PRAGMA ignore_check_constraints = OFF")


def test_missing_triggers_are_found(ledger: Charge) -> None:
    with lifted():
        assert broken() == {"rows_are_guarded"}


def test_the_command_says_what_it_found(ledger: Charge) -> None:
    out = StringIO()
    call_command("check_ledger", stdout=out)
    assert "all laws hold." in out.getvalue()
    DailyTotal.objects.update(calls=F("calls") + 1)
    out = StringIO()
    with pytest.raises(SystemExit) as exit_:
        call_command("check_ledger", "--json", stdout=out)
    assert exit_.value.code == 1
    said = json.loads(out.getvalue())
    assert said["ok"] is False
    assert [item["law"] for item in said["breaks"]] == ["daily_totals_equal_rows"]
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_ledger", stdout=out)
    assert "BROKEN daily_totals_equal_rows" in out.getvalue()


def test_totals_rebuilt_from_rows_are_the_totals(ledger: Charge) -> None:
    def stored() -> list[dict[str, Any]]:
        rows = DailyTotal.objects.exclude(calls=0).order_by("user", "model", "status", "purpose")
        return [{**row, "id": 0} for row in rows.values()]

    before = stored()
    DailyTotal.objects.filter(status="exact").delete()
    DailyTotal.objects.update(amount_pusd=7)
    call_command("rebuild_daily_totals", stdout=StringIO())
    assert stored() == before
    assert not broken()
