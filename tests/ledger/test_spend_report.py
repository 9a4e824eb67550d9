"""spend_report says today's sums, and last week's as they were known then."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from chatapp.ledger.models import Charge
from chatapp.pricing import repricing
from chatapp.pricing.models import price_book
from tests.ledger.conftest import HAIKU, LONG_AGO, estimated, exact, price_version


def report(day: Any, *arguments: str) -> list[dict[str, Any]]:
    out = StringIO()
    call_command("spend_report", "--from", str(day), "--to", str(day), *arguments, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_later_correction_does_not_change_what_was_known(
    authorize: Callable[..., Charge],
) -> None:
    charge = authorize()
    charge.capture(exact())
    authorize(source="demo").capture(estimated())
    known = timezone.now()
    price_version(HAIKU, dollars=2, valid_from=LONG_AGO)
    repricing.apply(price_book(), model=HAIKU, since=LONG_AGO, note="", by=None)
    day = charge.day
    assert report(day, "--by", "model") == [
        {"model": HAIKU, "calls": 1, "cost_usd": "0.000812", "cost_pusd": 812 * 10**6}
    ]
    assert report(day, "--as-of", known.isoformat()) == [
        {"day": str(day), "calls": 1, "cost_usd": "0.000406", "cost_pusd": 406 * 10**6}
    ]
    assert report(day, "--by", "team")[0]["team"] is None
    assert report(day, "--as-of", "2026-01-01") == []


@pytest.mark.django_db
def test_what_is_no_time_is_said() -> None:
    with pytest.raises(CommandError, match="Invalid isoformat"):
        report("2026-01-01", "--as-of", "yesterday")
