"""A small price book, and a way to open charges against it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from chatapp.ledger.models import Charge
from chatapp.pricing.models import Model, PriceTier, PriceVersion
from chatapp.pricing.usage import Certainty, Metered

HAIKU, OPUS = "claude-haiku-4-5", "claude-opus-5-5"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def price_version(
    model: str,
    *,
    dollars: int = 1,
    valid_from: datetime = LONG_AGO,
    speed: str = "standard",
    **fields: Any,
) -> PriceVersion:
    """Rates in whole dollars per million input tokens, the rest in the usual proportions."""
    version = PriceVersion.objects.create(
        model_id=model,
        speed=speed,
        valid_from=valid_from,
        web_search_pusd=10**10,
        batch_bp=5000,
        geo_us_bp=11000,
        **fields,
    )
    rate = dollars * 10**6
    PriceTier.objects.create(
        version=version,
        input=rate,
        cache_write_5m=rate * 5 // 4,
        cache_write_1h=rate * 2,
        cache_read=rate // 10,
        output=rate * 5,
    )
    return version


@pytest.fixture
def prices(db: None) -> dict[str, PriceVersion]:
    """Haiku at $1 and Opus at $4 per million input tokens, five times that for output."""
    for name, aliases in {HAIKU: [f"{HAIKU}-20251001"], OPUS: []}.items():
        Model.objects.create(
            id=name,
            name=name,
            aliases=aliases,
            launched=date(2025, 10, 1),
            context_window=200_000,
            max_output=64_000,
        )
    return {HAIKU: price_version(HAIKU), OPUS: price_version(OPUS, dollars=4)}


@pytest.fixture
def authorize(alice: Any, prices: Any) -> Callable[..., Charge]:
    def authorize(**fields: Any) -> Charge:
        return Charge.objects.authorize(
            **{
                "user": alice,
                "source": "anthropic",
                "purpose": "chat",
                "model": HAIKU,
                "max_tokens": 1000,
                "prompt_tokens": 100,
                "reference": uuid4(),
                **fields,
            }
        )

    return authorize


def exact(model: str = HAIKU, *, stop_reason: str = "end_turn", **usage: Any) -> Metered:
    usage = {"input_tokens": 21, "output_tokens": 77, **usage}
    return Metered(model, usage, {"stop_reason": stop_reason}, Certainty.EXACT)


def estimated(model: str = HAIKU, *, likely: int = 50, reported: int = 1, **usage: Any) -> Metered:
    usage = {"input_tokens": 21, "output_tokens": reported, **usage}
    return Metered(model, usage, {}, Certainty.ESTIMATED, likely, reported)


UNKNOWN = Metered("", None, {}, Certainty.UNKNOWN)
