"""Budgets: what may still be authorized, also when many ask at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Sum

from chatapp.accounts.models import Team, User
from chatapp.ledger.models import Budget, BudgetExceeded, Charge, DailyTotal
from chatapp.pricing.money import PUSD
from chatapp.web.database import persist
from tests.conftest import person
from tests.ledger.conftest import HAIKU, OPUS, UNKNOWN, exact

Authorize = Callable[..., Charge]
Scope, Period = Budget.Scope, Budget.Period
# What a call of the `authorize` fixture holds at most.
HELD = (100 * 1_250_000 + 1000 * 5_000_000) * 11 // 10


def budget(limit: int, **fields: Any) -> Budget:
    return Budget.objects.create(**{"scope": Scope.EVERYONE, "limit_pusd": limit, **fields})


def test_a_call_that_fits_exactly_goes_and_one_more_does_not(authorize: Authorize) -> None:
    budget(2 * HELD)
    assert authorize().held_pusd == HELD
    authorize()
    with pytest.raises(BudgetExceeded):
        authorize()
    assert Charge.objects.count() == 2


def test_capturing_and_voiding_give_back_what_was_held_too_much(authorize: Authorize) -> None:
    everyone = budget(2 * HELD)
    captured, void = authorize(), authorize()
    captured.capture(exact())
    void.void(error="refused")
    standing = Charge.objects.standing(everyone, source="anthropic")
    assert (standing.spent_pusd, standing.held_pusd) == (406 * 10**6, 0)
    assert authorize()


@pytest.mark.parametrize(
    ("limit", "spent", "used"), [(406 * 10**6, 100, 100), (812 * 10**6, 50, 50), (0, 0, 100)]
)
def test_what_is_spent_for_good_is_told_in_percent(
    authorize: Authorize, limit: int, spent: int, used: int
) -> None:
    authorize().capture(exact())
    standing = Charge.objects.standing(budget(limit), source="anthropic")
    assert (standing.spent_percent, standing.percent) == (spent, used)
    assert "is used up. It starts anew on" in standing.exhausted()


def test_a_budget_that_was_removed_meanwhile_has_no_money_in_it(authorize: Authorize) -> None:
    authorize().capture(exact())
    removed = budget(HELD)
    standing = Charge.objects.standing(removed, source="anthropic")
    assert standing.spent_pusd == 406 * 10**6
    Budget.objects.filter(pk=removed.pk).delete()
    standing = Charge.objects.standing(removed, source="anthropic")
    assert (standing.spent_pusd, standing.held_pusd) == (0, 0)


def test_an_unknown_call_counts_at_its_worst_case(authorize: Authorize) -> None:
    everyone = budget(2 * HELD)
    authorize().capture(UNKNOWN)
    standing = Charge.objects.standing(everyone, source="anthropic")
    assert (standing.spent_pusd, standing.held_pusd) == (HELD, 0)
    late = Charge.objects.get()
    late.adjust(exact())
    assert Charge.objects.standing(everyone, source="anthropic").spent_pusd == 406 * 10**6


def test_the_refusal_says_which_budget_and_what_still_fits(
    authorize: Authorize, alice: Any
) -> None:
    budget(PUSD // 1000, scope=Scope.PERSON, person=alice, period=Period.WEEK)
    with pytest.raises(BudgetExceeded) as refusal:
        authorize(max_tokens=1000)
    for words in ("Your budget of $0.001 for this week", "Nothing was sent", "can raise it"):
        assert words in refusal.value.message
    most = refusal.value.max_tokens_affordable
    assert most
    assert authorize(max_tokens=most)
    charge = Charge.objects.get()
    assert charge.held_pusd <= PUSD // 1000 < charge.held_pusd + 5_500_000


def test_nothing_fits_a_budget_that_is_used_up(authorize: Authorize) -> None:
    budget(0)
    with pytest.raises(BudgetExceeded) as refusal:
        authorize()
    assert refusal.value.max_tokens_affordable is None


def test_budgets_apply_to_person_team_and_everyone(
    authorize: Authorize, alice: Any, bob: Any
) -> None:
    team = Team.objects.create(name="Research")
    User.objects.filter(pk=alice.pk).update(team=team)
    alice.refresh_from_db()
    budget(0, scope=Scope.TEAM, team=team)
    with pytest.raises(BudgetExceeded, match="Your team's budget"):
        authorize(user=alice)
    assert authorize(user=bob)
    budget(HELD, scope=Scope.PERSON, person=bob)
    with pytest.raises(BudgetExceeded, match="Your budget"):
        authorize(user=bob)


def test_a_soft_budget_only_marks(authorize: Authorize, alice: Any) -> None:
    budget(HELD, hard=False)
    authorize()
    (standing,) = Charge.objects.standings(alice, source="anthropic")
    assert (standing.percent, standing.mark, standing.left_pusd) == (100, 100, 0)
    assert authorize()


@pytest.mark.parametrize(("spent", "mark"), [(0, None), (49, None), (50, 50), (80, 80), (200, 100)])
def test_marks(spent: int, mark: int | None) -> None:
    from chatapp.ledger.models import Standing

    assert Standing(Budget(limit_pusd=100), date(2026, 1, 1), spent, 0).mark == mark


def test_a_demonstration_never_spends_real_money(authorize: Authorize) -> None:
    budget(HELD)
    authorize(source="demo", model=OPUS, max_tokens=1).capture(exact(OPUS, output_tokens=1))
    assert authorize()
    with pytest.raises(BudgetExceeded):
        authorize(source="demo")


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        (Period.DAY, date(2026, 2, 25), date(2026, 2, 25)),
        (Period.WEEK, date(2026, 2, 23), date(2026, 3, 1)),
        (Period.MONTH, date(2026, 2, 1), date(2026, 2, 28)),
    ],
)
def test_periods(period: str, first: date, last: date) -> None:
    assert Budget(period=period).period_of(date(2026, 2, 25)) == (first, last)


def test_another_period_has_its_own_money(authorize: Authorize) -> None:
    today = budget(HELD, period=Period.DAY)
    charge = authorize()
    tomorrow = charge.day + timedelta(days=1)
    standing = Charge.objects.standing(today, source="anthropic", day=tomorrow)
    assert (standing.left_pusd, standing.held_pusd) == (HELD, 0)
    assert standing.resets_on == tomorrow + timedelta(days=1)


def test_a_budget_names_exactly_its_scope(alice: Any) -> None:
    Budget(scope=Scope.PERSON, person=alice, limit_pusd=1).full_clean()
    for wrong in (
        Budget(scope=Scope.PERSON, limit_pusd=1),
        Budget(scope=Scope.EVERYONE, person=alice, limit_pusd=1),
        Budget(scope=Scope.EVERYONE, limit_pusd=-1),
    ):
        with pytest.raises(ValidationError):
            wrong.full_clean()


def send(user: User, *, spend_all: bool) -> bool:
    """One send as the engine makes it: authorized in one transaction, captured in another."""
    call = {"model": HAIKU, "max_tokens": 1000, "prompt_tokens": 100, "reference": uuid4()}
    most = {"cache_creation_input_tokens": 100, "input_tokens": 0, "output_tokens": 1000}
    used = {**most, "inference_geo": "us"} if spend_all else {}
    authorize = partial(
        Charge.objects.authorize, user=user, source="anthropic", purpose="chat", **call
    )
    try:
        charge = persist(authorize)
        assert persist(lambda: charge.capture(exact(**used)))
    except BudgetExceeded:
        return False
    finally:
        connection.close()
    return True


def send_at_once(people: list[User], *, each: int, spend_all: bool) -> dict[User, int]:
    """How many of each person's sends were let through."""
    askers = people * each
    with ThreadPoolExecutor(len(people)) as threads:
        passed = list(threads.map(lambda user: send(user, spend_all=spend_all), askers))
    return {
        user: sum(ok for asker, ok in zip(askers, passed, strict=True) if asker == user)
        for user in people
    }


