"""Every worked example comes out to the pico-USD: totals, lines, segments, flags and streams."""

from datetime import datetime
from typing import Any

import pytest

from chatapp.pricing import money
from chatapp.pricing.book import PriceBook
from chatapp.pricing.cost import price, rate
from chatapp.pricing.usage import Accumulator
from tests.pricing.examples import STREAMS, VECTORS, by_kind, segments


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vector(book: PriceBook, vector: dict[str, Any]) -> None:
    cost = price(
        book,
        model=vector["model"],
        at=datetime.fromisoformat(vector["at"]),
        usage=vector["usage"],
        response=vector.get("response"),
    )
    assert cost.amount_pusd == vector["expected_pusd"]
    if cost.amount_pusd is not None:
        assert money.exact(cost.amount_pusd) == vector["expected_usd"]
    assert by_kind(cost, iterated=bool(vector["usage"].get("iterations"))) == vector["lines"]
    assert list(cost.flags) == vector.get("flags", [])
    if "segments" in vector:
        keys = ("kind", "model", "billed", "usd")
        for found, expected in zip(segments(cost), vector["segments"], strict=True):
            assert {key: found[key] for key in keys} == {key: expected[key] for key in keys}


@pytest.mark.parametrize("vector", STREAMS, ids=lambda vector: vector["name"])
def test_stream_vector(book: PriceBook, vector: dict[str, Any]) -> None:
    stream = Accumulator()
    for event in vector["events"]:
        stream.feed(event)
    metered = stream.metered(vector["max_tokens"])
    rated = rate(
        book, metered, at=datetime.fromisoformat(vector["at"]), max_tokens=vector["max_tokens"]
    )
    assert stream.usage == vector["merged_usage"]
    assert (metered.model, metered.certainty) == (vector["model"], vector["status"])
    assert usd(rated.low_pusd) == vector["lower_usd"]
    assert usd(rated.high_pusd) == vector["upper_usd"]
    if vector["status"] == "exact":
        assert usd(rated.cost.amount_pusd) == vector["expected_usd"]
    else:
        assert rated.low_pusd <= rated.cost.amount_pusd <= rated.high_pusd


def usd(pusd: int | None) -> str | None:
    return None if pusd is None else money.exact(pusd)
