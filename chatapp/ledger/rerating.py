"""What a change of the price book does to calls already made; pricing asks, see repricing.py."""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet, TextField
from django.db.models.functions import Cast

from chatapp.accounts.models import User
from chatapp.ledger.charges import Charge
from chatapp.ledger.choices import Status
from chatapp.ledger.daily import DailyTotal
from chatapp.ledger.lines import Adjustment, ChargeLine
from chatapp.ledger.rating import Rated
from chatapp.pricing.book import PriceBook
from chatapp.pricing.repricing import Effect

CHUNK = 500  # calls read at a time


class LedgerRepricer:
    """Re-rates calls by adjustments: the lines in force are taken back, new ones written."""

    def preview(
        self, book: PriceBook, *, since: datetime, model: str = "", counter: str = ""
    ) -> Effect:
        """What `apply` would do at the prices of `book`; nothing is written."""
        calls = [
            (charge.amount_pusd, rated.amount_pusd)
            for charge, rated in differing(book, touched(since, model, counter))
        ]
        return effect(calls)

    def apply(
        self,
        book: PriceBook,
        *,
        since: datetime,
        note: str,
        by: User | None,
        model: str = "",
        counter: str = "",
    ) -> Effect:
        """Restate every call whose money differs, in one transaction."""
        return restate(book, touched(since, model, counter), note=note, by=by)

    def rate_waiting(self, book: PriceBook) -> int:
        """Price the calls that were recorded unpriced; returns how many got a price."""
        waiting = Charge.objects.waiting().filter(status=Status.UNPRICED)
        return restate(book, waiting, note="a price was recorded", by=None).newly_priced


def touched(since: datetime, model: str, counter: str) -> QuerySet[Charge]:
    """Calls from `since` on that a version of `model` priced, or that have no price yet.

    Or those that may report the counter: all whose evidence has its name anywhere.
    """
    calls = Charge.objects.captured().filter(authorized_at__gte=since).order_by("pk")
    if counter:
        named = {"told__contains": f'"{counter.rpartition(".")[2]}"'}
        late = Adjustment.objects.alias(told=Cast("evidence", TextField())).filter(**named)
        reported = calls.alias(told=Cast("usage", TextField()))
        return reported.filter(Q(**named) | Q(pk__in=late.values("charge")))
    priced = ChargeLine.objects.filter(price_version__model=model).values("charge")
    return calls.filter(Q(status=Status.UNPRICED) | Q(pk__in=priced))


def restate(book: PriceBook, calls: QuerySet[Charge], *, note: str, by: User | None) -> Effect:
    moved = []
    with transaction.atomic(), DailyTotal.objects.gathered():
        for charge, rated in differing(book, calls, lock=True):
            moved.append((charge.amount_pusd, rated.amount_pusd))
            charge.restate(rated, reason=Adjustment.Reason.RERATE, note=note, by=by)
    return effect(moved)


def differing(
    book: PriceBook, calls: QuerySet[Charge], *, lock: bool = False
) -> Iterator[tuple[Charge, Rated]]:
    """The calls that are something else at the prices of `book`, and what they are there."""
    keys = list(calls.values_list("pk", flat=True))
    lines = Prefetch("lines", ChargeLine.objects.in_force(), to_attr="lines_in_force")
    for start in range(0, len(keys), CHUNK):
        some = Charge.objects.filter(pk__in=keys[start : start + CHUNK]).order_by("pk")
        if lock:
            some = some.select_for_update()
        for charge in some.prefetch_related("adjustments", lines):
            rated = charge.rerated(book)
            if differs(charge, charge.lines_in_force, rated):
                yield charge, rated


def differs(charge: Charge, lines: list[ChargeLine], rated: Rated) -> bool:
    """Whether any of the money would change; another version with the same rates does not."""
    stated = (charge.status, charge.amount_pusd, charge.low_pusd, charge.high_pusd)
    anew = (rated.status, rated.amount_pusd, rated.low_pusd, rated.high_pusd)
    return stated != anew or not (
        len(lines) == len(rated.lines)
        and all(old.says(new) for old, new in zip(lines, rated.lines, strict=True))
    )


def effect(moved: list[tuple[int | None, int | None]]) -> Effect:
    return Effect(
        calls=len(moved),
        difference_pusd=sum((after or 0) - (before or 0) for before, after in moved),
        newly_priced=sum(before is None and after is not None for before, after in moved),
    )