@pytest.fixture
def people(transactional_db: None, prices: Any) -> list[User]:
    team = Team.objects.create(name="Research")
    return [person(f"person{n}", team=team if n < 10 else None) for n in range(20)]


def spent(**of: Any) -> int:
    return DailyTotal.objects.filter(**of).aggregate(sum=Sum("amount_pusd"))["sum"] or 0


def test_200_sends_at_once_fill_the_limits_and_never_pass_them(people: list[User]) -> None:
    team = people[0].team
    budget(100 * HELD, period=Period.DAY)
    budget(45 * HELD, scope=Scope.TEAM, team=team)
    budget(3 * HELD, scope=Scope.PERSON, person=people[0], period=Period.WEEK)
    passed = send_at_once(people, each=10, spend_all=True)
    # Exactly what fits goes through: the one person's, the team's and everyone's last call too.
    assert passed[people[0]] <= 3
    assert sum(passed[user] for user in people[:10]) <= 45
    assert sum(passed.values()) == 100
    assert spent() == 100 * HELD
    assert spent(team=team) <= 45 * HELD
    assert not Charge.objects.open().exists()


def test_nobody_is_refused_while_the_worst_cases_fit(people: list[User]) -> None:
    everyone = budget(200 * HELD)
    for user in people:
        budget(10 * HELD, scope=Scope.PERSON, person=user)
    assert set(send_at_once(people, each=10, spend_all=False).values()) == {10}
    standing = Charge.objects.standing(everyone, source="anthropic")
    assert (standing.spent_pusd, standing.held_pusd) == (200 * 406 * 10**6, 0)
