"""Ranges in pieces: every day once, whole weeks and months only, none past a change of prices."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.dashboard.filters import Filter
from chatapp.dashboard.periods import Period
from chatapp.dashboard.rows import SPANS, pieces, rows
from tests.dashboard.test_periods import periods


@given(periods, st.sampled_from(SPANS))
def test_pieces_hold_every_day_once(period: Period, widest: str) -> None:
    found = list(pieces(period, widest))
    assert [day for _, piece in found for day in piece] == list(period)
    for span, piece in found:
        assert SPANS.index(span) <= SPANS.index(widest)
        if span == "week":
            assert (piece.first.weekday(), piece.last.weekday()) == (0, 6)
        if span == "month":
            assert piece.first.day == (piece.last + timedelta(days=1)).day == 1


@given(periods)
def test_few_days_stand_alone(period: Period) -> None:
    assert sum(piece.days for span, piece in pieces(period, "month") if span == "day") <= 24


@pytest.mark.django_db
def test_a_month_that_goes_on_is_as_good_as_over(ask: Callable[..., Filter]) -> None:
    spans = [str(part.query) for part in rows(ask(range="month"), "group")]
    assert len(spans) == 1
    assert "group-month" in spans[0]


@pytest.mark.django_db
def test_nothing_goes_on_past_a_change_of_prices(ask: Callable[..., Filter]) -> None:
    asked = ask(**{"from": "2026-06-01", "to": "2026-08-31"})
    whole = rows(asked, "group")
    cut = rows(asked, "group", cuts=[date(2026, 7, 15)])
    assert len(whole) == 1
    assert ["group-month" in str(part.query) for part in cut].count(True) == 2
    assert any("2026-07-15" in str(part.query) for part in cut)
