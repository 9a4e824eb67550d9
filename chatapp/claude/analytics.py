"""The vendor's own report of usage and cost, by UTC day: what the ledger is compared with."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.conf import settings

from chatapp.claude.connection import import_sdk
from chatapp.claude.errors import Fault
from chatapp.claude.translation import translated

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

LONGEST = 31  # days of one question
PAGE = 1000
TIMEOUT = 60.0  # seconds
PUSD_PER_CENT = 10**10
# The most dimensions there may be; who asked with which key is a question of its own.
GROUPS: Any = ["model", "speed", "service_tier", "inference_geo", "context_window"]


class NoAdminKey(Exception):
    """ANTHROPIC_ADMIN_KEY is not set, so the vendor does not show its report."""


@dataclass(frozen=True)
class Place:
    """What one row of the report is about. `window` is the long-prompt tier, like "0-200k"."""

    day: date
    model: str
    speed: str = "standard"
    tier: str = "standard"
    geo: str = "global"
    window: str = "0-200k"


@dataclass(frozen=True)
class Row:
    """Requests, tokens by kind and searches, or money by kind in pico-USD at list prices."""

    place: Place
    requests: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    money: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Report:
    """The rows of our own key, what was billed for them in pico-USD, and all keys' list spend."""

    rows: list[Row]
    billed_pusd: int
    keys: dict[str, int]


async def report(first: date, last: date, *, key_id: str) -> Report:
    """The vendor's report of whole UTC days, `last` included. Raises Fault, or NoAdminKey.

    `key_id` ("apikey_…") narrows it to our own key; "" takes all keys together.
    """
    if not settings.ANTHROPIC_ADMIN_KEY:
        raise NoAdminKey
    try:
        async with _client() as client:
            return await _report(client, first, last, key_id)
    except Exception as error:
        found = translated(error, unbilled=True)
        if found is None:
            raise
        fault = found
    # Outside the handler: what the SDK raised holds the key.
    raise fault


def windows(first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
    """UTC midnights of questions short enough to be answered, the end excluded."""
    while first <= last:
        until = min(first + timedelta(days=LONGEST), last + timedelta(days=1))
        yield (
            datetime.combine(first, time.min, UTC),
            datetime.combine(until, time.min, UTC),
        )
        first = until


def pusd(cents: str) -> int:
    """Fractional cents, as the vendor writes them, in pico-USD; finer digits are rounded."""
    try:
        return round(Decimal(cents) * PUSD_PER_CENT)
    except (InvalidOperation, ValueError):
        raise Fault("malformed", unbilled=True) from None


def _client() -> "AsyncAnthropic":
    import_sdk()
    from anthropic import AsyncAnthropic, DefaultAioHttpClient

    transport = DefaultAioHttpClient(
        base_url=settings.ANTHROPIC_BASE_URL,
        follow_redirects=False,
        trust_env=False,
        timeout=TIMEOUT,
    )
    return AsyncAnthropic(
        api_key=settings.ANTHROPIC_ADMIN_KEY,
        base_url=settings.ANTHROPIC_BASE_URL,
        http_client=transport,
        timeout=TIMEOUT,
        max_retries=3,
        open_telemetry=False,
    )


async def _report(client: "AsyncAnthropic", first: date, last: date, key_id: str) -> Report:
    analytics = client.beta.organization.analytics
    ours: Any = {"api_key_ids": [key_id]} if key_id else {}
    rows: list[Row] = []
    keys: dict[str, int] = {}
    billed = 0
    for start, end in windows(first, last):
        span: Any = {
            "starting_at": start,
            "ending_at": end,
            "time_bucket_width": "1d",
            "limit": PAGE,
        }
        async for used in analytics.usage.list(group_by=GROUPS, **ours, **span):
            rows.append(Row(_place(used), used.usage.requests or 0, _counts(used.usage)))
        costs = analytics.cost.list(group_by=[*GROUPS, "cost_type", "token_type"], **ours, **span)
        async for item in costs:
            billed += pusd(item.cost.amount)
            rows.append(Row(_place(item), money=((_kind(item.group), _list_price(item)),)))
        async for item in _by_key(analytics.cost, span):
            name = item.group.api_key_id or ""
            keys[name] = keys.get(name, 0) + _list_price(item)
    return Report(rows, billed, keys)


async def _by_key(cost: Any, span: dict[str, Any]) -> AsyncIterator[Any]:
    async for item in cost.list(group_by=["api_key_id"], **span):
        yield item


def _place(item: Any) -> Place:
    group = item.group
    return Place(
        day=item.starting_at.astimezone(UTC).date(),
        model=group.model or "",
        speed=group.speed or "standard",
        tier=group.service_tier or "standard",
        geo=group.inference_geo or "global",
        window=group.context_window or "0-200k",
    )


def _counts(usage: Any) -> tuple[tuple[str, int], ...]:
    found = {
        "input": usage.uncached_input_tokens,
        "cache_write_5m": usage.cache_creation.ephemeral_5m_input_tokens,
        "cache_write_1h": usage.cache_creation.ephemeral_1h_input_tokens,
        "cache_read": usage.cache_read_input_tokens,
        "output": usage.output_tokens,
        "web_search": usage.server_tool_use.web_search_requests,
    }
    return tuple((kind, count) for kind, count in found.items() if count)


TOKENS = {
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_read_input_tokens": "cache_read",
    "output_tokens": "output",
    "uncached_input_tokens": "input",
}


def _kind(group: Any) -> str:
    """The ledger's word for a part of the cost; one that it has none for stays as it is."""
    return TOKENS.get(group.token_type or "", group.cost_type or "other")


def _list_price(item: Any) -> int:
    return pusd(item.cost.list_amount)
