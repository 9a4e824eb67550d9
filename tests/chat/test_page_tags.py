"""The chat page's own words for numbers."""

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from chatapp.chat.templatetags.chat import about_usd, branches, compact, example_usd, examples


@pytest.mark.parametrize(
    ("tokens", "text"), [(999, "999"), (8_192, "8.19k"), (200_000, "200k"), (1_000_000, "1M")]
)
def test_windows_are_short(tokens: int, text: str) -> None:
    assert compact(tokens) == text


def test_an_example_costs_about_two_digits() -> None:
    price = SimpleNamespace(input=1_000_000, output=5_000_000)
    fast = SimpleNamespace(input=2_000_000, output=10_000_000)
    prices: Any = {"standard": SimpleNamespace(tiers=[price])}
    assert example_usd(examples()[0], prices, "") == "$0.0023"
    assert example_usd(examples()[0], prices, "fast") == "$0.0023"  # not sold
    prices["fast"] = SimpleNamespace(tiers=[fast])
    assert example_usd(examples()[0], prices, "fast") == "$0.0046"
    assert example_usd(examples()[0], {}, "") == ""
    assert (about_usd(123_456_789), about_usd(7), about_usd(None)) == (
        "$0.00012",
        "$0.000000000007",
        "",
    )


def test_a_message_knows_its_place_among_its_siblings() -> None:
    first, second, third = uuid4(), uuid4(), uuid4()
    message = SimpleNamespace(id=second, siblings=[first, second, third])
    place = branches(message)
    assert (place.number, place.before, place.after) == (2, first, third)
    message.id = third
    assert branches(message).after is None
