"""Checks the whole ledger against its laws, each in one snapshot and with set-based SQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from chatapp.ledger.laws import LAWS, ROLLUPS, Law
from chatapp.ledger.sums import LINES, snapshot

EXAMPLES = 10
GUARDED = ("ledger_charge", "ledger_chargeline", "ledger_adjustment")


@dataclass(frozen=True)
class Break:
    """A law that does not hold: how often, and the ids of the first charges (or days) it names."""

    law: str
    meaning: str
    count: int
    examples: list[str]


@dataclass(frozen=True)
class Findings:
    charges: int
    lines: int
    open: int
    held_pusd: int
    breaks: list[Break]

    def as_dict(self) -> dict[str, Any]:
        return {"ok": not self.breaks, **asdict(self)}


def check() -> Findings:
    """What breaks a law. Rollups are half of the work, and checked beside the rest of it.

    In a transaction one after the other, since nobody else sees what is not committed.
    """
    if connection.in_atomic_block:
        rolled = _broken(ROLLUPS)
        return _check(lambda: rolled)
    with ThreadPoolExecutor(max_workers=1) as beside:
        return _check(beside.submit(_apart, ROLLUPS).result)


def _check(rolled: Callable[[], list[Break]]) -> Findings:
    with snapshot() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE sums AS {LINES}")
        try:
            cursor.execute("CREATE UNIQUE INDEX sums_by_charge ON sums (charge_id)")
            cursor.execute("ANALYZE sums")
            breaks = [*_unguarded(cursor), *filter(None, (_hold(cursor, law) for law in LAWS))]
            counts = _counts(cursor)
        finally:
            cursor.execute("DROP TABLE sums")
    return Findings(**counts, breaks=[*breaks, *rolled()])


def _broken(law: Law) -> list[Break]:
    with snapshot() as cursor:
        return list(filter(None, [_hold(cursor, law)]))


def _apart(law: Law) -> list[Break]:
    try:
        return _broken(law)
    finally:
        connection.close()


def _hold(cursor: Any, law: Law) -> Break | None:
    parameters = [_last_possible_end()] if "%s" in law.broken else None
    cursor.execute(law.broken, parameters)
    found = cursor.fetchmany(EXAMPLES)
    if not found:
        return None
    examples = list(dict.fromkeys(str(row[0]) for row in found))
    count = len(found)
    while rest := cursor.fetchmany(10_000):
        count += len(rest)
    return Break(law.name, law.meaning, count, examples)


def _last_possible_end() -> Any:
    """An hour more than the longest that a call may wait and run."""
    longest = settings.QUEUE_TIMEOUT + settings.TOTAL_TIMEOUT + 3600
    return connection.ops.adapt_datetimefield_value(timezone.now() - timedelta(seconds=longest))


def _unguarded(cursor: Any) -> list[Break]:
    """SQLite forgets triggers when a migration rebuilds their table."""
    if connection.vendor == "sqlite":
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    else:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D' AND NOT tgisinternal")
    there = {name for (name,) in cursor.fetchall()}
    wanted = {f"{table}_refuses_{event}" for table in GUARDED for event in ("delete", "update")}
    missing = sorted(wanted - there)
    meaning = "The database itself refuses to change or delete ledger rows."
    return [Break("rows_are_guarded", meaning, len(missing), missing)] if missing else []


def _counts(cursor: Any) -> dict[str, int]:
    cursor.execute(
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN state = 'authorized' THEN 1 ELSE 0 END), 0),"
        " COALESCE(SUM(CASE WHEN state = 'authorized' THEN held_pusd ELSE 0 END), 0)"
        " FROM ledger_charge"
    )
    charges, open_charges, held = cursor.fetchone()
    cursor.execute("SELECT COALESCE(SUM(written), 0) FROM sums")
    lines = cursor.fetchone()[0]
    return {
        "charges": charges,
        "lines": int(lines),
        "open": int(open_charges),
        "held_pusd": int(held),
    }
