"""What a change of the book does to calls already made: asked of, and done by, the ledger."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chatapp.pricing.book import PriceBook


@dataclass(frozen=True)
class Effect:
    """Calls whose stored money changes, the sum of the changes in pico-USD, and how many of the
    calls had no price before.
    """

    calls: int
    difference_pusd: int
    newly_priced: int


class Repricer(Protocol):
    """Who keeps the calls; `since` (UTC) is when a price of `model` (its id) or `counter` begins."""

    def preview(
        self, book: PriceBook, *, since: datetime, model: str = "", counter: str = ""
    ) -> Effect:
        """What `apply` would do. Writes nothing."""

    def apply(
        self,
        book: PriceBook,
        *,
        since: datetime,
        note: str,
        by: Any,
        model: str = "",
        counter: str = "",
    ) -> Effect:
        """Book the differences as adjustments, inside the caller's transaction."""

    def rate_waiting(self, book: PriceBook) -> int:
        """Price the calls that wait for a price; returns how many got one."""


class Nobody:
    """Without a ledger no call was made."""

    def preview(self, book: PriceBook, **change: Any) -> Effect:
        return Effect(0, 0, 0)

    def apply(self, book: PriceBook, **change: Any) -> Effect:
        return Effect(0, 0, 0)

    def rate_waiting(self, book: PriceBook) -> int:
        return 0


_repricer: Repricer = Nobody()


def register(repricer: Repricer) -> None:
    global _repricer
    _repricer = repricer


def preview(book: PriceBook, *, since: datetime, model: str = "", counter: str = "") -> Effect:
    return _repricer.preview(book, since=since, model=model, counter=counter)


def apply(
    book: PriceBook,
    *,
    since: datetime,
    note: str,
    by: Any,
    model: str = "",
    counter: str = "",
) -> Effect:
    return _repricer.apply(book, since=since, model=model, counter=counter, note=note, by=by)


def rate_waiting(book: PriceBook) -> int:
    return _repricer.rate_waiting(book)
