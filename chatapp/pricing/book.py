"""The price book as a value: dated price versions, exact aliases and dated refusal rules."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chatapp.pricing.marking import noop

BP = 10_000  # basis points of one
DEAREST = 10**12  # pico-USD: $1,000,000 per million tokens, $1 per search


class Gap(StrEnum):
    """Why there is no price; each is a flag of an unpriced cost."""

    MODEL = "unpriced_model"
    DATE = "unpriced_date"
    SPEED = "unpriced_speed"
    BATCH = "unpriced_batch"


@dataclass(frozen=True)
class Tier:
    """Rates in pico-USD per token, of segments whose prompt is strictly over `over` tokens."""

    over: int
    input: int
    cache_write_5m: int
    cache_write_1h: int
    cache_read: int
    output: int

    @property
    def rates(self) -> tuple[int, ...]:
        return (
            self.input,
            self.cache_write_5m,
            self.cache_write_1h,
            self.cache_read,
            self.output,
        )


@dataclass(frozen=True)
class Version:
    """What one model costs at one speed from `valid_from` on.

    Multipliers are basis points and None where not offered. Raises ValueError for rates that no
    price may have: negative ones, or products with a multiplier that leave a rest of a pico-USD.
    """

    model: str
    speed: str
    valid_from: datetime
    available: bool
    batch_bp: int | None
    geo_us_bp: int | None
    web_search_pusd: int
    tiers: tuple[Tier, ...]
    id: int | None = None

    def __post_init__(self) -> None:
        thresholds = [tier.over for tier in self.tiers]
        if thresholds != sorted(set(thresholds)) or (thresholds or [0])[0] != 0:
            raise ValueError(noop("Tiers start at 0 tokens and rise, each threshold once."))
        if self.available and not self.tiers:
            raise ValueError(noop("A price needs the rates for prompts over 0 tokens."))
        if self.batch_bp is not None and not 0 < self.batch_bp <= BP:
            raise ValueError(noop("The batch multiplier lies over 0 and at most 1."))
        if self.geo_us_bp is not None and self.geo_us_bp < BP:
            raise ValueError(noop("The US multiplier is at least 1."))
        rates = [rate for tier in self.tiers for rate in tier.rates]
        if min([*rates, self.web_search_pusd]) < 0:
            raise ValueError(noop("A price is not negative."))
        if max([*rates, self.web_search_pusd]) > DEAREST:
            raise ValueError(noop("A price is far too dear to be true."))
        if (self.batch_bp or BP) * (self.geo_us_bp or BP) % BP or any(
            rate * multiplier % BP for rate in rates for multiplier in self.multipliers
        ):
            raise ValueError(noop("A rate times a multiplier leaves a fraction of a pico-USD."))

    @property
    def multipliers(self) -> tuple[int, ...]:
        """Every product of batch and region that a call can get, in basis points."""
        batch, geo = self.batch_bp or BP, self.geo_us_bp or BP
        return BP, batch, geo, batch * geo // BP

    def tier(self, prompt: int) -> Tier:
        """The rates of a segment with a prompt of so many tokens."""
        return next(
            (tier for tier in reversed(self.tiers) if prompt > tier.over),
            self.tiers[0],
        )


@dataclass(frozen=True)
class CounterRate:
    """What one count of a counter that no rule knows costs from `valid_from` on, in pico-USD."""

    counter: str
    valid_from: datetime
    unit_price_pusd: int
    id: int | None = None


class PriceBook:
    """Immutable. Of versions of one model and speed that start together, the last given wins."""

    def __init__(
        self,
        *,
        versions: Iterable[Version],
        aliases: Mapping[str, str],
        refusal_rules: Iterable[tuple[datetime, frozenset[str] | None]] = (),
        counters: Iterable[CounterRate] = (),
    ) -> None:
        """`aliases` maps every name a model goes by, its id included, to its id."""
        self._aliases = dict(aliases)
        self._versions: dict[tuple[str, str], list[Version]] = defaultdict(list)
        for version in sorted(versions, key=lambda version: version.valid_from):
            self._versions[version.model, version.speed].append(version)
        self._rules = sorted(refusal_rules, key=lambda rule: rule[0])
        self._counters = sorted(counters, key=lambda rate: (rate.counter, rate.valid_from))

    def resolve(self, model: str) -> str | None:
        """The model's id, by exact match of id or alias."""
        return self._aliases.get(model)

    def version(self, model: str, speed: str, at: datetime) -> Version | None:
        """The version in force at `at`, to the second in any UTC offset; None: not on sale."""
        found = self.look_up(model, speed, at)
        return found if isinstance(found, Version) else None

    def look_up(self, model: str, speed: str, at: datetime) -> Version | Gap:
        """As `version`, and why when there is none."""
        canonical = self.resolve(model)
        if canonical is None:
            return Gap.MODEL
        if (standard := self._in_force(canonical, "standard", at)) is None:
            return Gap.DATE
        if speed == "standard":
            return standard
        return self._in_force(canonical, speed, at) or Gap.SPEED

    def billed_refusals(self, at: datetime) -> frozenset[str] | None:
        """Categories whose refusals before any output are billed at that time; None: all are."""
        index = bisect_right(self._rules, at, key=lambda rule: rule[0])
        return self._rules[index - 1][1] if index else None

    def counters(self, at: datetime) -> Iterable[CounterRate]:
        """The rate in force at that time of each counter that has one."""
        begun = (rate for rate in self._counters if rate.valid_from <= at)
        return {rate.counter: rate for rate in begun}.values()

    def _in_force(self, model: str, speed: str, at: datetime) -> Version | None:
        versions = self._versions.get((model, speed), [])
        index = bisect_right(versions, at, key=lambda version: version.valid_from)
        return versions[index - 1] if index and versions[index - 1].available else None
