"""The ledger's sums in SQL, for all calls at once: what daily totals must be."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from chatapp.ledger import rolling
from chatapp.ledger.choices import WAITING, Kind
from chatapp.ledger.daily import AMOUNT, KEY, QUANTITY, SUMS
from chatapp.web.postgresql import patience

HOUR = 3600.0
ROOM_MB = 128  # to sort and group in


def _of(kind: Kind, column: str) -> str:
    return f"SUM(CASE WHEN kind = '{kind}' THEN {column} ELSE 0 END)"


# One row for each charge that has lines. Lines taken back cancel out.
LINES = f"""
    SELECT charge_id, COUNT(*) AS written, SUM(amount_pusd) AS amount_pusd,
        {", ".join(f"{_of(kind, 'quantity')} AS {name}" for kind, name in QUANTITY.items())},
        {", ".join(f"{_of(kind, 'amount_pusd')} AS {name}" for kind, name in AMOUNT.items())}
    FROM ledger_chargeline GROUP BY charge_id
"""  # noqa: S608 - only our own constants


COLUMNS = (*KEY, *SUMS)


def counted(lines: str) -> str:
    """What each captured charge adds to its daily total, in the order of COLUMNS.

    `lines` is LINES or a table of it.
    """
    waiting = ", ".join(f"'{status}'" for status in WAITING)
    parts = (*QUANTITY.values(), *AMOUNT.values())
    sums = ", ".join(f"COALESCE(l.{name}, 0) AS {name}" for name in parts)
    return f"""
        SELECT {", ".join(f"c.{name}" for name in KEY)}, 1 AS calls,
            COALESCE(c.amount_pusd, 0) AS amount_pusd,
            CASE WHEN c.status IN ({waiting}) THEN c.held_pusd ELSE 0 END AS held_pusd,
            {sums}
        FROM ledger_charge c LEFT JOIN {lines} l ON l.charge_id = c.id
        WHERE c.state = 'captured'
    """  # noqa: S608


def rebuild() -> int:
    """Write all daily totals anew from the charges and their lines; how many rows there are.

    Their rollups follow.
    """
    with unhurried(), transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Captures wait: one that has not counted itself yet would count twice or not at all.
            cursor.execute("LOCK TABLE ledger_dailytotal IN SHARE ROW EXCLUSIVE MODE")
            cursor.execute("SET LOCAL statement_timeout = 0")
        with rolling.all_at_once(cursor, connection.vendor):
            cursor.execute("DELETE FROM ledger_dailytotal")
            sums = ", ".join(f"SUM({name})" for name in SUMS)
            cursor.execute(
                f"INSERT INTO ledger_dailytotal ({', '.join(COLUMNS)}) "  # noqa: S608
                f"SELECT {', '.join(KEY)}, {sums} FROM ({counted(f'({LINES})')}) each_call "
                f"GROUP BY {', '.join(KEY)}"
            )
            return cursor.rowcount


@contextmanager
def unhurried() -> Iterator[None]:
    """Statements over all calls may take their time."""
    token = patience.set(HOUR)
    try:
        yield
    finally:
        patience.reset(token)


@contextmanager
def snapshot() -> Iterator[Any]:
    """A cursor whose statements all see the same moment; nobody who writes waits for it."""
    database: Any = connection
    with unhurried(), _deferred(database), transaction.atomic(), database.cursor() as cursor:
        if database.vendor == "postgresql":
            if not database.savepoint_ids:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(f"SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '{ROOM_MB}MB'")
            # Two of these run at a time, and parallel workers take more in all than they save.
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        yield cursor


@contextmanager
def _deferred(database: Any) -> Iterator[None]:
    """On SQLite a transaction that only reads must not take the lock of one that writes.

    There it also gets its room to sort in.
    """
    if database.vendor != "sqlite":
        yield
        return
    with database.cursor() as cursor:
        (usual,) = cursor.execute("PRAGMA cache_size").fetchone()
        cursor.execute(f"PRAGMA cache_size = {-1024 * ROOM_MB}")
        mode, database.transaction_mode = database.transaction_mode, "DEFERRED"
        try:
            yield
        finally:
            database.transaction_mode = mode
            cursor.execute(f"PRAGMA cache_size = {usual}")
