"""Hours of business days: in any zone, when clocks change, and as parts of the same sums."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client, override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from chatapp.dashboard import export, spend
from chatapp.dashboard.filters import Filter
from chatapp.dashboard.frame import frame
from chatapp.dashboard.look import BY, Look
from chatapp.dashboard.periods import HOUR, Period
from chatapp.dashboard.series import spend_chart
from chatapp.dashboard.spend import Spend
from chatapp.ledger.models import Charge, business_day
from tests.dashboard.conftest import TODAY, Authorize
from tests.ledger.conftest import exact


@pytest.mark.parametrize(
    ("zone", "day", "hours", "first"),
    [
        ("UTC", "2026-11-20", 24, "2026-11-20T00:00"),
        ("Asia/Kathmandu", "2026-11-20", 24, "2026-11-19T18:15"),
        ("Europe/Berlin", "2026-03-29", 23, "2026-03-28T23:00"),
        ("Europe/Berlin", "2026-10-25", 25, "2026-10-24T22:00"),
        ("America/New_York", "2026-11-01", 25, "2026-11-01T04:00"),
        ("Australia/Lord_Howe", "2026-10-04", 24, "2026-10-03T13:30"),
    ],
)
def test_hours_of_a_day(zone: str, day: str, hours: int, first: str) -> None:
    found = Period(date.fromisoformat(day), date.fromisoformat(day)).hours(ZoneInfo(zone))
    assert len(found) == hours
    assert found[0] == datetime.fromisoformat(first).replace(tzinfo=UTC)
    assert all(after - before == HOUR for before, after in pairwise(found))


@given(
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(
        ["UTC", "Asia/Kathmandu", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
    ),
)
def test_every_moment_is_in_one_hour_of_its_day(moment: datetime, zone: str) -> None:
    with override_settings(TIME_ZONE=zone):
        day = business_day(moment)
    found = [
        hour for hour in Period(day, day).hours(ZoneInfo(zone)) if hour <= moment < hour + HOUR
    ]
    assert len(found) == 1


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("by", list(BY))
@pytest.mark.parametrize("unit", ["usd", "tokens"])
def test_hours_add_up_to_the_day(ask: Callable[..., Filter], by: str, unit: str) -> None:
    yesterday = TODAY - timedelta(days=1)
    for asked in (ask(range="today"), ask(**{"from": str(yesterday), "to": str(TODAY)})):
        spend = Spend(asked)
        chart = spend_chart(spend, Look(by=by, unit=unit))
        assert len(chart.columns) == 24 * asked.period.days
        assert spend.all.calls
        assert chart.total == (spend.all.amount_pusd if unit == "usd" else spend.all.tokens)


@pytest.mark.usefixtures("ledger")
def test_a_bar_leads_to_the_calls_of_its_hour(payer: Client) -> None:
    rows = payer.get("/dashboard/", {"range": "today"}).context["chart"].rows
    told = [(bucket, total) for bucket, _, total in rows if total]
    assert told
    for bucket, total in told:
        assert payer.get(bucket.href).context["sums"].amount_pusd == total


@pytest.mark.django_db
@override_settings(TIME_ZONE="Asia/Kathmandu")
def test_utc_stands_beside_the_business_zone(ask: Callable[..., Filter]) -> None:
    around = frame(ask(**{"from": "2026-11-19", "to": "2026-11-19"}))
    assert around["zone"] == "Asia/Kathmandu"
    assert around["utc"] == "18 Nov 18:15 to 19 Nov 18:15 UTC"


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Asia/Kathmandu", "2026-11-10"),
        ("Europe/Berlin", "2026-03-29"),
        ("Europe/Berlin", "2026-10-25"),
    ],
)
def test_days_and_hours_of_a_zone_agree_everywhere(
    zone: str, day: str, authorize: Authorize, payer: Client, settings: Any, ask: Any
) -> None:
    settings.TIME_ZONE = zone
    here, noon = ZoneInfo(zone), datetime.fromisoformat(f"{day}T12:00")
    edges = [
        noon.replace(hour=hour, minute=minute) + timedelta(days=days)
        for days in (-1, 0, 1)
        for hour, minute in ((0, 10), (23, 50))
    ]
    # Two of it, or none where clocks are put forward: then half past one and half past three.
    half_past_two = {noon.replace(hour=2, minute=30, fold=fold, tzinfo=here) for fold in (0, 1)}
    moments = {at.astimezone(UTC) for at in half_past_two}
    moments |= {at.replace(tzinfo=here).astimezone(UTC) for at in edges}
    days: dict[date, list[Charge]] = defaultdict(list)
    for number, at in enumerate(sorted(moments), start=1):
        charge = authorize(at)
        charge.capture(exact(input_tokens=100 * number))
        assert charge.day == at.astimezone(here).date()
        days[charge.day].append(charge)
    assert [len(calls) for calls in days.values()] == [2, len(moments) - 4, 2]

    dates = {"from": str(min(days)), "to": str(max(days))}
    bars = payer.get("/dashboard/", dates).context["chart"].rows
    exported, _ = export._slice(ask(**dates), None)
    for (bucket, _, spent), (day_of, calls) in zip(bars, days.items(), strict=True):
        amount = sum(call.amount_pusd or 0 for call in calls)
        assert spent == payer.get(bucket.href).context["sums"].amount_pusd == amount
        in_file = [row["call"] for row in exported if row["day"] == str(day_of)]
        assert sorted(in_file) == sorted(str(call.uuid) for call in calls)
        hours = payer.get("/dashboard/", {"from": day_of, "to": day_of}).context["chart"].rows
        told = [(bucket, spent) for bucket, _, spent in hours if spent]
        for (hour, spent), call in zip(told, calls, strict=True):
            local = call.authorized_at.astimezone(here)
            assert (spent, hour.short) == (call.amount_pusd, f"{local:%H}:00")
            (row,) = payer.get(hour.href).context["rows"]
            assert row.charge == call
    receipt = payer.get(f"/dashboard/calls/{call.uuid}/").text
    assert f"{call.authorized_at:%Y-%m-%d %H:%M:%S} UTC" in receipt
    assert zone in receipt


@pytest.mark.usefixtures("ledger")
def test_every_call_is_in_one_hour_of_its_day(ask: Callable[..., Filter]) -> None:
    for charge in Charge.objects.order_by("authorized_at")[:20]:
        hours = Period(charge.day, charge.day).hours(timezone.get_default_timezone())
        assert sum(at <= charge.authorized_at < at + HOUR for at in hours) == 1


@pytest.mark.usefixtures("ledger")
def test_too_many_calls_are_not_added_up_one_by_one(
    payer: Client, ask: Callable[..., Filter], monkeypatch: pytest.MonkeyPatch
) -> None:
    today = Spend(ask(range="today"))
    assert today.hourly
    monkeypatch.setattr(spend, "MOST_CALLS", today.all.calls - 1)
    assert not Spend(ask(range="today")).hourly
    assert payer.get("/dashboard/?range=today").status_code == 200
    for page in ("", "calls/"):
        refused = payer.get(f"/dashboard/{page}?range=today&tier=standard")
        assert refused.status_code == 400
        assert "choose fewer days" in refused.text  # type: ignore[attr-defined]
        hour = payer.get(f"/dashboard/{page}?range=today&tier=standard&hour={TODAY}T09:00Z")
        assert hour.status_code == 200
