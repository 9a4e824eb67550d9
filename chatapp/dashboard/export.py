"""The ledger's calls as CSV and JSON, streamed a slice at a time: memory does not grow with them."""

import csv
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC
from io import StringIO
from typing import Any
from uuid import UUID

from django.db.models import Sum

from chatapp.dashboard import by_call, calls
from chatapp.dashboard.filters import Filter
from chatapp.dashboard.spend import Spend
from chatapp.dashboard.sums import Sums
from chatapp.ledger.daily import QUANTITY
from chatapp.ledger.models import Charge, ChargeLine, Status
from chatapp.pricing.money import exact
from chatapp.web.database import db

# Calls: few at first, so that the file begins at once.
FIRST, SLICE = 100, 1000
# Columns that are the charge's own, unchanged.
STORED = (
    *("source", "purpose", "status", "model", "requested_model", "speed", "service_tier"),
    *("inference_geo", "stop_reason", "error", "flags", "request_id"),
)
COLUMNS = (
    *("call", "time_utc", "day", "person", "name", "team"),
    *QUANTITY.values(),
    *("amount_usd", "low_usd", "high_usd"),
    *STORED,
)
# A spreadsheet runs what begins with these.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

Record = dict[str, Any]
# The records that follow a call, and the last call, when others follow.
Slice = Callable[[Filter, UUID | None], tuple[list[Record], UUID | None]]


async def csv_lines(asked: Filter) -> AsyncIterator[str]:
    """A header and a line a call. Amounts in dollars to the last digit; empty where not known."""
    yield written([COLUMNS])
    async for records in slices(asked, _slice):
        yield written([safe(record[name]) for name in COLUMNS] for record in records)


async def json_text(asked: Filter) -> AsyncIterator[str]:
    """An object: what was asked, what it adds up to, and the calls."""
    head = {"days": [str(asked.period.first), str(asked.period.last)], "asked": asked.params()}
    totals = _totals(await db(lambda: Spend(asked).together))
    yield json.dumps({**head, "totals": totals})[:-1] + ', "calls": ['
    separator = "\n"
    async for records in slices(asked, _slice):
        yield separator + ",\n".join(json.dumps(record) for record in records)
        separator = ",\n"
    yield "\n]}\n"


def safe(value: object) -> str:
    """A cell that a spreadsheet shows and never runs; None is empty."""
    if isinstance(value, list):
        value = " ".join(value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


async def slices(asked: Filter, read: Slice) -> AsyncIterator[list[Record]]:
    """Each slice is a short transaction: no reader holds the database for an export's whole time."""
    after: UUID | None = None
    while True:
        records, after = await db(read, asked, after)
        if records:
            yield records
        if not after:
            return


def _slice(asked: Filter, after: UUID | None) -> tuple[list[Record], UUID | None]:
    page = calls.page(asked, after=str(after or ""), size=SLICE if after else FIRST)
    counted: dict[int, Record] = defaultdict(dict)
    calls_here = [call.pk for call in page.calls]
    lines = ChargeLine.objects.in_force().filter(charge__in=calls_here, kind__in=QUANTITY)
    sums = lines.order_by().values_list("charge", "kind").annotate(sum=Sum("quantity"))
    for pk, kind, quantity in sums:
        counted[pk][QUANTITY[kind]] = int(quantity)
    for (pk,), tokens in by_call.reported(Charge.objects.filter(pk__in=calls_here), "pk"):
        counted[pk] = tokens._asdict()
    return [_record(call, counted[call.pk]) for call in page.calls], page.next


def _record(call: Charge, quantities: Record) -> Record:
    unknown = None if call.status == Status.UNKNOWN else 0
    return {
        "call": str(call.uuid),
        "time_utc": call.authorized_at.astimezone(UTC).isoformat(),
        "day": call.day.isoformat(),
        "person": call.user.username,
        "name": call.user.label,
        "team": call.team.name if call.team else None,
        "amount_usd": _usd(call.amount_pusd),
        "low_usd": _usd(call.low_pusd),
        "high_usd": _usd(call.high_pusd),
        **{name: quantities.get(name, unknown) for name in QUANTITY.values()},
        **{name: getattr(call, name) for name in STORED},
    }


def _usd(pusd: int | None) -> str | None:
    return None if pusd is None else exact(pusd)


def _totals(sums: Sums) -> Record:
    return {
        "calls": sums.calls,
        "calls_without_amount": sums.unpriced_calls,
        "amount_usd": exact(sums.amount_pusd),
        **{name: getattr(sums, name) for name in QUANTITY.values()},
    }


def written(rows: Iterable[Iterable[str]]) -> str:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
