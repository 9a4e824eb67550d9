"""The ledger beside the vendor's report, day by day in UTC, and what came of comparing them."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from django.conf import settings

from chatapp.claude import analytics
from chatapp.claude.analytics import Place, Report, Row
from chatapp.dashboard.differences import Unsure, explain, others, sides
from chatapp.dashboard.models import Reconciliation
from chatapp.ledger.choices import PROMPT
from chatapp.ledger.models import Charge, ChargeLine, Kind, Status
from chatapp.pricing.book import PriceBook
from chatapp.pricing.models import price_book

LONG_PROMPT = 200_000  # tokens, beyond which the vendor counts another context window
LINE = (
    *("charge", "segment", "segment_type", "model", "kind", "quantity", "amount_pusd"),
    *("charge__speed", "charge__service_tier", "charge__inference_geo"),
)


def reconcile(first: date, last: date) -> Reconciliation:
    """Ask the vendor, compare whole UTC days, and store the result.

    Raises claude.errors.Fault, or claude.analytics.NoAdminKey.
    """
    key = settings.ANTHROPIC_API_KEY_ID
    found = asyncio.run(analytics.report(first, last, key_id=key))
    return compare(first, last, found, key_id=key)


def compare(first: date, last: date, report: Report, *, key_id: str) -> Reconciliation:
    book = price_book()
    ours = sides(row for day in _days(first, last) for row in rows(day, book))
    theirs = sides(_resolved(row, book) for row in report.rows)
    unsure = {p: u for day in _days(first, last) for p, u in roughly(day, book).items()}
    findings = [*explain(ours, theirs, unsure), *others(report.keys, key_id)]
    return Reconciliation.objects.create(
        first=first,
        last=last,
        key_id=key_id,
        ledger_pusd=sum(side.pusd for side in ours.values()),
        vendor_pusd=sum(side.pusd for side in theirs.values()),
        billed_pusd=report.billed_pusd,
        calls=sum(side.counts["requests"] for side in ours.values()),
        findings=[asdict(finding) for finding in findings],
    )


def rows(day: date, book: PriceBook) -> Iterator[Row]:
    """The ledger's lines in force of the calls authorized on a UTC day, one row for each segment."""
    lines = ChargeLine.objects.in_force().filter(charge__in=_calls(day).values("pk"))
    ordered = lines.order_by("charge", "segment").values_list(*LINE).iterator(chunk_size=5000)
    for _, segment in groupby(ordered, key=lambda line: line[:2]):
        yield _row(day, list(segment), book)


def roughly(day: date, book: PriceBook) -> dict[Place, Unsure]:
    """Where the ledger estimated, or has no amount at all."""
    found: dict[Place, Counter[str]] = defaultdict(Counter)
    for call in _calls(day).exclude(status=Status.EXACT):
        place = _place(
            day, call.model, call.speed, call.service_tier, call.inference_geo, call.tokens_in or 0
        )
        place = _known(place, book)
        if call.status == Status.ESTIMATED:
            likely = call.estimated_output or call.reported_output
            found[place]["least"] += call.reported_output - likely
            found[place]["most"] += call.max_tokens - likely
            found[place]["estimated"] += 1
        else:
            found[place]["without_amount"] += 1
    return {place: Unsure(**counts) for place, counts in found.items()}


def _calls(day: date) -> Any:
    start = datetime.combine(day, time.min, UTC)
    return (
        Charge.objects.captured()
        .real()
        .filter(authorized_at__gte=start, authorized_at__lt=start + timedelta(days=1))
    )


def _row(day: date, lines: list[tuple[Any, ...]], book: PriceBook) -> Row:
    _, index, kind, model, *_, speed, tier, geo = lines[0]
    counts, money = Counter[str](), Counter[str]()
    for line in lines:
        counts[line[4]] += line[5]
        money[line[4]] += line[6]
    prompt = sum(counts[name] for name in PROMPT)
    if kind == "advisor_message":
        speed = "standard"
    place = _known(_place(day, model, speed, tier, geo, prompt), book)
    # A call is one request, however many segments it is billed in.
    searches_alone = set(counts) == {Kind.WEB_SEARCH.value}
    requests = 0 if index or searches_alone else 1
    return Row(place, requests, tuple(counts.items()), tuple(money.items()))


def _place(day: date, model: str, speed: str, tier: str, geo: str, prompt: int) -> Place:
    return Place(
        day=day,
        model=model,
        speed=speed or "standard",
        tier=tier or "standard",
        geo=geo if geo not in ("", "not_available") else "global",
        window="200k-1M" if prompt > LONG_PROMPT else "0-200k",
    )


def _known(place: Place, book: PriceBook) -> Place:
    """Under the price book's own name for the model."""
    name = book.resolve(place.model) or place.model
    return Place(place.day, name, place.speed, place.tier, place.geo, place.window)


def _resolved(row: Row, book: PriceBook) -> Row:
    return Row(_known(row.place, book), row.requests, row.counts, row.money)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
