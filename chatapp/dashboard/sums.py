"""What some calls add up to, summed by the database from totals that the ledger keeps."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from operator import sub
from typing import Any, NamedTuple, TypeVar

from django.db import connection

from chatapp.dashboard.rows import Rows
from chatapp.ledger.choices import TOKENS
from chatapp.ledger.daily import AMOUNT
from chatapp.ledger.models import Status
from chatapp.pricing.money import PUSD

Key = TypeVar("Key")
PRICED = (Status.EXACT, Status.ESTIMATED)


# Tuples, since a page makes thousands: a dataclass takes four times as long to make.
class Sums(NamedTuple):
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

    @property
    def counter_pusd(self) -> int:
        """Of counters that an admin gave a price: what the kinds with a column leave."""
        return self.amount_pusd - sum(map(self.amount_of, AMOUNT))

    def amount_of(self, kind: str) -> int:
        """pico-USD of one kind of line."""
        return int(getattr(self, f"{kind}_pusd"))

    def tokens_of(self, kind: str) -> int:
        """Tokens of one kind; searches and other counters are none."""
        return int(getattr(self, f"{kind}_tokens")) if kind in TOKENS else 0


_TOKENS = " + ".join(name for name in Sums._fields if name.endswith("_tokens"))
_TOKENS_IN = _TOKENS.removesuffix(" + output_tokens")
# What is summed of each row, by what it is called.
_ALL = {name: name for name in Sums._fields} | {
    "priced_calls": "CASE WHEN status IN ('exact', 'estimated') THEN calls ELSE 0 END"
}
_RANK = {name: _ALL[name] for name in ("calls", "priced_calls", "amount_pusd")} | {
    "tokens_in": _TOKENS_IN,
    "tokens": _TOKENS,
}
_UNITS = {"usd": {"amount_pusd": "amount_pusd"}, "tokens": {"tokens": _TOKENS}}


def total(parts: Iterable[Sums]) -> Sums:
    """The sum of the parts."""
    return Sums(*map(sum, zip(*parts, strict=True)))


def rest(whole: Sums, parts: Iterable[Sums]) -> Sums:
    """What is left of the whole without the parts."""
    return Sums._make(map(sub, whole, total([Sums(), *parts])))


def sums_by(parts: list[Rows], *columns: str) -> dict[tuple[Any, ...], Sums]:
    """Sums for each combination of the columns' values: one query, grouped by the database."""
    split = len(columns)
    return {row[:split]: Sums._make(map(int, row[split:])) for row in grouped(parts, columns, _ALL)}


def days_by(parts: list[Rows], column: str, *, unit: str) -> dict[Any, dict[date, int]]:
    """For each value of the column its days' pico-USD ("usd") or "tokens"; one light query."""
    found: dict[Any, dict[date, int]] = defaultdict(dict)
    for day, key, value in grouped(parts, ("day", column), _UNITS[unit]):
        found[key][day] = int(value)
    return found


class Rank(NamedTuple):
    """What people are put in order by."""

    calls: int
    priced_calls: int
    amount_pusd: int
    tokens_in: int
    tokens: int

    @property
    def average_pusd(self) -> int | None:
        return self.amount_pusd // self.priced_calls if self.priced_calls else None


def ranks(parts: list[Rows]) -> dict[int, Rank]:
    """Everybody who made a call; one query, one short row a person."""
    return {row[0]: Rank._make(map(int, row[1:])) for row in grouped(parts, ("user",), _RANK)}


def count_people(parts: list[Rows]) -> int:
    """How many made a call."""
    ((people,),) = _asked("COUNT(DISTINCT user_id)", parts, "user_id")
    return int(people)


def grouped(
    parts: list[Rows], columns: tuple[str, ...], summed: Mapping[str, str]
) -> list[tuple[Any, ...]]:
    """The sums of `summed`, SQL by name, for each combination of the columns' values."""
    keys = [_COLUMN.get(name, name) for name in columns]
    read = ", ".join([*keys, *(f"{what} AS {name}" for name, what in summed.items())])
    wanted = ", ".join([*keys, *(f"SUM({name})" for name in summed)])
    by = f"GROUP BY {', '.join(keys)}" if keys else "HAVING COUNT(*) > 0"
    return _asked(wanted, parts, read, by)


_COLUMN = {"user": "user_id", "team": "team_id"}


def _asked(wanted: str, parts: list[Rows], read: str, by: str = "") -> list[tuple[Any, ...]]:
    """What is wanted of all parts, from what is read of each."""
    rows = " UNION ALL ".join(
        f"SELECT {read} FROM {part.table} WHERE {part.where}"  # noqa: S608 - our own names
        for part in parts
    )
    with connection.cursor() as cursor:
        values = [value for part in parts for value in part.values]
        cursor.execute(f"SELECT {wanted} FROM ({rows}) AS parts {by}", values)  # noqa: S608
        return list(cursor.fetchall())


def regrouped(sums: dict[tuple[Any, ...], Sums], key: Callable[..., Key]) -> dict[Key, Sums]:
    """The same sums under a coarser key, which `key` makes of the columns' values."""
    groups: dict[Key, list[Sums]] = defaultdict(list)
    for columns, part in sums.items():
        groups[key(*columns)].append(part)
    return {name: total(parts) for name, parts in groups.items()}
