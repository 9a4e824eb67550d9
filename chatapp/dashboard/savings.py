"""What prompt caching saved: the stored tokens at their uncached price, less what was paid."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from chatapp.dashboard.periods import Period
from chatapp.dashboard.sums import Sums
from chatapp.pricing.models import PriceVersion, price_book

NOON = time(12)
CACHED = ("cache_read", "cache_write_5m", "cache_write_1h")


def price_changes(period: Period) -> list[date]:
    """Days of the period on which a model has another price than the day before, at noon UTC."""
    prices = PriceVersion.objects.filter(speed="standard").order_by("model", "valid_from")
    times = [
        after
        for (before, _), (model, after) in pairwise(prices.values_list("model", "valid_from"))
        if before == model
    ]
    half = timedelta(hours=12, microseconds=-1)
    days = {(at + half).astimezone(UTC).date() for at in times}
    return [day for day in days if period.first < day <= period.last]


def cache_savings(by_day_model: Mapping[tuple[date, str], Sums]) -> int | None:
    """pico-USD saved (negative: writes cost more than reads saved); None when nothing was cached.

    Derived, not stored: each day's (or longer time's, when no price changed in it) cached amount times input rate over cache rate, of the model's
    price that day at noon UTC. Multipliers, and tiers that keep the ratio, are in the amount.
    """
    cached = {key: sums for key, sums in by_day_model.items() if any(map(sums.tokens_of, CACHED))}
    if not cached:
        return None
    book, saved = price_book(), 0
    for (day, model), sums in cached.items():
        version = book.version(model, "standard", datetime.combine(day, NOON, UTC))
        if version:
            tier = version.tiers[0]
            for kind in CACHED:
                paid, rate = sums.amount_of(kind), getattr(tier, kind)
                full = paid * tier.input // rate if rate else sums.tokens_of(kind) * tier.input
                saved += full - paid
    return saved
