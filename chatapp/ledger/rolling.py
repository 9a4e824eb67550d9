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
SPANS = ("week", "month")
# The sums of a grain are those of a finer one, which has fewer rows than there are daily totals.
FINER = {f"{name}-{span}": f"{name}-day" for name in ("group", "all", "team") for span in SPANS}
FINER |= {f"person-{span}": f"whole-{span}" for span in SPANS}
FINER |= {f"rank-{span}": f"person-{span}" for span in ("day", *SPANS)}
FINER |= {"all-day": "group-day", "team-day": "group-day"}
FINER |= {f"{name}-year": f"{name}-month" for name in ("person", "rank")}
FINER |= {"used-month": "whole-month", "used-year": "used-month"}
# Over how many days rows sum: all but these over a day, a week and a month. A whole one of a day
# is the daily total itself.
SPANS_OF: dict[str, tuple[str, ...]] = {"whole": SPANS, "used": ("month", "year")}
SPANS_OF |= dict.fromkeys(("person", "rank"), ("day", *SPANS, "year"))
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
    """Write all rollups anew, or those of some grains; the finer ones first.

    Rows that count nothing are left out.
    """
    places = ", ".join(str(at) for at in range(1, len(KEY) + 1))
    for grain in grains or _keys("d", vendor):
        cursor.execute("DELETE FROM ledger_rollup WHERE grain = %s", [grain])
        cursor.execute(
            f"INSERT INTO ledger_rollup ({', '.join(COLUMNS)}) "
            f"{finer(grain, vendor, 'SUM(d.{0})')} GROUP BY {places} "
            "HAVING SUM(d.calls) <> 0 OR SUM(d.amount_pusd) <> 0 OR SUM(d.held_pusd) <> 0"
        )


def finer(grain: str, vendor: str, of: str = "d.{0}") -> str:
    """The rows that a grain sums, each under the key of its rollup, in the order of COLUMNS."""
    sums = ", ".join(of.format(name) for name in SUMS)
    rows = f"ledger_rollup d WHERE d.grain = '{FINER[grain]}'" if grain in FINER else ""
    return f"SELECT {_keys('d', vendor)[grain]}, {sums} FROM {rows or 'ledger_dailytotal d'}"  # noqa: S608


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
        "year": f"date({day}, 'start of year')" if lite else _truncated("year", day),
    }
    user, team, model = f"{row}.user_id", f"{row}.team_id", f"{row}.model"
    fine = f"{row}.purpose, {row}.status"
    # As short as can be told: nothing but whether there is an amount.
    coarse = f"{nothing}, CASE WHEN {row}.status IN ('exact', 'estimated') "
    coarse += "THEN 'exact' ELSE 'unknown' END"
    whose = {
        "whole": f"{user}, {team}, {model}, {fine}",
        "group": f"{nobody}, {team}, {model}, {fine}",
        "person": f"{user}, {team}, {nothing}, {fine}",
        "all": f"{nobody}, {nobody}, {model}, {fine}",
        "rank": f"{user}, {team}, {nothing}, {coarse}",
        "team": f"{nobody}, {team}, {nothing}, {coarse}",
        "used": f"{user}, {team}, {model}, {coarse}",
    }
    return {
        f"{name}-{span}": f"'{name}-{span}', {days[span]}, {row}.source, {key}"
        for name, key in whose.items()
        for span in SPANS_OF.get(name, ("day", *SPANS))
    }


def _truncated(span: str, day: str) -> str:
    return f"date_trunc('{span}', {day})::date"
