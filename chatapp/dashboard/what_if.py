"""What the stored calls would have cost otherwise: a pure function of the usage that was kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chatapp.pricing.book import PriceBook
from chatapp.pricing.cost import price
from chatapp.pricing.usage import Certainty, Metered, UsageError


@dataclass(frozen=True)
class Scenario:
    """What is to be otherwise: another model, the prices of another moment, no caching."""

    model: str = ""
    at: datetime | None = None
    cached: bool = True

    @property
    def changes(self) -> bool:
        return bool(self.model or self.at or not self.cached)


@dataclass(frozen=True)
class Call:
    """One call as the ledger has it. `amount_pusd` is pico-USD."""

    model: str
    at: datetime
    amount_pusd: int
    metered: Metered


@dataclass
class Outcome:
    """Some calls' money as it is and as it would be, in pico-USD; `unpriced` calls are in neither."""

    calls: int = 0
    actual_pusd: int = 0
    otherwise_pusd: int = 0
    unpriced: int = 0

    @property
    def difference_pusd(self) -> int:
        return self.otherwise_pusd - self.actual_pusd


def replay(book: PriceBook, calls: Iterable[Call], scenario: Scenario) -> dict[str, Outcome]:
    """The outcome by the model that served."""
    found: dict[str, Outcome] = {}
    for call in calls:
        outcome = found.setdefault(call.model, Outcome())
        otherwise = cost(book, call, scenario)
        if otherwise is None:
            outcome.unpriced += 1
        else:
            outcome.calls += 1
            outcome.actual_pusd += call.amount_pusd
            outcome.otherwise_pusd += otherwise
    return found


def cost(book: PriceBook, call: Call, scenario: Scenario) -> int | None:
    """One call in pico-USD, None where the scenario has no price for it."""
    metered = call.metered
    usage: Mapping[str, Any] = metered.usage or {}
    if metered.certainty is Certainty.ESTIMATED:
        usage = metered.with_output(metered.estimated_output or metered.reported_output)
    if not scenario.cached:
        usage = uncached(usage)
    if scenario.model:
        usage = moved(usage)
    try:
        found = price(
            book,
            model=scenario.model or metered.model or call.model,
            at=scenario.at or call.at,
            usage=usage,
            response=metered.response,
        )
    except UsageError:
        return None
    return found.amount_pusd


def uncached(usage: Mapping[str, Any]) -> dict[str, Any]:
    """The same prompt, nothing of it written to or read from a cache."""
    plain = {key: value for key, value in usage.items() if key not in _CACHE}
    plain["input_tokens"] = (usage.get("input_tokens") or 0) + _cached(usage)
    if entries := usage.get("iterations"):
        plain["iterations"] = [uncached(entry) for entry in entries]
    return plain


def moved(usage: Mapping[str, Any]) -> dict[str, Any]:
    """The usage as another model's: every sampling but an advisor's its own, at standard speed."""
    found = {key: value for key, value in usage.items() if key != "speed"}
    if entries := usage.get("iterations"):
        found["iterations"] = [
            entry
            if entry.get("type") == "advisor_message"
            else {key: value for key, value in entry.items() if key != "model"}
            for entry in entries
        ]
    return found


_CACHE = ("cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation")


def _cached(usage: Mapping[str, Any]) -> int:
    written = usage.get("cache_creation_input_tokens")
    if written is None:
        written = sum(v for v in (usage.get("cache_creation") or {}).values() if isinstance(v, int))
    return int(written) + int(usage.get("cache_read_input_tokens") or 0)
