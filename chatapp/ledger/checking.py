"""Checks the whole ledger against its laws, each in one snapshot and with set-based SQL."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from chatapp.ledger.laws import PLAIN, SUMMED, Law
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


@dataclass(frozen=True)
class Part:
    """What one look at the ledger found."""

    breaks: list[Break]
    counts: dict[str, int] = field(default_factory=dict)


def check() -> Findings:
    """What breaks a law; two at a time, one after the other within a transaction.

    (Nobody else sees what is not committed.)
    """
    parts: list[Callable[[], Part]] = [_summed, *(partial(_alone, law) for law in PLAIN)]
    if connection.in_atomic_block:
        found = [part() for part in parts]
    else:
        with ThreadPoolExecutor(max_workers=2) as pool:
            found = list(pool.map(_apart, parts))
    breaks = [broken for part in found for broken in part.breaks]
    counts = {name: count for part in found for name, count in part.counts.items()}
    return Findings(**counts, breaks=breaks)


def _apart(part: Callable[[], Part]) -> Part:
    try:
        return part()
    finally:
        connection.close()


def _alone(law: Law) -> Part:
    with snapshot() as cursor:
        return Part([*_hold(cursor, law)])


def _summed() -> Part:
    with snapshot() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE sums AS {LINES}")
        try:
            cursor.execute("CREATE UNIQUE INDEX sums_by_charge ON sums (charge_id)")
            cursor.execute("ANALYZE sums")
            breaks = [broken for law in SUMMED for broken in _hold(cursor, law)]
            return Part([*_unguarded(cursor), *breaks], _counts(cursor))
        finally:
            cursor.execute("DROP TABLE sums")


def _hold(cursor: Any, law: Law) -> Iterator[Break]:
    parameters = [_last_possible_end()] if "%s" in law.broken else None
    cursor.execute(law.broken, parameters)
    found = cursor.fetchmany(EXAMPLES)
    if not found:
        return
    examples = list(dict.fromkeys(str(row[0]) for row in found))
    count = len(found)
    while rest := cursor.fetchmany(10_000):
        count += len(rest)
    yield Break(law.name, law.meaning, count, examples)


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
