"""Sums of the calls themselves, for what the ledger's totals leave out: they cost a row per call."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, Count, F, Func, IntegerField, Q, QuerySet, Sum
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from chatapp.dashboard.sums import PRICED, Sums
from chatapp.ledger.choices import TOKENS, WAITING, Status
from chatapp.ledger.daily import AMOUNT, QUANTITY
from chatapp.ledger.models import Charge, ChargeLine

Calls = QuerySet[Charge]


def _reported(*path: str) -> Sum:
    """The sum of one count in the usage."""
    value: Any = "usage"
    for key in path[:-1]:
        value = KeyTransform(key, value)
    return Sum(Cast(KeyTextTransform(path[-1], value), BigIntegerField()))


OF_USAGE = {
    "tokens_in": Sum("tokens_in"),
    "tokens_out": Sum("tokens_out"),
    "read": _reported("cache_read_input_tokens"),
    "written": _reported("cache_creation_input_tokens"),
    "written_1h": _reported("cache_creation", "ephemeral_1h_input_tokens"),
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


def reported_by(calls: Calls, *columns: str) -> dict[tuple[Any, ...], Sums]:
    """The tokens of calls without a price, as the API reported them: they have no lines."""
    found = _grouped(calls.filter(status=Status.UNPRICED), columns, OF_USAGE)
    return {
        key: Sums(
            input_tokens=parts["tokens_in"] - parts["read"] - parts["written"],
            cache_write_5m_tokens=parts["written"] - parts["written_1h"],
            cache_write_1h_tokens=parts["written_1h"],
            cache_read_tokens=parts["read"],
            output_tokens=parts["tokens_out"],
        )
        for key, parts in found
    }


def reported_by_hour(calls: Calls, start: datetime) -> dict[tuple[Any, ...], Sums]:
    """As reported_by, by whole hours counted from `start`."""
    return reported_by(calls.annotate(hour=_HoursSince("authorized_at", start)), "hour")


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
