"""Lifts the ledger's triggers where a test's teardown empties the database; nowhere else.

A pytest plugin (named in tests/conftest.py): a test that commits leaves rows, and the ledger refuses
to have them deleted.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase

from chatapp.accounts.groups import make_groups

KEPT = {"django_content_type", "auth_permission"}
ON_SQLITE = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'ledger%'"
ON_POSTGRESQL = (
    "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger"
    " WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'ledger%'"
)
# Full of rows that tests deleted or rolled back: they would slow every later question.
BLOATED = (
    "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'"
    " AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 250000"
)


@contextmanager
def lifted() -> Iterator[None]:
    """Without the ledger's triggers, for a flush or to seed a break."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            triggers = dict(cursor.execute(ON_SQLITE).fetchall())
            for name in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            yield
            for sql in triggers.values():
                cursor.execute(sql)
        else:
            cursor.execute(ON_POSTGRESQL)
            tables = [table for (table,) in cursor.fetchall()]
            _alter(tables, "DISABLE")
            yield
            _alter(tables, "ENABLE")


def _alter(tables: list[str], what: str) -> None:
    with connection.cursor() as cursor:
        # A table with unchecked foreign keys cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} {what} TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def empty() -> None:
    """Delete every row but Django's own facts; the groups are as after an installation."""
    tables = connection.introspection.django_table_names(only_existing=True)
    with lifted(), transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(BLOATED)
            if bloated := [table for (table,) in cursor.fetchall()]:
                cursor.execute(f"TRUNCATE {', '.join(bloated)} CASCADE")
        for table in set(tables) - KEPT:
            cursor.execute(f"DELETE FROM {table}")
    make_groups()


@pytest.fixture(autouse=True, scope="session")
def emptied_quickly() -> Iterator[None]:
    """TransactionTestCase's flush truncates and makes all permissions anew: most of a test's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty())
        yield
