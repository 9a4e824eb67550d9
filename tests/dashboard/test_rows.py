"""Ranges in pieces: every day once, whole weeks and months only, none past a change of prices."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.accounts.models import User
from chatapp.dashboard.filters import Filter
from chatapp.dashboard.periods import Period
from chatapp.dashboard.rows import SPANS, pieces, rows
from chatapp.dashboard.spend import Spend
from chatapp.ledger.models import DailyTotal, Source
from tests.dashboard.conftest import TODAY
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
        if span == "year":
            assert (piece.first.timetuple().tm_yday, (piece.last + timedelta(days=1)).month) == (
                1,
                1,
            )


@given(periods)
def test_few_days_stand_alone(period: Period) -> None:
    assert sum(piece.days for span, piece in pieces(period, "month") if span == "day") <= 24


@pytest.mark.django_db
def test_a_month_that_goes_on_is_as_good_as_over(ask: Callable[..., Filter]) -> None:
    (part,) = rows(ask(range="month"), "all")
    assert "all-month" in part.where


@pytest.mark.django_db
def test_a_year_that_goes_on_is_as_good_as_over(ask: Callable[..., Filter]) -> None:
    parts = rows(ask(**{"from": "2024-12-01"}), "rank")
    assert [part.where.split("'")[1] for part in parts] == ["rank-month", "rank-year"]
    parts = rows(ask(**{"from": "2024-12-01", "status": "estimated"}), "rank")
    assert [part.where.split("'")[1] for part in parts] == ["person-month", "person-year"]
    (month,) = rows(ask(range="month"), "rank")
    assert "rank-month" in month.where


@pytest.mark.django_db
def test_days_to_come_that_hold_calls_are_left_out(ask: Callable[..., Filter], alice: User) -> None:
    DailyTotal.objects.create(
        day=TODAY + timedelta(days=2),
        user=alice,
        source=Source.ANTHROPIC,
        model="claude-haiku-4-5",
        purpose="chat",
        status="exact",
        calls=1,
    )
    asked = ask(range="month")
    assert asked.foreseen
    assert not any("all-month" in part.where for part in rows(asked, "all"))
    assert Spend(asked).all.calls == 0


@pytest.mark.django_db
def test_nothing_goes_on_past_a_change_of_prices(ask: Callable[..., Filter]) -> None:
    asked = ask(**{"from": "2026-06-01", "to": "2026-08-31"})
    whole = rows(asked, "all")
    cut = rows(asked, "all", cuts=[date(2026, 7, 15)])
    assert len(whole) == 1
    assert ["all-month" in part.where for part in cut].count(True) == 2
    assert any("2026-07-15" in part.values for part in cut)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("narrow", "about", "grain"),
    [
        ({}, "all", "all"),
        ({"team": "none"}, "all", "group"),
        ({"model": "claude-haiku-4-5"}, "all", "all"),
        ({}, "team", "team"),
        ({"status": "exact"}, "team", "group"),
        ({}, "rank", "rank"),
        ({"purpose": "title"}, "rank", "person"),
        ({"model": "claude-haiku-4-5"}, "rank", "used"),
        ({"model": "claude-haiku-4-5", "status": "exact"}, "rank", "whole"),
        ({}, "used", "used"),
        ({"purpose": "title"}, "used", "whole"),
    ],
)
def test_the_fewest_rows_that_tell_enough(
    ask: Callable[..., Filter], narrow: dict[str, str], about: str, grain: str
) -> None:
    (part,) = rows(ask(range="month", **narrow), about)
    assert f"'{grain}-month'" in part.where
