"""The database rolls daily totals up, whoever changes them and however."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Sum

from chatapp.accounts.models import Team
from chatapp.ledger import checking, rolling, sums
from chatapp.ledger.models import Budget, Charge, DailyTotal
from chatapp.ledger.rollups import Grain, Rollup
from tests.ledger.conftest import exact

SUNDAY, MONDAY = date(2026, 11, 1), date(2026, 11, 2)


def total(day: date, user: Any, **fields: Any) -> DailyTotal:
    key = {"model": "claude-haiku-4-5", "purpose": "chat", "source": "demo", "status": "exact"}
    return DailyTotal.objects.create(day=day, user=user, **key | {"calls": 1} | fields)


def calls(grain: str) -> dict[date, int]:
    rows = Rollup.objects.filter(grain=grain).values_list("day")
    return dict(rows.annotate(calls=Sum("calls")).order_by("day"))


def stored() -> list[tuple[Any, ...]]:
    columns = (*rolling.KEY, *rolling.SUMS)
    return sorted(Rollup.objects.exclude(calls=0).values_list(*columns), key=repr)


def test_weeks_begin_on_monday_and_months_on_the_first(alice: Any, bob: Any) -> None:
    for user in (alice, bob):
        total(SUNDAY, user)
        total(MONDAY, user, calls=2)
    assert calls(Grain.GROUP_DAY) == {SUNDAY: 2, MONDAY: 4}
    assert calls(Grain.GROUP_WEEK) == {date(2026, 10, 26): 2, MONDAY: 4}
    assert calls(Grain.GROUP_MONTH) == calls(Grain.WHOLE_MONTH) == {SUNDAY: 6}
    assert Rollup.objects.filter(grain=Grain.GROUP_DAY).count() == 2
    assert Rollup.objects.filter(grain=Grain.PERSON_DAY).count() == 4


def test_every_change_reaches_every_grain(alice: Any, bob: Any) -> None:
    first, second = total(SUNDAY, alice, amount_pusd=7), total(SUNDAY, bob, output_tokens=3)
    DailyTotal.objects.update(amount_pusd=F("amount_pusd") + 5)
    for grain in Grain:
        found = Rollup.objects.filter(grain=grain).aggregate(Sum("amount_pusd"))
        assert found["amount_pusd__sum"] == 17
    second.delete()
    for grain in Grain:
        found = Rollup.objects.filter(grain=grain).aggregate(Sum("amount_pusd"))
        assert found["amount_pusd__sum"] == first.amount_pusd + 5
    assert "rollups_equal_totals" not in {broken.law for broken in checking.check().breaks}


def test_rolling_up_all_at_once_is_the_same(alice: Any, bob: Any) -> None:
    for user in (alice, bob):
        for n, day in enumerate((SUNDAY, MONDAY)):
            total(day, user, calls=n + 1, amount_pusd=10**17 + n, status="estimated")
            total(day, user, model="claude-opus-4-8", calls=3)
    one_by_one = stored()
    with connection.cursor() as cursor:
        rolling.fill(cursor, connection.vendor)
    assert stored() == one_by_one


def test_a_rebuild_rolls_up_too(authorize: Callable[..., Charge]) -> None:
    authorize().capture(exact())
    before = stored()
    Rollup.objects.update(calls=9)
    assert "rollups_equal_totals" in {broken.law for broken in checking.check().breaks}
    sums.rebuild()
    assert stored() == before
    authorize().capture(exact())
    assert checking.check().breaks == []


@pytest.mark.parametrize("scope", [Budget.Scope.TEAM, Budget.Scope.EVERYONE])
def test_what_many_share_is_read_from_few_rows(scope: str, alice: Any, bob: Any) -> None:
    team = Team.objects.create(name="Research")
    for user in (alice, bob):
        total(MONDAY, user, team=team, amount_pusd=5, held_pusd=1)
        total(SUNDAY, user, team=team, amount_pusd=100)
    budget = Budget.objects.create(
        scope=scope,
        team=team if scope == Budget.Scope.TEAM else None,
        period=Budget.Period.DAY,
        limit_pusd=100,
    )
    assert Charge.objects.standing(budget, source="demo", day=MONDAY).spent_pusd == 12
