"""The queries of every send and of every page read a few rows by an index, however many there are."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q

from chatapp.ledger.models import Charge, ChargeLine, DailyTotal

MONTH = Q(source="anthropic", day__range=(date(2026, 11, 1), date(2026, 11, 30)))
CHARGES, TOTALS, LINES = Charge.objects, DailyTotal.objects, ChargeLine.objects


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by what is stored")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        (CHARGES.open().filter(MONTH), "charge_open "),
        (CHARGES.open().filter(MONTH, user=1), "charge_open_by_user"),
        (CHARGES.open().filter(MONTH, team=1), "charge_open "),
        (CHARGES.waiting().real().values_list("status"), "charge_waiting"),
        (TOTALS.filter(MONTH).values("amount_pusd", "held_pusd"), "COVERING INDEX total_spent"),
        (TOTALS.filter(MONTH, team=1).values("amount_pusd"), "COVERING INDEX total_spent"),
        (TOTALS.filter(MONTH, user=1), "total_by_user"),
        (LINES.in_force().filter(charge=1), "ledger_chargeline_charge_id"),
        (LINES.in_force().filter(charge__in=[1, 2]), "ledger_chargeline_charge_id"),
    ],
)
def test_an_index_serves(db: None, query: Any, index: str) -> None:
    assert index in query.order_by().explain()
