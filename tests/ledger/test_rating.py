"""What metered calls are to the ledger, at the edges of what is believed; no database."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chatapp.ledger.choices import Status
from chatapp.ledger.rating import Rated, rate, tokens
from chatapp.pricing.book import PriceBook, Tier, Version
from chatapp.pricing.usage import Certainty, Metered

HAIKU = "claude-haiku-4-5"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOOK = PriceBook(
    versions=[Version(HAIKU, "standard", NOON, True, None, None, 0, (Tier(0, 3, 3, 3, 3, 5),))],
    aliases={HAIKU: HAIKU},
)


def rated(
    model: str = HAIKU, *, certainty: Certainty = Certainty.EXACT, held: int = 10**12, **usage: Any
) -> Rated:
    metered = Metered(model, usage or None, {}, certainty)
    return rate(BOOK, metered, at=NOON, max_tokens=100, held_pusd=held)


def test_usage_that_nobody_vouches_for_is_unknown() -> None:
    assert rated() == Rated(Status.UNKNOWN)
    counts = {"input_tokens": 1, "output_tokens": 1}
    assert rated(certainty=Certainty.UNKNOWN, **counts) == Rated(Status.UNKNOWN)
    assert rated(**counts).amount_pusd == 8


@pytest.mark.parametrize(
    ("count", "status", "flags"),
    [(100_000_000, "exact", ()), (100_000_001, "unknown", ("implausible_usage",))],
)
def test_where_belief_ends(count: int, status: str, flags: tuple[str, ...]) -> None:
    found = rated(input_tokens=count, output_tokens=0)
    assert (found.status, found.flags) == (status, flags)
    assert found.amount_pusd == (300_000_000 if status == "exact" else None)


@pytest.mark.parametrize(("held", "flags"), [(8, ()), (7, ("above_hold",))])
def test_what_comes_to_the_hold_is_not_above_it(held: int, flags: tuple[str, ...]) -> None:
    assert rated(held=held, input_tokens=1, output_tokens=1).flags == flags


def test_what_has_no_price_is_above_nothing() -> None:
    found = rated("claude-unheard-of", held=0, input_tokens=1, output_tokens=1)
    assert (found.status, found.flags) == ("unpriced", ("unpriced_model",))
    free = rated(held=0, input_tokens=0, output_tokens=0)
    assert (free.amount_pusd, free.flags) == (0, ())


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 0, "output_tokens": 0}, (0, 0)),
        ({"input_tokens": 2, "cache_read_input_tokens": 3, "output_tokens": 1}, (5, 1)),
        ({"input_tokens": -1, "output_tokens": -1}, (None, None)),
        ({"input_tokens": "2", "output_tokens": "1"}, (None, None)),
        (None, (None, None)),
    ],
)
def test_tokens_without_a_price_are_those_reported(
    usage: dict[str, Any] | None, expected: tuple[int | None, int | None]
) -> None:
    assert tokens((), usage) == expected
