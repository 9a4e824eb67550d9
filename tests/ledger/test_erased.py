"""Who is erased leaves money behind, and nothing in the ledger that says who they were."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.utils import timezone

from chatapp.ledger import checking
from chatapp.ledger.models import Alert, Budget, Charge, DailyTotal
from tests.ledger.conftest import UNKNOWN, estimated, exact


def everything() -> str:
    """All that the ledger, the price book and the dashboard store, as text."""
    models = [
        model
        for room in ("ledger", "pricing", "dashboard")
        for model in apps.get_app_config(room).get_models()
    ]
    return str([list(model._default_manager.values()) for model in models])


@pytest.mark.parametrize("name", ["Alice Liddell", "Zoë"])
def test_a_person_is_erased_and_every_sum_stays(
    authorize: Callable[..., Charge], admin: Any, alice: Any, settings: Any, name: str
) -> None:
    settings.BUDGET_WEBHOOK_URL = "https://hooks.example/"
    alice.name = name
    alice.save()
    Budget.objects.create(scope="person", person=alice, period="day", limit_pusd=10**15)
    for metered in (exact(), estimated(), UNKNOWN):
        authorize(conversation=uuid4(), project=uuid4()).capture(metered)
    told: Any = {"event": "budget.mark", "facts": {"person": name}}
    Alert.objects.write(words=lambda: ("80 %", "Look."), people=[alice], **told)
    Alert.objects.write(words=lambda: (f"{name} asks for more", "Look."), people=[admin], **told)
    Alert.objects.write(words=lambda: ("Alices", ""), people=[admin], event="", facts={})
    assert Alert.objects.count() == 6
    money = list(DailyTotal.objects.order_by("pk").values())

    alice.erase()

    stored = everything().casefold()
    for word in (name, "alice@example.com", "'alice'"):
        assert word.casefold() not in stored
    assert {alert.subject for alert in Alert.objects.filter(channel="mail")} == {"Alices"}
    assert list(DailyTotal.objects.order_by("pk").values()) == money
    assert checking.check().breaks == []
    assert Charge.objects.filter(user=alice, day=timezone.localdate()).count() == 3
    receipt = Charge.objects.filter(status="exact").get().receipt()
    assert sum(entry.amount_pusd for entry in receipt.entries) == receipt.charge.amount_pusd
