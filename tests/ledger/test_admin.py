"""Budgets are set in dollars; charges are looked at, never edited."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from chatapp.ledger.models import Budget, Charge
from chatapp.ledger.notices import waiting_calls
from tests.ledger.conftest import UNKNOWN, exact

BUDGETS, ADD = "/admin/ledger/budget/", "/admin/ledger/budget/add/"
FORM = {"scope": "everyone", "person": "", "team": "", "period": "week", "hard": "on"}


@pytest.fixture
def manager(client: Client, bob: Any) -> Client:
    bob.is_staff = True
    bob.save()
    bob.user_permissions.add(
        *Permission.objects.filter(codename__in=["manage_budgets", "view_spend"])
    )
    client.force_login(bob)
    return client


def test_a_budget_is_set_in_dollars(manager: Client, bob: Any) -> None:
    assert manager.get(ADD).status_code == 200
    assert manager.post(ADD, {**FORM, "limit": "12.50"}).status_code == 302
    budget = Budget.objects.get()
    assert (budget.limit_pusd, budget.created_by) == (12_500_000_000_000, bob)
    page = manager.get(BUDGETS).content.decode()
    assert "$12.50 a week for everyone" in page
    form = manager.get(f"{BUDGETS}{budget.pk}/change/").content.decode()
    assert 'value="12.5"' in form
    manager.post(f"{BUDGETS}{budget.pk}/change/", {**FORM, "limit": "0.25"})
    budget.refresh_from_db()
    assert budget.limit_pusd == 250_000_000_000


@pytest.mark.parametrize("limit", ["-1", "NaN", "Infinity", "1e30", "0.1234567890123", "", "x"])
def test_a_limit_that_is_no_amount_is_a_form_error(manager: Client, limit: str) -> None:
    assert manager.post(ADD, {**FORM, "limit": limit}).status_code == 200
    assert not Budget.objects.exists()


def test_a_scope_without_its_person_is_a_form_error(manager: Client) -> None:
    answer = manager.post(ADD, {**FORM, "scope": "person", "limit": "1"})
    assert "Goes with the scope" in answer.content.decode()
    assert not Budget.objects.exists()


def test_charges_are_read_only(
    manager: Client, authorize: Callable[..., Charge], admin: Any
) -> None:
    charge = authorize()
    charge.capture(exact())
    address = f"/admin/ledger/charge/{charge.pk}"
    for client in (manager, Client()):
        client.force_login(admin) if client is not manager else None
        assert "$0.000406" in client.get("/admin/ledger/charge/").content.decode()
        assert client.get(f"{address}/change/").status_code == 200
        assert client.post(f"{address}/change/", {"amount_pusd": "0"}).status_code == 403
        assert client.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
        assert client.get("/admin/ledger/charge/add/").status_code == 403
    charge.refresh_from_db()
    assert charge.amount_pusd == 406 * 10**6


def test_people_without_the_permission_see_neither(client: Client, alice: Any) -> None:
    alice.is_staff = True
    alice.save()
    client.force_login(alice)
    for address in (BUDGETS, ADD, "/admin/ledger/charge/"):
        assert client.get(address).status_code == 403


def test_calls_without_an_amount_are_told_to_those_who_see_spend(
    rf: Any, authorize: Callable[..., Charge], alice: Any, admin: Any
) -> None:
    authorize().capture(exact("claude-unheard-of"))
    authorize().capture(UNKNOWN)
    authorize(source="demo").capture(UNKNOWN)
    request = rf.get("/")
    request.user = alice
    assert not list(waiting_calls(request))
    request.user = admin
    said = {notice.text: notice.url for notice in waiting_calls(request)}
    assert set(said) == {
        "1 call has no price, and is in no sum until the price book has one.",
        "What 1 call cost is not known, and is in no sum.",
    }
    assert all(url.startswith(reverse("dashboard:calls")) for url in said.values())
