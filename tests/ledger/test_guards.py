"""The database itself refuses what would rewrite the ledger."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F, ProtectedError

from chatapp.ledger.models import Adjustment, Charge, ChargeLine
from tests.ledger.conftest import estimated, exact


@pytest.fixture
def adjusted(authorize: Callable[..., Charge]) -> Charge:
    charge = authorize()
    charge.capture(estimated())
    charge.adjust(exact())
    return charge


@pytest.mark.parametrize("model", [Charge, ChargeLine, Adjustment])
def test_rows_are_never_deleted(adjusted: Charge, model: Any) -> None:
    row = model.objects.latest("pk")
    with pytest.raises((IntegrityError, ProtectedError)), transaction.atomic():
        row.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.filter(pk=row.pk)._raw_delete("default")


@pytest.mark.parametrize(
    ("model", "column"), [(ChargeLine, "amount_pusd"), (Adjustment, "amount_after_pusd")]
)
def test_lines_and_adjustments_never_change(adjusted: Charge, model: Any, column: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(**{column: F(column) + 1})


@pytest.mark.parametrize(
    "change",
    [
        {"state": "authorized", "status": "", "settled_at": None, "amount_pusd": None},
        {"state": "voided", "status": "", "amount_pusd": None},
        {"usage": {"input_tokens": 1}},
        {"model": "another"},
        {"held_pusd": 0},
        {"request_id": "another"},
    ],
)
def test_a_captured_charge_keeps_what_it_says(adjusted: Charge, change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Charge.objects.filter(pk=adjusted.pk).update(**change)


def test_an_open_charge_keeps_whose_it_is_and_what_it_holds(
    authorize: Callable[..., Charge], bob: Any
) -> None:
    charge = authorize()
    for change in ({"user": bob}, {"held_pusd": 0}, {"day": "2020-01-01"}, {"max_tokens": 1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Charge.objects.filter(pk=charge.pk).update(**change)


def test_a_void_charge_never_changes(authorize: Callable[..., Charge]) -> None:
    charge = authorize()
    charge.void(error="refused")
    with pytest.raises(IntegrityError), transaction.atomic():
        Charge.objects.filter(pk=charge.pk).update(flags=["rewritten"])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL has TRUNCATE")
def test_tables_are_not_truncated(adjusted: Charge) -> None:
    tables = "ledger_chargeline, ledger_adjustment, ledger_charge"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute(f"TRUNCATE {tables} CASCADE")


@pytest.mark.parametrize("_round", range(2))
def test_a_committed_charge_is_gone_in_the_next_test(
    transactional_db: None, authorize: Callable[..., Charge], _round: int
) -> None:
    authorize()
    assert Charge.objects.count() == 1
