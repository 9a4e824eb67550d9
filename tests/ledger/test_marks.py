"""Marks of budgets: noted once a period, told once, whichever process looks and however often."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone

from chatapp.ledger.models import Alert, Budget, BudgetMark, Charge
from tests.ledger.conftest import UNKNOWN, exact

Authorize = Callable[..., Charge]
Scope, Period = Budget.Scope, Budget.Period
PRICE = 406 * 10**6  # pico-USD of exact()


@pytest.fixture(autouse=True)
def real_money(settings: Any) -> None:
    settings.DEMO = False


@pytest.fixture
def manager(bob: Any) -> Any:
    bob.user_permissions.add(Permission.objects.get(codename="manage_budgets"))
    return bob


def budget(limit: int, **fields: Any) -> Budget:
    return Budget.objects.create(
        **{"scope": Scope.EVERYONE, "limit_pusd": limit, "hard": False, **fields}
    )


def look() -> None:
    BudgetMark.objects.look(timezone.now() - timedelta(hours=1))


def marks() -> list[int]:
    return sorted(BudgetMark.objects.values_list("mark", flat=True))


def spend(authorize: Authorize, calls: int) -> None:
    for _ in range(calls):
        authorize().capture(exact())


def test_each_mark_is_told_once(authorize: Authorize, manager: Any) -> None:
    budget(10 * PRICE)
    for calls, noted, told in [(4, [], 0), (1, [50], 1), (2, [50], 1), (3, [50, 80, 100], 2)]:
        spend(authorize, calls)
        look()
        look()
        assert (marks(), Alert.objects.count()) == (noted, told)
    mail = Alert.objects.first()
    assert mail
    assert (mail.channel, mail.address) == ("mail", manager.email)
    assert "is used up" in mail.subject
    assert "$0.00406 spent from" in mail.text


def test_what_is_only_held_reaches_no_mark(authorize: Authorize, manager: Any) -> None:
    budget(10 * PRICE)
    authorize()
    look()
    assert not marks()
    Charge.objects.get().capture(UNKNOWN)
    look()
    assert marks() == [50, 80, 100]


def test_another_period_has_its_own_marks(authorize: Authorize, manager: Any) -> None:
    daily = budget(PRICE, period=Period.DAY)
    spend(authorize, 1)
    look()
    day = Charge.objects.get().day + timedelta(days=1)
    standing = Charge.objects.standing(daily, source="anthropic", day=day)
    assert BudgetMark.objects.note(standing, source="anthropic") == []
    later = type(standing)(daily, day, PRICE, 0)
    assert BudgetMark.objects.note(later, source="anthropic") == [50, 80, 100]
    assert BudgetMark.objects.count() == 6


def test_the_person_hears_of_their_own_budget_and_nobody_else(
    authorize: Authorize, alice: Any, manager: Any
) -> None:
    budget(PRICE, scope=Scope.PERSON, person=alice)
    budget(PRICE, scope=Scope.PERSON, person=manager)
    spend(authorize, 1)
    look()
    assert [alert.address for alert in Alert.objects.all()] == [alice.email]
    alice.is_active = False
    alice.save()
    BudgetMark.objects.all().delete()
    look()
    assert Alert.objects.count() == 1


def test_budgets_nobody_calls_under_are_left_alone(
    authorize: Authorize, alice: Any, manager: Any
) -> None:
    budget(0, scope=Scope.PERSON, person=alice)
    demo = budget(1)
    authorize(source="demo").capture(exact())
    look()
    assert not marks()
    demo.delete()


@pytest.mark.django_db(transaction=True)
def test_of_many_processes_one_tells(authorize: Authorize, manager: Any) -> None:
    budget(PRICE)
    spend(authorize, 1)

    def one(_: int) -> None:
        try:
            look()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(one, range(12)))
    assert marks() == [50, 80, 100]
    assert Alert.objects.count() == 1
