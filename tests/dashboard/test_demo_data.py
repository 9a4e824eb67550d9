"""Made-up calls: true to every law of the ledger, and the same for the same seed on any database."""

import hashlib
import json
from typing import Any

from django.db import connection

from chatapp.ledger import checking
from chatapp.ledger.models import Charge, ChargeLine, Source
from chatapp.ledger.rollups import Grain, Rollup
from tests.dashboard.conftest import make

CALL = (
    *("id", "uuid", "reference", "user__username", "conversation", "project", "purpose"),
    *("authorized_at", "started_at", "settled_at", "day", "model", "status", "tokens_in"),
    *("tokens_out", "error", "flags", "usage", "request_id", "message_id"),
)
LINE = ("id", "charge", "segment", "model", "kind", "quantity", "recorded_at")


def digest(rows: Any) -> str:
    """Of the rows as JSON; PostgreSQL puts keys in an order of its own."""
    text = json.dumps(list(rows), default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def test_the_same_seed_makes_the_same_calls_on_any_database(prices: None) -> None:
    make(300, people=20, seed=7)
    assert digest(Charge.objects.order_by("id").values_list(*CALL)) == "92b1b400553e"
    assert digest(ChargeLine.objects.order_by("id").values_list(*LINE)) == "74de7e780e8d"


def test_every_law_holds_also_where_there_were_calls(prices: None) -> None:
    make(200)
    make(100, seed=9)
    make(50, source=Source.DEMO)
    assert checking.check().breaks == []
    assert Charge.objects.count() == 350
    assert set(Rollup.objects.values_list("grain", flat=True)) == set(Grain)


def test_indexes_and_keys_are_there_again(prices: None) -> None:
    before = schema()
    make(30)
    assert schema() == before


def schema() -> list[Any]:
    """All that keeps the ledger's tables in order, as the database tells it."""
    told = "SELECT sql FROM sqlite_master WHERE tbl_name LIKE 'ledger_%' AND sql IS NOT NULL"
    if connection.vendor == "postgresql":
        told = """SELECT pg_get_indexdef(indexrelid) FROM pg_index
            WHERE indrelid::regclass::text LIKE 'ledger_%'
        UNION ALL SELECT conrelid::regclass || ' ' || conname || pg_get_constraintdef(oid)
            FROM pg_constraint WHERE conrelid::regclass::text LIKE 'ledger_%'
        UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger
            WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'ledger_%'"""
    with connection.cursor() as cursor:
        cursor.execute(told)
        return sorted(cursor.fetchall())
