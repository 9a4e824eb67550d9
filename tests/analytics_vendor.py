"""The vendor's usage and cost reports over real HTTP, derived from a bill; prices as fractions.

It answers as `/v1/organizations/analytics/{usage,cost}` does: Admin key and beta header demanded, at
most 31 days and five dimensions a question, day buckets, pages with an opaque cursor, amounts as
strings of fractional cents. `page` keeps pages small, so that every test turns some.
"""

import asyncio
import base64
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.pricing import by_fractions

PRICES = json.loads(
    (Path(__file__).parent.parent / "chatapp" / "pricing" / "data" / "prices.json").read_text()
)
BETA = "analytics-usage-cost-2026-08-24"
COST = {"cost_type", "token_type"}
TOKEN_TYPES = {
    "in": "uncached_input_tokens",
    "w5": "cache_creation.ephemeral_5m_input_tokens",
    "w1": "cache_creation.ephemeral_1h_input_tokens",
    "rd": "cache_read_input_tokens",
    "out": "output_tokens",
}


@dataclass
class Billed:
    """One request as the vendor booked it; `samplings` share its tokens, each with its own prompt."""

    at: datetime
    model: str
    usage: dict[str, Any]
    key: str = "apikey_ours"
    samplings: int = 1

    def group(self, name: str) -> Any:
        match name:
            case "model":
                return self.model
            case "api_key_id":
                return self.key
            case "context_window":
                return "200k-1M" if self.prompt > 200_000 else "0-200k"
            case "inference_geo":
                geo = self.usage.get("inference_geo")
                return geo if geo in ("us", "global") else None
            case "speed" | "service_tier":
                return self.usage.get(name) or "standard"
        raise KeyError(name)

    @property
    def counts(self) -> dict[str, int]:
        return by_fractions.counts(self.usage)

    @property
    def searches(self) -> int:
        return (self.usage.get("server_tool_use") or {}).get("web_search_requests") or 0

    @property
    def prompt(self) -> int:
        return (sum(self.counts.values()) - self.counts["out"]) // self.samplings

    def dollars(self) -> dict[str, Fraction]:
        """List price by token type, and of the searches."""
        row = by_fractions._row(PRICES, self.model, self.group("speed"), self.at)
        assert row
        factor = Fraction(1)
        if self.group("service_tier") == "batch":
            factor *= Fraction(row["batch"])
        if self.group("inference_geo") == "us":
            factor *= Fraction(row["geo_us"] or 1)
        [*_, rates] = [
            tier for tier in row["tiers"] if not tier["over"] or self.prompt > tier["over"]
        ]
        found = {
            TOKEN_TYPES[kind]: count * Fraction(rates[by_fractions.RATE_OF[kind]]) * factor / 10**6
            for kind, count in self.counts.items()
            if count
        }
        if self.searches:
            found["web_search"] = self.searches * Fraction(row["web_search_per_1000"]) / 1000
        return found


@dataclass
class AnalyticsVendor:
    """The server, in a thread of its own. `discount` is what is billed of the list price."""

    bill: list[Billed] = field(default_factory=list)
    discount: Fraction = Fraction(1)
    page: int = 3
    asked: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "AnalyticsVendor":
        ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, args=[ready], daemon=True)
        self.thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        self.loop.call_soon_threadsafe(self.done.set)
        self.thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        with closing(self.loop):
            self.loop.run_until_complete(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self.done = asyncio.Event()
        app = web.Application()
        app.router.add_get("/v1/organizations/analytics/{report:usage|cost}", self.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        ready.set()
        await self.done.wait()
        await runner.cleanup()

    async def answer(self, request: web.Request) -> web.Response:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not request.headers.get("x-api-key", bearer).startswith("sk-ant-admin"):
            return refusal(401, "authentication_error", "an Admin key is required")
        if BETA not in request.headers.get("anthropic-beta", ""):
            return refusal(400, "invalid_request_error", "anthropic-beta")
        query = request.query
        groups = query.getall("group_by[]", [])
        start = datetime.fromisoformat(query["starting_at"])
        end = datetime.fromisoformat(query["ending_at"])
        self.asked.append({"report": request.match_info["report"], "start": start, "end": end})
        if end - start > timedelta(days=31):
            return refusal(400, "invalid_request_error", "the range may span at most 31 days")
        if len(set(groups) - COST) > 5 or not 1 <= int(query.get("limit", 20)) <= 1000:
            return refusal(400, "invalid_request_error", "group_by[] or limit")
        keys = query.getall("api_key_ids[]", [])
        calls = [b for b in self.bill if start <= b.at < end and (not keys or b.key in keys)]
        usage = request.match_info["report"] == "usage"
        rows = list(self.usage(calls, groups) if usage else self.cost(calls, groups))
        at = int(base64.b64decode(query["page"])) if query.get("page") else 0
        more = at + self.page < len(rows)
        cursor = base64.b64encode(str(at + self.page).encode()).decode() if more else None
        return web.json_response(
            {"data": rows[at : at + self.page], "has_more": more, "next_page": cursor}
        )

    def usage(self, calls: list[Billed], groups: list[str]) -> Iterator[dict[str, Any]]:
        for row, some in buckets(calls, groups):
            sums = Counter[str]()
            for call in some:
                sums.update(call.counts)
            yield row | {
                "usage": {
                    "uncached_input_tokens": sums["in"],
                    "cache_creation": {
                        "ephemeral_5m_input_tokens": sums["w5"],
                        "ephemeral_1h_input_tokens": sums["w1"],
                    },
                    "cache_read_input_tokens": sums["rd"],
                    "output_tokens": sums["out"],
                    "requests": len(some),
                    "server_tool_use": {"web_search_requests": sum(c.searches for c in some)},
                    "total_tokens": sum(sums.values()),
                }
            }

    def cost(self, calls: list[Billed], groups: list[str]) -> Iterator[dict[str, Any]]:
        for row, some in buckets(calls, [name for name in groups if name not in COST]):
            sums: dict[str, Fraction] = defaultdict(Fraction)
            for call in some:
                for part, dollars in call.dollars().items():
                    sums[part] += dollars
            if not COST & set(groups):
                sums = {"": sum(sums.values(), Fraction(0))}
            for part, dollars in sums.items():
                kinds = {"cost_type": None, "token_type": None}
                if part:
                    tokens = part != "web_search"
                    kinds = {
                        "cost_type": "tokens" if tokens else part,
                        "token_type": part if tokens else None,
                    }
                amounts = {
                    "amount": cents(dollars * self.discount),
                    "list_amount": cents(dollars),
                    "currency": "USD",
                }
                yield row | {"group": row["group"] | kinds, "cost": amounts}


def buckets(
    calls: list[Billed], groups: list[str]
) -> Iterator[tuple[dict[str, Any], list[Billed]]]:
    found: dict[Any, list[Billed]] = defaultdict(list)
    for call in calls:
        values = tuple(call.group(name) for name in groups)
        found[call.at.astimezone(UTC).date(), values].append(call)
    for (day, values), some in found.items():
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        row = {
            "starting_at": start.isoformat(),
            "ending_at": (start + timedelta(days=1)).isoformat(),
            "group": dict(zip(groups, values, strict=True)),
        }
        yield row, some


def cents(dollars: Fraction) -> str:
    value = dollars * 100
    return f"{Decimal(value.numerator) / Decimal(value.denominator):f}"


def refusal(status: int, kind: str, message: str) -> web.Response:
    body = {"type": "error", "error": {"type": kind, "message": message}}
    return web.json_response(body, status=status)
