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
# The sums of a grain are those of a finer one, which has far fewer rows than there are daily totals.
FINER = {
    f"{name}-{span}": f"{name}-day"
    for name in ("group", "person", "all", "rank", "team")
    for span in ("week", "month")
} | {"all-day": "group-day", "team-day": "group-day", "rank-day": "person-day"}
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


def fill(cursor: Any, vendor: str, *grains: str) -> None:
    """Write all rollups anew, or those of some grains; the finer ones first."""
    for grain in grains or _keys("d", vendor):
        cursor.execute("DELETE FROM ledger_rollup WHERE grain = %s", [grain])
        rows = expected(vendor, grain)
        cursor.execute(f"INSERT INTO ledger_rollup ({', '.join(COLUMNS)}) {rows}")


def expected(vendor: str, *grains: str) -> str:
    """What the rollups must be, in the order of COLUMNS; rows that count nothing are left out.

    Coarse ones must be the sums of the finer ones that are stored.
    """
    keys = _keys("d", vendor)
    sums = ", ".join(f"SUM(d.{name})" for name in SUMS)
    places = ", ".join(str(at) for at in range(1, len(KEY) + 1))
    return " UNION ALL ".join(
        f"SELECT {keys[grain]}, {sums} FROM {_summed(grain)} GROUP BY {places} "  # noqa: S608
        "HAVING SUM(d.calls) <> 0 OR SUM(d.amount_pusd) <> 0 OR SUM(d.held_pusd) <> 0"
        for grain in grains or keys
    )


def _summed(grain: str) -> str:
    finer = FINER.get(grain)
    return f"ledger_rollup d WHERE d.grain = '{finer}'" if finer else "ledger_dailytotal d"


def _change(event: str, vendor: str) -> str:
    row = "OLD" if event == "delete" else "NEW"
    keys = " UNION ALL ".join(f"SELECT {key}" for key in _keys(row, vendor).values())
    deltas = ", ".join(DELTAS[event].format(name) for name in SUMS)
    raised = ", ".join(f"{name} = ledger_rollup.{name} + excluded.{name}" for name in SUMS)
    # Without a condition SQLite would take ON for a join's.
    return (
        f"INSERT INTO ledger_rollup ({', '.join(COLUMNS)}) "  # noqa: S608
        f"SELECT k.*, {deltas} FROM ({keys}) k WHERE true "
        f"ON CONFLICT ({UNIQUE}) DO UPDATE SET {raised}"
    )


def _keys(row: str, vendor: str) -> dict[str, str]:
    """For each grain the values of KEY, as SQL over a daily total named `row`."""
    lite = vendor == "sqlite"
    nobody, nothing = ("NULL", "''") if lite else ("NULL::bigint", "''::varchar")
    day = f"{row}.day"
    days = {
        "day": day,
        "week": f"date({day}, 'weekday 0', '-6 days')" if lite else _truncated("week", day),
        "month": f"date({day}, 'start of month')" if lite else _truncated("month", day),
    }
    user, team, model = f"{row}.user_id", f"{row}.team_id", f"{row}.model"
    fine = f"{row}.purpose, {row}.status"
    # As short as can be told: nothing but whether there is an amount.
    coarse = f"{nothing}, CASE WHEN {row}.status IN ('exact', 'estimated') "
    coarse += "THEN 'exact' ELSE 'unknown' END"
    whose = {
        "group": f"{nobody}, {team}, {model}, {fine}",
        "person": f"{user}, {team}, {nothing}, {fine}",
        "whole": f"{user}, {team}, {model}, {fine}",
        "all": f"{nobody}, {nobody}, {model}, {fine}",
        "rank": f"{user}, {team}, {nothing}, {coarse}",
        "team": f"{nobody}, {team}, {nothing}, {coarse}",
    }
    return {
        f"{name}-{span}": f"'{name}-{span}', {first}, {row}.source, {key}"
        for name, key in whose.items()
        for span, first in days.items()
        if (name, span) != ("whole", "day")  # the daily total itself
    }


def _truncated(span: str, day: str) -> str:
    return f"date_trunc('{span}', {day})::date"
