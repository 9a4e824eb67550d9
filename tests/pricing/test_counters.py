"""How much a usage counts of what no rule knows, and what that costs once it has a price."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatapp.pricing.book import CounterRate, PriceBook
from chatapp.pricing.cost import price
from chatapp.pricing.counters import counted, unknown_counters
from chatapp.pricing.usage import UsageError

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
HAIKU = "claude-haiku-4-5"
TOOL = "server_tool_use.tool_search_requests"


@pytest.mark.parametrize(
    ("usage", "name", "expected"),
    [
        ({"a": 3}, "a", 3),
        ({"a": None}, "a", 0),
        ({"a": 2**63 - 1}, "a", 2**63 - 1),
        ({"b": {"a": 3}}, "a", 0),
        ({"b": {"a": 3}}, "b.a", 3),
        # As of tokens, what the iterations tell stands for the top level.
        ({"a": 9, "iterations": [{"a": 3}, {"a": 4}, {}]}, "a", 7),
        ({"a": 9, "iterations": [{"b": 3}, "odd"]}, "a", 9),
    ],
)
def test_what_is_counted(usage: dict[str, Any], name: str, expected: int) -> None:
    assert counted(usage, name) == expected


@pytest.mark.parametrize("value", [-1, 1.5, "2", True, 2**63, [1], float("nan")])
def test_what_is_no_count_is_an_error(value: object) -> None:
    with pytest.raises(UsageError):
        counted({"a": value}, "a")


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, []),
        ({}, []),
        ({"input_tokens": 5, "output_tokens": 5, "new": 1}, ["new"]),
        ({"a": 0, "b": None, "c": "3", "d": True, "e": [3]}, []),
        ({"a": 0.5, "b": -1}, ["a", "b"]),
        ({"server_tool_use": {"web_search_requests": 1, "new": 2}}, ["server_tool_use.new"]),
        ({"a": 1, "iterations": [{"type": "message", "b": 2}, {"a": 3, "b": 4}]}, ["a", "b"]),
    ],
)
def test_what_no_rule_knows_is_named_once(
    usage: dict[str, Any] | None, expected: list[str]
) -> None:
    assert unknown_counters(usage) == expected


def cost(
    book: PriceBook, at: datetime = AT, model: str = HAIKU, **usage: Any
) -> tuple[int | None, list[tuple[str, int, int, int | None]]]:
    usage = {"input_tokens": 1, "server_tool_use": {"tool_search_requests": 2}, **usage}
    found = price(book, model=model, at=at, usage=usage)
    lines = [
        (line.kind, line.quantity, line.amount_pusd, line.counter_price) for line in found.lines
    ]
    return found.amount_pusd, lines


def test_the_rate_in_force_is_added_once_and_takes_no_multiplier(book: PriceBook) -> None:
    rates = [
        CounterRate(TOOL, AT, 7, id=1),
        CounterRate(TOOL, AT + timedelta(seconds=1), 9, id=2),
        CounterRate("other", AT, 5, id=3),
    ]
    priced = PriceBook(
        versions=[v for versions in book._versions.values() for v in versions],
        aliases=book._aliases,
        counters=rates,
    )
    plain = ("input", 1, 10**6, None)
    assert cost(book) == (10**6, [plain])
    assert cost(priced, AT - timedelta(seconds=1))[1] == [plain]
    assert cost(priced) == (10**6 + 14, [plain, ("counter", 2, 14, 1)])
    assert cost(priced, AT + timedelta(seconds=1))[0] == 10**6 + 18
    both = cost(priced, other=4, service_tier="batch")
    half = ("input", 1, 5 * 10**5, None)
    assert both == (5 * 10**5 + 34, [half, ("counter", 4, 20, 3), ("counter", 2, 14, 1)])
    # One part without a price still leaves the whole call without.
    assert cost(priced, model="claude-unheard-of") == (None, [])
