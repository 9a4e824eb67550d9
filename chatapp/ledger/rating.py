"""What a metered call is to the ledger: an amount with its lines, or the reason there is none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chatapp.ledger.choices import PROMPT, Kind, Status
from chatapp.pricing import cost
from chatapp.pricing.cost import Line, PriceBook
from chatapp.pricing.usage import Certainty, Metered, UsageError

INVALID = "invalid_usage"
IMPLAUSIBLE = "implausible_usage"
ABOVE_HOLD = "above_hold"
ZERO_USAGE = "zero_usage"

# Tokens of one kind in one sampling: a hundred times the largest context window there is. What is
# merely dear is booked as reported, since it will be billed so: advisors and fallbacks may be.
BEYOND_BELIEF = 100_000_000


@dataclass(frozen=True)
class Rated:
    """A call's price. Money is pico-USD; `amount_pusd` is None when unpriced or unknown."""

    status: Status
    amount_pusd: int | None = None
    low_pusd: int | None = None
    high_pusd: int | None = None
    lines: tuple[Line, ...] = ()
    flags: tuple[str, ...] = ()


def rate(
    book: PriceBook,
    metered: Metered,
    *,
    at: datetime,
    max_tokens: int,
    held_pusd: int,
    heard: bool = False,
) -> Rated:
    """The price of what was metered, by the versions in force `at` the call's authorization.

    What the vendor reports is believed unless it cannot be true: then nothing is booked, the raw
    usage is kept, and the charge is unknown with a flag, to be looked at by a person. Of a reply
    that was `heard` and is reported as none, what is reported is booked, with a flag.
    """
    if metered.usage is None or metered.certainty is Certainty.UNKNOWN:
        return Rated(Status.UNKNOWN)
    try:
        rated = _rate(book, metered, metered.usage, at=at, max_tokens=max_tokens)
    except UsageError:
        return Rated(Status.UNKNOWN, flags=(INVALID,))
    if any(line.quantity > BEYOND_BELIEF for line in rated.lines):
        return Rated(Status.UNKNOWN, flags=(*rated.flags, IMPLAUSIBLE))
    if heard and _nothing_written(rated, metered):
        rated = replace(rated, flags=(*rated.flags, ZERO_USAGE))
    if (rated.amount_pusd or 0) > held_pusd:
        return replace(rated, flags=(*rated.flags, ABOVE_HOLD))
    return rated


def tokens(lines: Iterable[Line], usage: Mapping[str, Any] | None) -> tuple[int | None, int | None]:
    """Prompt and output tokens as billed; of an unpriced call as its usage says."""
    lines = tuple(lines)
    if not lines:
        return _tokens_reported(usage or {})
    return (
        sum(line.quantity for line in lines if line.kind in PROMPT),
        sum(line.quantity for line in lines if line.kind == Kind.OUTPUT),
    )


def _rate(
    book: PriceBook, metered: Metered, usage: Mapping[str, Any], *, at: datetime, max_tokens: int
) -> Rated:
    # An absent count is not a count of zero.
    if usage.get("input_tokens") is None and not usage.get("iterations"):
        raise UsageError("no input_tokens")
    priced = cost.rate(book, metered, at=at, max_tokens=max_tokens)
    if priced.cost.amount_pusd is None:
        return Rated(Status.UNPRICED, flags=priced.cost.flags)
    return Rated(
        Status(metered.certainty.value),
        priced.cost.amount_pusd,
        priced.low_pusd,
        priced.high_pusd,
        priced.cost.lines,
        priced.cost.flags,
    )


def _nothing_written(rated: Rated, metered: Metered) -> bool:
    """The final usage has no output, though nothing was declined."""
    if metered.certainty is not Certainty.EXACT or metered.response.get("stop_reason") == "refusal":
        return False
    return not tokens(rated.lines, metered.usage)[1]


def _tokens_reported(usage: Mapping[str, Any]) -> tuple[int | None, int | None]:
    prompt = [
        usage.get(key)
        for key in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    ]
    counted = [count for count in prompt if isinstance(count, int) and count >= 0]
    written = usage.get("output_tokens")
    return (
        sum(counted) if counted else None,
        written if isinstance(written, int) and written >= 0 else None,
    )
