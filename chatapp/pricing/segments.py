"""A raw usage read into billable segments: the iterations, or else the top level."""

import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chatapp.pricing.usage import MOST, UsageError

TOKEN_KINDS = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
COUNTERS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
)
ITERATION_TYPES = ("message", "compaction", "advisor_message", "fallback_message")


@dataclass(frozen=True)
class Tokens:
    """Disjoint counts of tokens; `output` includes thinking, `input` is the uncached part only."""

    input: int
    cache_write_5m: int
    cache_write_1h: int
    cache_read: int
    output: int

    @property
    def prompt(self) -> int:
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read


@dataclass(frozen=True)
class Segment:
    """One sampling, billed at one model; `summed` when its counts add up a server-tool loop."""

    type: str
    model: str
    tokens: Tokens
    summed: bool = False

    @property
    def is_attempt(self) -> bool:
        """It tried to answer: compactions and advisors work beside the answer."""
        return self.type not in ("compaction", "advisor_message")


@dataclass(frozen=True)
class Reading:
    segments: tuple[Segment, ...]
    web_searches: int
    service_tier: str
    inference_geo: str
    speed: str
    flags: tuple[str, ...]


def read(usage: object, *, model: str) -> Reading:
    """The billable segments of a raw usage whose response names `model`.

    Unknown counters are passed over; a count that is negative or no whole number, a wrong shape
    and a usage without any count raise UsageError.
    """
    if not isinstance(usage, Mapping):
        raise UsageError(f"usage is not an object: {reprlib.repr(usage)}")
    tools = _object(usage, "server_tool_use")
    flags = []
    if _positive(tools.get("code_execution_requests")):
        flags.append("code_execution_time_not_in_usage")
    if iterations := _entries(usage):
        segments = tuple(_iteration(entry, model) for entry in iterations)
        if any(segment.type not in ITERATION_TYPES for segment in segments):
            flags.append("unknown_iteration_type")
    else:
        summed = any(map(_positive, tools.values()))
        segments = (Segment("message", model, _tokens(usage), summed),)
    tier = _word(usage, "service_tier", "standard")
    geo = _word(usage, "inference_geo", "not_available")
    return Reading(
        segments,
        _count(tools, "web_search_requests") or 0,
        tier,
        geo,
        _word(usage, "speed", "standard"),
        (*flags, *_got(tier, geo)),
    )


def _got(tier: str, geo: str) -> Iterator[str]:
    """What a reader should know of the tier and region that the request got, priced or not."""
    if tier == "priority":
        yield "priority_list_equivalent"
    elif tier not in ("standard", "batch"):
        yield "unknown_service_tier"
    if geo not in ("us", "global", "not_available"):
        yield "unknown_inference_geo"


def _entries(usage: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = usage.get("iterations")
    if entries is None:
        return []
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise UsageError("iterations is not a list of objects")
    return entries


def _iteration(entry: Mapping[str, Any], response_model: str) -> Segment:
    """Its own model, else the response's; an advisor without one has none that has a price."""
    kind = _word(entry, "type", "")[:30]
    own = _word(entry, "model", "")
    match kind:
        case "compaction":
            model = response_model
        case "advisor_message":
            model = own
        case _:
            model = own or response_model
    return Segment(kind, model, _tokens(entry))


def _tokens(usage: Mapping[str, Any]) -> Tokens:
    if all(usage.get(key) is None for key in COUNTERS):
        raise UsageError("no token counts in the usage")
    split = _object(usage, "cache_creation")
    short = _count(split, "ephemeral_5m_input_tokens") or 0
    long = _count(split, "ephemeral_1h_input_tokens") or 0
    total = _count(usage, "cache_creation_input_tokens")
    if total is None:
        total = short + long
    long = min(long, total)
    return Tokens(
        input=_count(usage, "input_tokens") or 0,
        cache_write_5m=total - long,
        cache_write_1h=long,
        cache_read=_count(usage, "cache_read_input_tokens") or 0,
        output=_count(usage, "output_tokens") or 0,
    )


def _count(holder: Mapping[str, Any], key: str) -> int | None:
    return whole(holder.get(key), key)


def whole(value: object, key: str) -> int | None:
    """A count as reported under `key`. Raises UsageError for what is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f"{key} is not a whole number: {reprlib.repr(value)}")
    if not 0 <= value <= MOST:
        raise UsageError(f"{key} is negative or too large: {reprlib.repr(value)}")
    return value


def _object(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UsageError(f"{key} is not an object: {reprlib.repr(value)}")
    return value


def _word(holder: Mapping[str, Any], key: str, default: str) -> str:
    value = holder.get(key)
    if value is None:
        return default
    if not isinstance(value, str):
        raise UsageError(f"{key} is not a text: {reprlib.repr(value)}")
    return value


def _positive(value: object) -> bool:
    return isinstance(value, int) and value > 0
