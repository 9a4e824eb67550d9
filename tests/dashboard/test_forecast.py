"""The month's end as a range."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chatapp.dashboard.forecast import forecast, history
from chatapp.dashboard.periods import Period

TODAY = date(2026, 11, 20)
MONTH = Period(date(2026, 11, 1), date(2026, 11, 30))


def test_a_steady_spend_goes_on() -> None:
    spent = dict.fromkeys(history(TODAY), 100) | {TODAY: 40}
    found = forecast(spent, MONTH, TODAY)
    assert found is not None
    assert found.low_pusd == found.middle_pusd == found.high_pusd == 3000


def test_weekends_are_learned() -> None:
    spent = {day: 0 if day.weekday() >= 5 else 100 for day in history(TODAY)}
    found = forecast(spent, MONTH, TODAY)
    assert found is not None
    assert found.middle_pusd == 100 * sum(day.weekday() < 5 for day in MONTH)


def test_nothing_is_said_before_two_weeks_are_known() -> None:
    assert forecast({}, MONTH, TODAY) is None
    assert forecast({TODAY - timedelta(days=13): 5}, MONTH, TODAY) is None
    assert forecast({TODAY - timedelta(days=14): 5}, MONTH, TODAY) is not None


@given(st.lists(st.integers(0, 10**16), min_size=57, max_size=57))
def test_a_forecast_is_never_below_what_is_spent(amounts: list[int]) -> None:
    spent = dict(zip([*history(TODAY), TODAY], amounts, strict=True))
    found = forecast(spent, MONTH, TODAY)
    so_far = sum(amount for day, amount in spent.items() if day >= MONTH.first)
    if found:
        assert so_far <= found.low_pusd <= found.middle_pusd <= found.high_pusd
