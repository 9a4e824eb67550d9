"""What a call costs: usage and price book into lines of integer pico-USD, exactly."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chatapp.pricing.book import BP, CounterRate, Gap, PriceBook, Tier, Version
from chatapp.pricing.counters import counted
from chatapp.pricing.refusals import unbilled
from chatapp.pricing.segments import TOKEN_KINDS, Reading, Segment, read
from chatapp.pricing.usage import MOST, Certainty, Metered, UsageError

__all__ = [
    "Cost",
    "Line",
    "PriceBook",
    "Rated",
    "affordable",
    "ceiling",
    "looped",
    "price",
    "rate",
]

# What the results of one web search add to the prompts after it, in tokens: nobody states a bound.
SEARCH_TOKENS = 25_000


@dataclass(frozen=True)
class Line:
    """One segment's tokens of one kind: quantity x unit price x multiplier = amount, in pico-USD.

    `multiplier_bp` is in basis points, and 0 where a refusal is not billed. The searches of a
    response stand in a segment of their own, after the last, and so do the counters that were given
    a price: those name a `counter` and its `counter_price` instead of a version.
    """

    segment: int
    segment_type: str
    model: str
    kind: str
    quantity: int
    unit_price_pusd: int
    multiplier_bp: int
    amount_pusd: int
    price_version: int | None
    counter: str = ""
    counter_price: int | None = None


@dataclass(frozen=True)
class Cost:
    """The sum of `lines` in pico-USD; None, never 0, when any part of the call has no price."""

    amount_pusd: int | None
    lines: tuple[Line, ...]
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Rated:
    """A metered call's cost, and the bounds of an estimated one, in pico-USD; else None."""

    cost: Cost
    low_pusd: int | None
    high_pusd: int | None


def price(
    book: PriceBook,
    *,
    model: str,
    at: datetime,
    usage: Mapping[str, Any],
    response: Mapping[str, Any] | None = None,
) -> Cost:
    """What a call to `model`, started `at` (any UTC offset), costs by its raw usage.

    `response` gives stop_reason, stop_details and content, for refusals and fallbacks. Raises
    UsageError when `usage` is none; what merely has no price is None and a flag.
    """
    if at.utcoffset() is None:
        raise UsageError("the time has no UTC offset")
    reading = read(usage, model=model)
    free, flags = unbilled(
        reading.segments, response, billed=book.billed_refusals(at), canonical=book.resolve
    )
    lines: list[Line] = []
    notes: list[str] = [*reading.flags, *flags]
    for index, segment in enumerate(reading.segments):
        speed = "standard" if segment.type == "advisor_message" else reading.speed
        match book.look_up(segment.model, speed, at):
            case Version() as version:
                notes += _flags(version, reading, segment)
                multiplier = 0 if index in free else _multiplier(version, reading)
                lines += _lines(index, segment, version, multiplier)
            case Gap() as gap:
                notes.append(gap.value)
    if reading.web_searches:
        match book.look_up(model, reading.speed, at):
            case Version() as version:
                lines.append(_searches(len(reading.segments), reading, model, version))
            case Gap() as gap:
                notes.append(gap.value)
    lines += (
        _counter(len(reading.segments), quantity, model, rate)
        for rate in book.counters(at)
        if (quantity := counted(usage, rate.counter))
    )
    notes = list(dict.fromkeys(notes))
    if not set(notes).isdisjoint(Gap):
        return Cost(None, (), tuple(notes))
    amount = sum(line.amount_pusd for line in lines)
    if amount > MOST:
        raise UsageError("the counts are beyond any bill")
    return Cost(amount, tuple(lines), tuple(notes))


def rate(book: PriceBook, metered: Metered, *, at: datetime, max_tokens: int | None) -> Rated:
    """The cost of a metered call. An estimate lies between what was reported and `max_tokens`."""
    if metered.usage is None:
        return Rated(Cost(None, (), ("unknown_usage",)), None, None)

    def cost_of(usage: Mapping[str, Any]) -> Cost:
        return price(book, model=metered.model, at=at, usage=usage, response=metered.response)

    if metered.certainty is Certainty.EXACT:
        return Rated(cost_of(metered.usage), None, None)
    guess = metered.estimated_output or metered.reported_output
    cost = cost_of(metered.with_output(guess))
    low = cost_of(metered.with_output(metered.reported_output))
    if max_tokens is None:
        return Rated(cost, low.amount_pusd, None)
    high = cost_of(metered.with_output(max(max_tokens, guess)))
    return Rated(cost, low.amount_pusd, high.amount_pusd)


