"""The budgets' pages: who may set them, who is near, asking for more and granting it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from chatapp.accounts.models import Team, User
from chatapp.dashboard.progress import all_bars, progress
from chatapp.ledger.models import Budget, BudgetMark, BudgetRequest, Charge, DailyTotal
from chatapp.pricing.money import PUSD
from tests.conftest import person
from tests.dashboard.conftest import signed_in


@pytest.fixture
def manager(admin: Any) -> Client:
    return signed_in(admin)


@pytest.fixture
def spent(alice: Any) -> Callable[[int], None]:
    def spend(pusd: int) -> None:
        from django.utils import timezone

        from chatapp.ledger.models import business_day

        DailyTotal.objects.create(
            day=business_day(timezone.now()),
            user=alice,
            team=alice.team,
            model="claude-haiku-4-5",
            purpose="chat",
            source="anthropic",
            status="exact",
            calls=1,
            amount_pusd=pusd,
        )

    return spend


def budget(limit: int, **fields: Any) -> Budget:
    return Budget.objects.create(**{"scope": "everyone", "limit_pusd": limit * PUSD, **fields})


def test_only_those_who_set_budgets_see_the_page(client: Client, payer: Client) -> None:
    pk = budget(10).pk
    asked = BudgetRequest.objects.ask(person("dora"), Budget.objects.get())
    for path in ("", f"{pk}/", f"{pk}/remove/", f"requests/{asked.pk}/"):
        page = f"/dashboard/budgets/{path}"
        assert client.get(page).status_code in (302, 405)
        assert client.post(page).status_code == 302
        assert payer.post(page).status_code == 404
    assert (Budget.objects.get().limit_pusd, asked.state) == (10 * PUSD, "asked")


def test_setting_changing_and_removing(manager: Client, alice: Any) -> None:
    fields = {"scope": "person", "person": alice.pk, "period": "week", "limit": "2.5", "hard": "on"}
    assert manager.post("/dashboard/budgets/", fields).status_code == 302
    made = Budget.objects.get()
    assert (made.limit_pusd, made.person, made.created_by.username) == (
        5 * PUSD // 2,
        alice,
        "admin",
    )
    wrong = manager.post("/dashboard/budgets/", fields | {"scope": "everyone"})
    assert (wrong.status_code, Budget.objects.count()) == (400, 1)
    assert "only with it" in wrong.text
    page = f"/dashboard/budgets/{made.pk}/"
    assert manager.post(page, fields | {"limit": "4"}).status_code == 302
    made.refresh_from_db()
    assert made.limit_pusd == 4 * PUSD
    assert manager.get(page).status_code == 200
    manager.post(f"{page}remove/")
    assert not Budget.objects.exists()


def test_who_is_near_comes_first(manager: Client, spent: Any, alice: Any) -> None:
    spent(9 * PUSD)
    budget(100)
    budget(10, scope="person", person=alice)
    page = manager.get("/dashboard/budgets/")
    assert [bar.percent for bar in page.context["bars"]] == [90, 9]
    assert "1 of 2 are at 80 % or more" in " ".join(page.text.split())


def test_the_spend_page_shows_the_fullest(manager: Client, spent: Any, alice: Any) -> None:
    for number in range(14):
        team = Team.objects.create(name=f"Team {number:02}")
        budget(10, scope="team", team=team)
    alice.team = team
    alice.save()
    spent(10 * PUSD)
    shown = manager.get("/dashboard/").context["budgets"]
    assert (shown[0].whose, shown[0].percent, len(shown)) == ("Team 13", 100, 12)


def test_at_the_limit_a_click_asks_and_a_click_grants(
    manager: Client, spent: Any, alice: Any, mailoutbox: Any
) -> None:
    found = budget(10, scope="person", person=alice)
    client = signed_in(alice)
    ask = f"/usage/budgets/{found.pk}/ask/"
    assert "It is used up" not in client.get("/usage/budgets/").text
    spent(10 * PUSD)
    page = client.get("/usage/budgets/").text
    assert "It is used up, so messages are refused" in page
    assert "Your budget of $10.00 for this month is used up" in page
    assert client.post(ask).status_code == 302
    assert client.post(ask).status_code == 302
    assert "You asked for more on" in client.get("/usage/budgets/").text
    (asked,) = BudgetRequest.objects.all()
    assert "Grant" in manager.get("/dashboard/budgets/").text
    assert (
        manager.post(f"/dashboard/budgets/requests/{asked.pk}/", {"grant": ""}).status_code == 302
    )
    assert (
        manager.post(f"/dashboard/budgets/requests/{asked.pk}/", {"grant": ""}).status_code == 404
    )
    found.refresh_from_db()
    assert found.limit_pusd == 15 * PUSD
    assert "More was granted" in client.get("/usage/budgets/").text
    assert Charge.objects.standing(found, source="anthropic").left_pusd == 5 * PUSD


def test_declining_and_granting_by_hand(manager: Client, spent: Any, alice: Any, bob: Any) -> None:
    spent(10 * PUSD)
    found = budget(10)
    for one in (alice, bob):
        signed_in(one).post(f"/usage/budgets/{found.pk}/ask/")
    first = BudgetRequest.objects.earliest("pk")
    manager.post(f"/dashboard/budgets/requests/{first.pk}/", {"decline": ""})
    fields = {"scope": "everyone", "period": "month", "limit": "12", "hard": "on"}
    manager.post(f"/dashboard/budgets/{found.pk}/", fields)
    states = BudgetRequest.objects.order_by("pk").values_list("state", "after_pusd")
    assert list(states) == [("declined", None), ("granted", 12 * PUSD)]
    assert "granted by Admin" in " ".join(
        manager.get(f"/dashboard/budgets/{found.pk}/").text.split()
    )


def test_nobody_asks_for_what_does_not_apply_to_them(spent: Any, alice: Any, bob: Any) -> None:
    spent(10 * PUSD)
    found = budget(10, scope="person", person=alice)
    soft = budget(10, hard=False)
    assert signed_in(alice).post(f"/usage/budgets/{soft.pk}/ask/").status_code == 404
    soft.delete()
    assert signed_in(bob).post(f"/usage/budgets/{found.pk}/ask/").status_code == 404
    assert "No budget applies to you" in signed_in(bob).get("/usage/budgets/").text


def test_marks_are_shown(manager: Client, alice: Any) -> None:
    found = budget(10, scope="person", person=alice)
    BudgetMark.objects.create(
        budget=found, source="anthropic", since="2026-11-01", mark=80, spent_pusd=8, limit_pusd=10
    )
    for page in ("/dashboard/budgets/", f"/dashboard/budgets/{found.pk}/"):
        assert "80 %" in manager.get(page).text


def test_the_fullest_of_many_budgets_come_first(
    manager: Client, alice: Any, spent: Callable[[int], None]
) -> None:
    spent(9 * PUSD)
    others = User.objects.bulk_create(User(username=f"quiet{n}") for n in range(120))
    Budget.objects.bulk_create(
        Budget(scope="person", person=other, limit_pusd=PUSD) for other in others
    )
    for period in Budget.Period:
        budget(10, scope="person", person=alice, period=period)
    first = manager.get("/dashboard/budgets/").context
    assert [bar.whose for bar in first["bars"]][:3] == [alice.label] * 3
    assert (first["near"], first["count"], len(first["bars"])) == (3, 123, 100)
    assert len(manager.get("/dashboard/budgets/?page=2").context["bars"]) == 23


def test_all_budgets_stand_as_each_alone(
    alice: Any, spent: Callable[[int], None], prices: None
) -> None:
    team = Team.objects.create(name="Research")
    alice.team = team
    alice.save()
    spent(3 * PUSD)
    Charge.objects.authorize(
        user=alice,
        source="anthropic",
        purpose="chat",
        model="claude-haiku-4-5",
        max_tokens=1000,
        prompt_tokens=100,
        reference=uuid4(),
    )
    for period in Budget.Period:
        budget(10, period=period)
        budget(10, period=period, scope="team", team=team)
        budget(10, period=period, scope="person", person=alice)
    together = all_bars(Budget.objects.all(), "anthropic")
    assert {bar.held_pusd > 0 for bar in together} == {True}
    for bar in together:
        assert bar == progress(bar.budget, "anthropic")
