"""Which stored sums answer a question with the fewest rows: months, weeks and days of some grain."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from chatapp.dashboard.filters import Filter
from chatapp.dashboard.periods import DAY, Period
from chatapp.dashboard.sums import Rows
from chatapp.ledger.models import DailyTotal
from chatapp.ledger.rollups import Rollup

SPANS = ("day", "week", "month")


def rows(
    asked: Filter, whose: str, *, widest: str = "month", cuts: Iterable[date] = (), **only: Any
) -> list[Rows]:
    """Querysets that together sum the calls asked for, each once.

    `whose` says what is asked about: "group" (no person), "person" (no model) or "whole". `day` of
    a row is the first of its days. None are longer than `widest`, and none goes on past a cut.
    """
    if asked.user or (whose == "person" and asked.model):
        whose = "whole"
    found = []
    for part in _between(_to_its_end(asked), cuts):
        for span, days in pieces(part, widest):
            table: Rows = (
                DailyTotal.objects.all()
                if (whose, span) == ("whole", "day")
                else Rollup.objects.filter(grain=f"{whose}-{span}")
            )
            # An adjustment that changes a call's certainty can leave a row that counts nothing.
            days_only = table.filter(day__range=(days.first, days.last), calls__gt=0, **only)
            found.append(asked.narrow(days_only))
    return found


def pieces(period: Period, widest: str) -> Iterator[tuple[str, Period]]:
    """The days as whole months, then whole weeks, then single days, in order."""
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


def _to_its_end(asked: Filter) -> Period:
    """Nothing is known of days to come, so a month that is not over yet is as good as a whole one."""
    period = asked.period
    return (
        Period(period.first, Period.month(period.last).last)
        if period.last >= asked.today
        else period
    )


def _between(period: Period, cuts: Iterable[date]) -> Iterator[Period]:
    first = period.first
    for cut in sorted(set(cuts)):
        if first < cut <= period.last:
            yield Period(first, cut - DAY)
            first = cut
    yield Period(first, period.last)


def _whole(period: Period, span: str) -> Period | None:
    """The whole weeks or months in it."""
    if span == "month":
        first = period.first if period.first.day == 1 else Period.month(period.first).last + DAY
        end = Period.month(period.last)
        last = period.last if period.last == end.last else end.first - DAY
    else:
        first = period.first + timedelta(days=-period.first.weekday() % 7)
        last = period.last - timedelta(days=(period.last.weekday() + 1) % 7)
    return Period(first, last) if first < last else None
