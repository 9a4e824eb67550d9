"""Rows by the million: loaded past the ORM, for both databases."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models
from django.db.models import Max

from chatapp.ledger.sums import unhurried as patient

# The whole load is one transaction, pauses while rows are made up, and sorts much at its end.
ROOM = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "work_mem": "'64MB'",
    "maintenance_work_mem": "'256MB'",
}
CACHE_KIB = 1_000_000
INDEXES = {
    "sqlite": """SELECT 'DROP INDEX "' || name || '"', sql FROM sqlite_master
        WHERE type = 'index' AND tbl_name = %s AND sql LIKE 'CREATE INDEX%%'""",
    "postgresql": """SELECT format('DROP INDEX %%s', indexrelid::regclass),
            pg_get_indexdef(indexrelid)
        FROM pg_index WHERE indrelid = %s::regclass AND NOT indisunique""",
}
CONSTRAINTS = """SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
        format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s',
            conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE conrelid = %s::regclass AND contype = %s"""


@contextmanager
def unhurried() -> Iterator[Any]:
    """A cursor for a long load; SQLite is given the memory to keep the ends of its indexes in."""
    with patient(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A table with checks that are still to come cannot be altered.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
            for name, value in ROOM.items():
                cursor.execute(f"SET LOCAL {name} = {value}")
            yield cursor
            return
        (usual,) = cursor.execute("PRAGMA cache_size").fetchone()
        cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        try:
            yield cursor
        finally:
            cursor.execute(f"PRAGMA cache_size = {usual}")


@contextmanager
def without_indexes(cursor: Any, *tables: str) -> Iterator[None]:
    """Sorted once at the end, an index costs much less than when each row finds its place.

    Unique ones stay, but for PostgreSQL's constraints: totals are found by theirs.
    """
    kept = [pair for table in tables for pair in _found(cursor, INDEXES[connection.vendor], table)]
    if connection.vendor == "postgresql":
        kept += [pair for table in tables for pair in _found(cursor, CONSTRAINTS, table, "u")]
    with _without(cursor, kept):
        yield


@contextmanager
def without_foreign_keys(cursor: Any, *tables: str) -> Iterator[None]:
    """PostgreSQL would look each row up, and remember until the end to do so."""
    if connection.vendor != "postgresql":
        yield
        return
    kept = [pair for table in tables for pair in _found(cursor, CONSTRAINTS, table, "f")]
    with _without(cursor, kept):
        yield


def _found(cursor: Any, query: str, *values: str) -> list[tuple[str, str]]:
    """What drops each, and what makes it again, exactly: in the words of the database itself."""
    cursor.execute(query, values)
    return list(cursor.fetchall())


@contextmanager
def _without(cursor: Any, kept: list[tuple[str, str]]) -> Iterator[None]:
    """In one transaction with what is done meanwhile: when that fails, nothing was dropped."""
    for drop, _ in kept:
        cursor.execute(drop)
    yield
    for _, make in kept:
        cursor.execute(make)


@contextmanager
def scratch(cursor: Any, **tables: str) -> Iterator[None]:
    """Empty tables of this connection alone, with the columns that each SELECT would give."""
    for name, select in tables.items():
        cursor.execute(f"CREATE TEMPORARY TABLE {name} AS {select} WHERE 1 = 0")
    yield
    for name in tables:
        cursor.execute(f"DROP TABLE {name}")


def fill(cursor: Any, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Add whole rows of numbers, texts as the database writes them, and None."""
    if connection.vendor == "postgresql":
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    cursor.execute("SELECT COUNT(*) FROM pragma_table_info(%s)", [table])
    places = ", ".join("?" * cursor.fetchone()[0])
    # Past Django's cursor, which would look for placeholders in each row.
    cursor.connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608


def empty(cursor: Any, table: str) -> None:
    """PostgreSQL would keep deleted rows until the end; SQLite has no TRUNCATE."""
    cursor.execute(f"{'DELETE FROM' if connection.vendor == 'sqlite' else 'TRUNCATE'} {table}")


def analyze(cursor: Any, *tables: str) -> None:
    """PostgreSQL plans by what it saw of a table, and would look at it again only in a while."""
    if connection.vendor == "postgresql":
        cursor.execute(f"ANALYZE {', '.join(tables)}")


def next_id(model: type[models.Model]) -> int:
    """The first id that is free. For whoever has the table alone, and calls `settle_ids` after."""
    highest = model._default_manager.aggregate(highest=Max("pk"))["highest"]
    return int(highest or 0) + 1


def settle_ids(*tables: type[models.Model]) -> None:
    """Let the database's own counters go on after ids that were given."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(tables)):
            cursor.execute(statement)
