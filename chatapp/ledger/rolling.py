"""How the database keeps rollups: triggers on the daily totals, and the same sums all at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Spelled out here and not read from the models: a migration runs this.
TOKENS = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
SUMS = (
    *("calls", "amount_pusd", "held_pusd"),
    *(f"{kind}_tokens" for kind in TOKENS),
    "web_searches",
    *(f"{kind}_pusd" for kind in TOKENS),
    "web_search_pusd",
)
KEY = ("grain", "day", "source", "user_id", "team_id", "model", "purpose", "status")
COLUMNS = (*KEY, *SUMS)
UNIQUE = "grain, day, source, COALESCE(user_id, 0), COALESCE(team_id, 0), model, purpose, status"
DELTAS = {"insert": "NEW.{0}", "update": "NEW.{0} - OLD.{0}", "delete": "-OLD.{0}"}


def install(cursor: Any, vendor: str) -> None:
    """Let every change of a daily total change its rollups."""
    for event in DELTAS:
        trigger = f"CREATE TRIGGER ledger_dailytotal_rolls_up_{event} AFTER {event} "
        trigger += "ON ledger_dailytotal "
        if vendor == "sqlite":
            cursor.execute(f"{trigger} BEGIN {_change(event, vendor)}; END")
        else:
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION ledger_roll_up_{event}() RETURNS trigger "
                f"LANGUAGE plpgsql AS $$ BEGIN {_change(event, vendor)}; RETURN NULL; END $$"
            )
            cursor.execute(f"{trigger} FOR EACH ROW EXECUTE FUNCTION ledger_roll_up_{event}()")


def remove(cursor: Any, vendor: str) -> None:
    for event in DELTAS:
        on = "" if vendor == "sqlite" else " ON ledger_dailytotal"
        cursor.execute(f"DROP TRIGGER ledger_dailytotal_rolls_up_{event}{on}")


@contextmanager
def all_at_once(cursor: Any, vendor: str) -> Iterator[None]:
    """For who writes daily totals by the million in one transaction: rolled up at the end."""
    remove(cursor, vendor)
    yield
    fill(cursor, vendor)
    install(cursor, vendor)


def fill(cursor: Any, vendor: str) -> None:
    """Write all rollups anew."""
    cursor.execute("DELETE FROM ledger_rollup")
    cursor.execute(f"INSERT INTO ledger_rollup ({', '.join(COLUMNS)}) {expected(vendor)}")


def expected(vendor: str) -> str:
    """What the rollups must be, in the order of COLUMNS; rows that count nothing are left out."""
    sums = ", ".join(f"SUM(d.{name})" for name in SUMS)
    places = ", ".join(str(at) for at in range(1, len(KEY) + 1))
    return " UNION ALL ".join(
        f"SELECT {key}, {sums} FROM ledger_dailytotal d GROUP BY {places} "  # noqa: S608
        "HAVING SUM(d.calls) <> 0 OR SUM(d.amount_pusd) <> 0 OR SUM(d.held_pusd) <> 0"
        for key in _keys("d", vendor)
    )


def _change(event: str, vendor: str) -> str:
    row = "OLD" if event == "delete" else "NEW"
    keys = " UNION ALL ".join(f"SELECT {key}" for key in _keys(row, vendor))
    deltas = ", ".join(DELTAS[event].format(name) for name in SUMS)
    raised = ", ".join(f"{name} = ledger_rollup.{name} + excluded.{name}" for name in SUMS)
    # Without a condition SQLite would take ON for a join's.
    return (
        f"INSERT INTO ledger_rollup ({', '.join(COLUMNS)}) "  # noqa: S608
        f"SELECT k.*, {deltas} FROM ({keys}) k WHERE true "
        f"ON CONFLICT ({UNIQUE}) DO UPDATE SET {raised}"
    )


def _keys(row: str, vendor: str) -> list[str]:
    """For each grain the values of KEY, as SQL over a daily total named `row`."""
    if vendor == "sqlite":
        nobody, nothing = "NULL", "''"
        days = {
            "day": f"{row}.day",
            "week": f"date({row}.day, 'weekday 0', '-6 days')",
            "month": f"date({row}.day, 'start of month')",
        }
    else:
        nobody, nothing = "NULL::bigint", "''::varchar"
        days = {
            "day": f"{row}.day",
            "week": f"date_trunc('week', {row}.day)::date",
            "month": f"date_trunc('month', {row}.day)::date",
        }
    whose = {
        "group": (nobody, f"{row}.model"),
        "person": (f"{row}.user_id", nothing),
        "whole": (f"{row}.user_id", f"{row}.model"),
    }
    return [
        f"'{name}-{span}', {day}, {row}.source, {user}, {row}.team_id, {model}, "
        f"{row}.purpose, {row}.status"
        for name, (user, model) in whose.items()
        for span, day in days.items()
        if (name, span) != ("whole", "day")  # the daily total itself
    ]
