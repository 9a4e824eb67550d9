"""Ranges of business days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.dashboard.periods import LONGEST, PRESETS, Period

days = st.dates(date(2016, 1, 1), date(2030, 12, 31))
periods = st.builds(
    lambda day, more: Period(day, day + timedelta(more)), days, st.integers(0, 1500)
)


@given(days)
def test_presets_end_today_or_with_last_month(today: date) -> None:
    for name in PRESETS:
        period = Period.preset(name, today)
        assert period.first <= period.last <= today
        assert period.days <= 366


@given(periods)
def test_buckets_hold_every_day_once(period: Period) -> None:
    assert [day for bucket in period.buckets() for day in bucket] == list(period)


@given(periods)
def test_the_period_before_ends_the_day_before(period: Period) -> None:
    before = period.before()
    assert before.last < period.first
    assert before.days <= max(period.days, 31)


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (("2026-11-01", "2026-11-22"), ("2026-10-01", "2026-10-22")),
        (("2026-02-01", "2026-02-28"), ("2026-01-01", "2026-01-31")),
        (("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28")),
        (("2026-03-01", "2026-03-30"), ("2026-02-01", "2026-02-28")),
        (("2026-11-16", "2026-11-22"), ("2026-11-09", "2026-11-15")),
        (("2026-11-22", "2026-11-22"), ("2026-11-21", "2026-11-21")),
    ],
)
def test_change_is_measured_against(period: tuple[str, str], before: tuple[str, str]) -> None:
    asked = Period(*map(date.fromisoformat, period))
    assert asked.before() == Period(*map(date.fromisoformat, before))


def test_a_range_is_at_most_five_years() -> None:
    assert Period(date(2015, 1, 1), date(2026, 1, 1)).clamped().days == LONGEST
