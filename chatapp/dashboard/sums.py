"""What some calls add up to, summed by the database from the ledger's daily totals."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import date
from functools import reduce
from operator import add, attrgetter
from typing import Any, TypeVar

from django.db.models import F, Q, QuerySet, Sum

from chatapp.ledger.models import DailyTotal, Kind, Status
from chatapp.pricing.money import PUSD

Key = TypeVar("Key")
PRICED = (Status.EXACT, Status.ESTIMATED)


@dataclass(frozen=True, slots=True)
class Sums:
    """Calls, amounts in pico-USD, tokens and searches by kind."""

    calls: int = 0
    priced_calls: int = 0
    amount_pusd: int = 0
    # The worst case of the calls that have no amount.
    held_pusd: int = 0
    input_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0
    web_searches: int = 0
    input_pusd: int = 0
    cache_write_5m_pusd: int = 0
    cache_write_1h_pusd: int = 0
    cache_read_pusd: int = 0
    output_pusd: int = 0
    web_search_pusd: int = 0

    @property
    def unpriced_calls(self) -> int:
        """Calls that are in no amount: their price or their usage is not known."""
        return self.calls - self.priced_calls

    @property
    def known_pusd(self) -> int | None:
        """The amount, or None where not one call has any: unknown is never zero."""
        return self.amount_pusd if self.priced_calls or not self.calls else None

    @property
    def average_pusd(self) -> int | None:
        """Per call with a known amount, rounded down to a whole pico-USD."""
        return self.amount_pusd // self.priced_calls if self.priced_calls else None

    @property
    def decimals(self) -> int:
        """How many show the parts of this sum in a table."""
        dollars = self.amount_pusd // PUSD
        return 2 if dollars >= 100 else 3 if dollars >= 5 else 4 if self.amount_pusd else 2

    @property
    def tokens_in(self) -> int:
        """The whole prompt: uncached, written to and read from the cache."""
        return (
            self.input_tokens
            + self.cache_write_5m_tokens
            + self.cache_write_1h_tokens
            + self.cache_read_tokens
        )

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.output_tokens

    def amount_of(self, kind: str) -> int:
        """pico-USD of one kind of line."""
        return int(getattr(self, f"{kind}_pusd"))

    def tokens_of(self, kind: str) -> int:
        """Tokens of one kind; searches are none."""
        return 0 if kind == Kind.WEB_SEARCH else int(getattr(self, f"{kind}_tokens"))


_NAMES = tuple(field.name for field in fields(Sums))
_AGGREGATES = {f"sum_{name}": Sum(name, default=0) for name in _NAMES if name != "priced_calls"} | {
    "sum_priced_calls": Sum("calls", filter=Q(status__in=PRICED), default=0)
}
_TOKENS = tuple(name for name in _NAMES if name.endswith("_tokens"))
_COLUMNS = tuple(f"sum_{name}" for name in _NAMES)
_values: Callable[[Sums], tuple[int, ...]] = attrgetter(*_NAMES)


def total(parts: Iterable[Sums]) -> Sums:
    """The sum of the parts."""
    return Sums(*map(sum, zip(*map(_values, parts), strict=True)))


def sums_by(rows: QuerySet[DailyTotal], *columns: str) -> dict[tuple[Any, ...], Sums]:
    """Sums for each combination of the columns' values: one query, grouped by the database."""
    grouped = rows.order_by().values(*columns).annotate(**_AGGREGATES)
    split = len(columns)
    # PostgreSQL sums bigint as numeric: int() brings its Decimals back, exactly.
    return {
        tuple(row[:split]): Sums(*map(int, row[split:]))
        for row in grouped.values_list(*columns, *_COLUMNS)
    }


def days_by(rows: QuerySet[DailyTotal], column: str, *, unit: str) -> dict[Any, dict[date, int]]:
    """For each value of the column its days' pico-USD ("usd") or "tokens"; one light query."""
    amount = F("amount_pusd") if unit == "usd" else reduce(add, map(F, _TOKENS))
    found: dict[Any, dict[date, int]] = defaultdict(dict)
    by_day = rows.order_by().values("day", column).annotate(sum=Sum(amount))
    for day, key, value in by_day.values_list("day", column, "sum"):
        found[key][day] = int(value)
    return found


def sums_of(rows: QuerySet[DailyTotal]) -> Sums:
    """The sums of all the rows."""
    found = rows.aggregate(**_AGGREGATES)
    return Sums(*(int(found[name]) for name in _COLUMNS))


def regrouped(sums: dict[tuple[Any, ...], Sums], key: Callable[..., Key]) -> dict[Key, Sums]:
    """The same sums under a coarser key, which `key` makes of the columns' values."""
    groups: dict[Key, list[Sums]] = defaultdict(list)
    for columns, part in sums.items():
        groups[key(*columns)].append(part)
    return {name: total(parts) for name, parts in groups.items()}
