"""Budgets and receipts to a reader of German; what is stored does not depend on the reader."""

from typing import Any

import pytest
from django.utils import translation

from chatapp.ledger.models import (
    Alert,
    Budget,
    BudgetExceeded,
    BudgetMark,
    BudgetRequest,
    Charge,
    Standing,
    business_day,
)
from chatapp.pricing.money import PUSD

NBSP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def speaker(alice: Any) -> Any:
    alice.language, alice.email = "de", "alice@example.com"
    alice.save()
    return alice


def test_each_mail_is_in_its_readers_language(speaker: Any, admin: Any) -> None:
    admin.language, admin.email = "en", "admin@example.com"
    admin.save()
    budget = Budget.objects.create(scope="person", person=speaker, limit_pusd=20 * PUSD)
    with translation.override("de"):
        BudgetRequest.objects.ask(speaker, budget)
    with translation.override("en"):
        BudgetRequest.objects.settle(by=admin, after_pusd=None)
    to_admin, to_speaker = Alert.objects.order_by("id")
    assert to_admin.subject.endswith("asks for more budget")
    assert to_admin.text.startswith("Hello ")
    assert "$20.00 a month" in to_admin.text
    assert to_speaker.subject == "chatapp: mehr Budget wurde abgelehnt"
    assert to_speaker.text.startswith("Hallo ")
    assert f"Es bleibt bei 20,00{NBSP}$ im Monat." in to_speaker.text


def test_a_mark_is_told_in_german(speaker: Any) -> None:
    budget = Budget.objects.create(scope="person", person=speaker, limit_pusd=20 * PUSD)
    standing = Standing(budget, business_day(speaker.date_joined), 16 * PUSD, 0)
    BudgetMark.objects.note(standing, source="anthropic")
    (alert,) = Alert.objects.all()
    assert (
        alert.subject
        == f"chatapp: Budget von 20,00{NBSP}$ im Monat für {speaker} hat 80 % erreicht"
    )
    assert f"hat 80 % erreicht: 16,00{NBSP}$ ausgegeben vom " in alert.text


def test_a_refusal_is_worded_for_the_reader_and_named_in_english(
    prices: Any, speaker: Any, authorize: Any
) -> None:
    Budget.objects.create(scope="everyone", limit_pusd=0)
    with translation.override("de"), pytest.raises(BudgetExceeded) as refused:
        authorize()
    assert refused.value.message.startswith(
        f"Das gemeinsame Budget von 0,00{NBSP}$ für diesen Monat hat noch 0,00{NBSP}$ übrig"
    )
    assert refused.value.whose == "the shared budget"


def test_a_receipt_is_translated_when_it_is_shown(authorize: Any) -> None:
    charge: Charge = authorize()
    with translation.override("de"):
        charge.void(error="overloaded_error")
        assert charge.receipt().total == "nicht berechnet"
        assert charge.receipt().stop == "überlastet"
    assert charge.error == "overloaded_error"
    assert charge.receipt().total == "not billed"


@pytest.mark.once
def test_every_column_of_a_charge_has_a_german_name() -> None:
    columns = [field for field in Charge._meta.fields if field.name != "id"]
    with translation.override("en"):
        english = [str(field.verbose_name) for field in columns]
    with translation.override("de"):
        german = [str(field.verbose_name) for field in columns]
    assert [one for one, other in zip(english, german, strict=True) if one == other] == []
