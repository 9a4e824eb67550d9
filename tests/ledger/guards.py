"""Lifts the ledger's triggers where a test's teardown empties the database; nowhere else.

A pytest plugin (named in tests/conftest.py): TransactionTestCase cleans up by DELETE on SQLite and
by TRUNCATE on PostgreSQL, and the ledger refuses both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase

TABLES = ("ledger_charge", "ledger_chargeline", "ledger_adjustment")


@contextmanager
def lifted() -> Iterator[None]:
    """Without the triggers, for a flush or to seed a break."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = dict(cursor.fetchall())
            for name in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            yield
            for sql in triggers.values():
                cursor.execute(sql)
    else:
        _alter("DISABLE")
        yield
        _alter("ENABLE")


def _alter(what: str) -> None:
    with connection.cursor() as cursor:
        # A table with unchecked foreign keys cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} {what} TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture(autouse=True, scope="session")
def ledger_can_be_flushed() -> Iterator[None]:
    teardown = TransactionTestCase._fixture_teardown

    def flush(case: Any) -> None:
        with lifted():
            teardown(case)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush)
        yield
