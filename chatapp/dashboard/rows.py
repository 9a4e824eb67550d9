"""Which stored sums answer a question with the fewest rows: years, months, weeks and days."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from chatapp.dashboard.filters import NONE, Filter
from chatapp.dashboard.periods import DAY, Period
from chatapp.ledger.models import DailyTotal
from chatapp.ledger.rollups import Rollup

SPANS = ("day", "week", "month", "year")
WITH_YEARS = ("person", "rank", "used")


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of one table of totals, as SQL: a page asks for many, and the ORM takes its time."""

    table: str
    where: str
    values: tuple[Any, ...]


def rows(
    asked: Filter,
    whose: str,
    *,
    widest: str = "year",
    cuts: Iterable[date] = (),
    users: Sequence[int] | None = None,
) -> list[Rows]:
    """Rows that together sum the calls asked for, each once; those of `users` alone when given.

    `whose` says what is asked about: "all" (days, models, certainty), "team" or "rank" (nothing but
    which team or person), "used" (which person and model) or "whole". `day` of a row is the first
    of its days. None are longer than `widest`, and none goes on past a cut.
    """
    whose = _grain(asked, whose)
    if widest == "year" and whose not in WITH_YEARS:
        widest = "month"
    narrow, narrowed = _narrow(asked, users)
    found = []
    for part in _between(_to_its_end(asked, widest), cuts):
        for span, days in pieces(part, widest):
            table, grain = _stored(whose, span)
            # An adjustment that changes a call's certainty can leave a row that counts nothing.
            where = f"{grain}day BETWEEN %s AND %s AND calls > 0 AND {narrow}"
            found.append(Rows(table, where, (str(days.first), str(days.last), *narrowed)))
    return found


def _stored(whose: str, span: str) -> tuple[str, str]:
    """The table, and the condition that picks the grain."""
    if whose == "used" and span in ("day", "week"):
        whose = "whole"
    if (whose, span) == ("whole", "day"):
        return DailyTotal._meta.db_table, ""
    return Rollup._meta.db_table, f"grain = '{whose}-{span}' AND "


def _grain(asked: Filter, whose: str) -> str:
    """The fewest rows that still tell what is asked about and what narrows it."""
    if asked.user:
        return "whole"
    fine = bool(asked.purpose or asked.status)
    match whose:
        case "all" if asked.team:
            return "group"
        case "team" if fine or asked.model:
            return "group"
        case "used" if fine:
            return "whole"
        case "rank" if asked.model:
            return "whole" if fine else "used"
        case "rank" if fine:
            return "person"
    return whose


def _narrow(asked: Filter, users: Sequence[int] | None) -> tuple[str, list[Any]]:
    """A condition on the dimensions that totals have, and its values.

    Of people who are named few rows are read, by the index of people: the other texts are compared
    in a way that no index knows, since SQLite, without statistics, would rather take theirs.
    """
    column = "{}" if users is None and not asked.user else "{} || ''"
    names = ("source", "model", "status", "purpose")
    taken: dict[str, Any] = {
        column.format(name): value for name in names if (value := getattr(asked, name))
    }
    if asked.user:
        taken["user_id"] = asked.user.pk
    if asked.team and asked.team != NONE:
        taken["team_id"] = int(asked.team)
    conditions = [f"{name} = %s" for name in taken]
    if asked.team == NONE:
        conditions.append("team_id IS NULL")
    if users is not None:
        conditions.append(f"user_id IN ({', '.join(map(str, users)) or 'NULL'})")
    return " AND ".join(conditions), list(taken.values())


def pieces(period: Period, widest: str) -> Iterator[tuple[str, Period]]:
    """The days as whole years, months, weeks and single days, in order; none over `widest`."""
    span = SPANS.index(widest)
    inner = _whole(period, widest)
    if not span or not inner:
        yield from pieces(period, SPANS[span - 1]) if span else [(widest, period)]
        return
    if period.first < inner.first:
        yield from pieces(Period(period.first, inner.first - DAY), SPANS[span - 1])
    yield widest, inner
    if inner.last < period.last:
        yield from pieces(Period(inner.last + DAY, period.last), SPANS[span - 1])


def _to_its_end(asked: Filter, widest: str) -> Period:
    """A month that is not over yet is as good as a whole one, while no call is of a day to come."""
    first, last = asked.period.first, asked.period.last
    for span in reversed(SPANS[: SPANS.index(widest) + 1]):
        around = Period.around(last, span)
        if first <= around.first and last >= asked.today and not asked.foreseen:
            return Period(first, around.last)
    return asked.period


def _between(period: Period, cuts: Iterable[date]) -> Iterator[Period]:
    first = period.first
    for cut in sorted(set(cuts)):
        if first < cut <= period.last:
            yield Period(first, cut - DAY)
            first = cut
    yield Period(first, period.last)


def _whole(period: Period, span: str) -> Period | None:
    """The whole weeks, months or years in it."""
    start, end = Period.around(period.first, span), Period.around(period.last, span)
    first = period.first if start.first == period.first else start.last + DAY
    last = period.last if end.last == period.last else end.first - DAY
    return Period(first, last) if first < last else None
