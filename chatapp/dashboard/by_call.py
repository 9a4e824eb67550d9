"""Sums of the calls themselves, for what the ledger's totals leave out: they cost a row per call."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Func, IntegerField, Q, QuerySet, Sum
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from chatapp.dashboard.sums import PRICED, Sums
from chatapp.ledger.choices import TOKENS, WAITING, Status
from chatapp.ledger.daily import AMOUNT, QUANTITY
from chatapp.ledger.models import Charge, ChargeLine

Calls = QuerySet[Charge]


# What is cached of a prompt, as the API reports it.
CACHED = {
    "read": KeyTextTransform("cache_read_input_tokens", "usage"),
    "written": KeyTextTransform("cache_creation_input_tokens", "usage"),
    "written_1h": KeyTextTransform(
        "ephemeral_1h_input_tokens", KeyTransform("cache_creation", "usage")
    ),
}
OF_CHARGES = {
    "calls": Count("pk"),
    "priced_calls": Count("pk", filter=Q(status__in=PRICED)),
    "amount_pusd": Sum("amount_pusd"),
    "held_pusd": Sum("held_pusd", filter=Q(status__in=WAITING)),
}
OF_LINES = {name: Sum("quantity", filter=Q(kind=kind)) for kind, name in QUANTITY.items()} | {
    name: Sum("amount_pusd", filter=Q(kind=kind)) for kind, name in AMOUNT.items()
}


def sums_by(calls: Calls, *columns: str) -> dict[tuple[Any, ...], Sums]:
    """As sums.sums_by, of captured charges and their lines; lines taken back cancel out."""
    found: dict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
    for rows, names, sums in (
        (calls, columns, OF_CHARGES),
        (_lines(calls), tuple(f"charge__{name}" for name in columns), OF_LINES),
    ):
        for key, parts in _grouped(rows, names, sums):
            found[key] |= parts
    return {key: Sums(**parts) for key, parts in found.items() if parts.get("calls")}


def short_sums_by(calls: Calls, *columns: str) -> dict[tuple[Any, ...], Sums]:
    """As sums_by without the kinds, from the charges alone: the whole prompt counts as input."""
    sums = OF_CHARGES | {"input_tokens": Sum("tokens_in"), "output_tokens": Sum("tokens_out")}
    return {key: Sums(**parts) for key, parts in _grouped(calls, columns, sums)}


def reported(calls: Calls, *columns: str) -> list[tuple[tuple[Any, ...], Sums]]:
    """Of each call without a price the columns, and its tokens as the API reported them.

    It has no lines, and such calls are few: adding them up here takes the database less.
    """
    rows = calls.filter(status=Status.UNPRICED).order_by().annotate(**CACHED)
    found, split = [], len(columns)
    for row in rows.values_list(*columns, "tokens_in", "tokens_out", *CACHED):
        prompt, output, read, written, hour = (int(count or 0) for count in row[split:])
        tokens = Sums(
            input_tokens=prompt - read - written,
            cache_write_5m_tokens=written - hour,
            cache_write_1h_tokens=hour,
            cache_read_tokens=read,
            output_tokens=output,
        )
        found.append((row[:split], tokens))
    return found


def reported_by_hour(calls: Calls, start: datetime) -> list[tuple[tuple[Any, ...], Sums]]:
    """As reported, by whole hours counted from `start`."""
    return reported(calls.annotate(hour=_HoursSince("authorized_at", start)), "hour")


def hours_by(calls: Calls, column: str, start: datetime, *, unit: str) -> dict[Any, dict[int, int]]:
    """pico-USD ("usd") or "tokens" of each hour, counted from `start`, by a column of charges.

    Or by "kind" of their lines; those of calls without a price have none.
    """
    measure: Combinable
    if column == "kind":
        rows: QuerySet[Any] = _lines(calls)
        if unit == "tokens":
            rows = rows.filter(kind__in=TOKENS)
        time, measure = "charge__authorized_at", F("amount_pusd" if unit == "usd" else "quantity")
    else:
        known, time = "amount_pusd" if unit == "usd" else "tokens_in", "authorized_at"
        rows = calls.exclude(**{known: None})
        measure = F("amount_pusd") if unit == "usd" else F("tokens_in") + F("tokens_out")
    grouped: Any = rows.order_by().annotate(hour=_HoursSince(time, start)).values("hour", column)
    found: dict[Any, dict[int, int]] = defaultdict(dict)
    for hour, key, value in grouped.annotate(sum=Sum(measure)).values_list("hour", column, "sum"):
        found[key][hour] = int(value or 0)
    return found


def _grouped(
    rows: QuerySet[Any], columns: tuple[str, ...], sums: dict[str, Any]
) -> Iterator[tuple[tuple[Any, ...], dict[str, int]]]:
    """The sums of each combination of the columns' values; without columns, of all rows."""
    named = {f"sum_{name}": summed for name, summed in sums.items()}
    if columns:
        grouped: Any = rows.order_by().values(*columns).annotate(**named)
        found = grouped.values_list(*columns, *named)
    else:
        together = rows.order_by().aggregate(**named)
        found = [tuple(together[name] for name in named)]
    split = len(columns)
    for row in found:
        # PostgreSQL sums bigint as numeric, and nothing as NULL.
        numbers = (int(number or 0) for number in row[split:])
        yield row[:split], dict(zip(sums, numbers, strict=True))


def _lines(calls: Calls) -> QuerySet[ChargeLine]:
    return ChargeLine.objects.filter(charge__in=calls.order_by().values("pk"))


class _HoursSince(Func):
    """Whole hours from a moment to a time."""

    output_field = IntegerField()
    template = "FLOOR((EXTRACT(EPOCH FROM %(expressions)s) - %(start)s) / 3600)::int"

    def __init__(self, time: str, start: datetime) -> None:
        super().__init__(time, start=int(start.timestamp()))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "((strftime('%%%%s', %(expressions)s) - %(start)s) / 3600)"
        return self.as_sql(compiler, connection, template=template, **context)
