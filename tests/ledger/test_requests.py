"""Asking for more of a budget, and the answer."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from chatapp.ledger.models import Alert, Budget, BudgetRequest
from chatapp.ledger.requests import proposed, raise_limit
from chatapp.pricing.money import PUSD


@pytest.fixture
def budget(alice: Any, bob: Any) -> Budget:
    bob.user_permissions.add(Permission.objects.get(codename="manage_budgets"))
    return Budget.objects.create(scope="everyone", limit_pusd=10 * PUSD)


def test_asking_twice_is_one_request_and_one_mail(budget: Budget, alice: Any, bob: Any) -> None:
    first = BudgetRequest.objects.ask(alice, budget)
    assert BudgetRequest.objects.ask(alice, budget) == first
    (mail,) = Alert.objects.all()
    assert mail.address == bob.email
    assert "Alice asks for more" in mail.subject


def test_granting_raises_the_limit_and_answers_all_who_asked(
    budget: Budget, alice: Any, bob: Any, charlie: Any
) -> None:
    for person in (alice, charlie):
        BudgetRequest.objects.ask(person, budget)
    assert raise_limit(budget.pk, to_pusd=proposed(budget), by=bob) == 2
    budget.refresh_from_db()
    assert budget.limit_pusd == 15 * PUSD
    for request in BudgetRequest.objects.all():
        assert (request.state, request.decided_by) == ("granted", bob)
        assert (request.decided_at, request.after_pusd) >= (request.asked_at, 15 * PUSD)
    assert {mail.address for mail in Alert.objects.filter(subject__contains="granted")} == {
        alice.email,
        charlie.email,
    }
    assert BudgetRequest.objects.ask(alice, budget).state == "asked"


def test_declining_leaves_the_limit(budget: Budget, alice: Any, bob: Any) -> None:
    request = BudgetRequest.objects.ask(alice, budget)
    assert BudgetRequest.objects.filter(pk=request.pk).settle(by=bob, after_pusd=None) == 1
    assert BudgetRequest.objects.filter(pk=request.pk).settle(by=bob, after_pusd=1) == 0
    request.refresh_from_db()
    budget.refresh_from_db()
    assert (request.state, budget.limit_pusd) == ("declined", 10 * PUSD)
    assert "It stays $10.00 a month" in Alert.objects.get(address=alice.email).text