def ceiling(
    book: PriceBook,
    *,
    model: str,
    at: datetime,
    prompt_tokens: int,
    max_tokens: int,
    web_searches: int = 0,
    speed: str = "standard",
    cache_ttl: str = "5m",
) -> int | None:
    """The most that a call can cost, in pico-USD; None when the model has no price then.

    With searches `prompt_tokens` is the sum over all samplings: see `looped`.

    Law: no usage with at most `prompt_tokens` in, `max_tokens` out, `web_searches` searches and
    cache writes of at most `cache_ttl` costs more, whatever tier, region and speed it gets.
    """
    if not isinstance(book.look_up(model, speed, at), Version):
        return None
    versions = [book.version(model, got, at) for got in {speed, "standard"}]
    return max(
        _worst(tier, prompt_tokens, max_tokens, cache_ttl) * (version.geo_us_bp or BP) // BP
        + web_searches * version.web_search_pusd
        for version in versions
        if version is not None
        for tier in version.tiers
        if tier.over < max(prompt_tokens, 1)
    )


def affordable(book: PriceBook, *, room_pusd: int, max_tokens: int, **call: Any) -> int:
    """The largest max_tokens, up to this one, whose ceiling fits; 0 when none does.

    `call` is the rest of what `ceiling` takes.
    """
    return bisect_right(
        range(1, max_tokens + 1),
        room_pusd,
        key=lambda tokens: ceiling(book, max_tokens=tokens, **call) or 0,
    )


def looped(prompt_tokens: int, *, web_searches: int, max_tokens: int, window: int) -> int:
    """The most tokens that go in over all samplings of a reply that may search the web.

    Each search is followed by another sampling, whose prompt holds all that was found and written
    before it, as far as the model's context window goes.
    """
    grown = (
        prompt_tokens + max_tokens + search * SEARCH_TOKENS for search in range(1, web_searches + 1)
    )
    return prompt_tokens + sum(min(tokens, max(window, prompt_tokens)) for tokens in grown)


def _worst(tier: Tier, prompt_tokens: int, max_tokens: int, cache_ttl: str) -> int:
    write = tier.cache_write_1h if cache_ttl == "1h" else 0
    dearest = max(tier.input, tier.cache_write_5m, tier.cache_read, write)
    return prompt_tokens * dearest + max_tokens * tier.output


def _lines(index: int, segment: Segment, version: Version, multiplier_bp: int) -> Iterator[Line]:
    tier = version.tier(segment.tokens.prompt)
    for kind in TOKEN_KINDS:
        if quantity := getattr(segment.tokens, kind):
            unit = getattr(tier, kind)
            amount = quantity * unit * multiplier_bp // BP
            yield Line(
                index,
                segment.type,
                segment.model,
                kind,
                quantity,
                unit,
                multiplier_bp,
                amount,
                version.id,
            )


def _searches(index: int, reading: Reading, model: str, version: Version) -> Line:
    """The searches' fee, once per response; no multiplier touches it."""
    fee, quantity = version.web_search_pusd, reading.web_searches
    amount = quantity * fee
    return Line(index, "response", model, "web_search", quantity, fee, BP, amount, version.id)


def _counter(index: int, quantity: int, model: str, rate: CounterRate) -> Line:
    """Like searches: once per response, and no multiplier touches it."""
    unit = rate.unit_price_pusd
    line = Line(index, "response", model, "counter", quantity, unit, BP, quantity * unit, None)
    return replace(line, counter=rate.counter, counter_price=rate.id)


def _multiplier(version: Version, reading: Reading) -> int:
    """Batch and region of the request stack; exact, as `Version` allows no other."""
    batch = version.batch_bp if reading.service_tier == "batch" else None
    geo = version.geo_us_bp if reading.inference_geo == "us" else None
    return (batch or BP) * (geo or BP) // BP


def _flags(version: Version, reading: Reading, segment: Segment) -> Iterator[str]:
    """What a reader should know of this segment's price, and the gap when batch has none."""
    if reading.service_tier == "batch" and version.batch_bp is None:
        yield Gap.BATCH.value
    if segment.summed and version.tier(segment.tokens.prompt).over:
        yield "tier_ambiguous"
