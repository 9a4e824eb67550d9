"""Pico-USD to people and back."""

from decimal import Decimal
from typing import Any

import pytest
from django.template import Context, Template

from chatapp.pricing import money, words


@pytest.mark.parametrize(
    ("pusd", "auto", "exact"),
    [
        (None, "unpriced", "unpriced"),
        (0, "$0.00", "$0.00"),
        (1, "$0.000000000001", "$0.000000000001"),
        (5_500, "$0.0000000055", "$0.0000000055"),
        (406_000_000, "$0.000406", "$0.000406"),
        (38_750_000_000, "$0.0388", "$0.03875"),
        (500_000_000_000, "$0.50", "$0.50"),
        (999_900_000_000, "$1.00", "$0.9999"),
        (12_340_000_000_000, "$12.34", "$12.34"),
        (12_345_678_000_000, "$12.35", "$12.345678"),
        (1_234_567_000_000_000_000, "$1,234,567.00", "$1,234,567.00"),
        (-3_110_000_000_000, "-$3.11", "-$3.11"),
        (-406_000_000, "-$0.000406", "-$0.000406"),
    ],
)
def test_amounts(pusd: int | None, auto: str, exact: str) -> None:
    assert money.format_usd(pusd) == auto
    assert money.format_usd(pusd, "exact") == exact


def test_a_price_never_reads_as_nothing() -> None:
    assert money.format_usd(12_345_678_000_000, 4) == "$12.3457"
    assert money.format_usd(406_000_000, 2) == "$0.000406"
    assert money.format_usd(0, 4) == "$0.0000"
    assert money.format_usd(-1_000_000_000_000, 0) == "-$1"


@pytest.mark.parametrize(
    ("pusd", "shown"),
    [(5_000_000, "$5"), (100_000, "$0.10"), (125_000, "$0.125"), (37_500_000, "$37.50"), (0, "$0")],
)
def test_prices_per_million_tokens(pusd: int, shown: str) -> None:
    assert money.format_per_mtok(pusd) == shown


@pytest.mark.parametrize(
    ("pusd", "sentence"),
    [
        (406_000_000, "A call like this costs $0.000406; 2,463 of them cost a dollar."),
        (500_000_000_000, "A call like this costs $0.50; 2 of them cost a dollar."),
        (600_000_000_000, "A call like this costs $0.60."),
        (2_000_000_000_000, "A call like this costs $2.00."),
        (0, "A call like this costs nothing."),
        (None, "What a call like this costs is not known."),
    ],
)
def test_what_a_call_like_this_costs(pusd: int | None, sentence: str) -> None:
    assert words.calls_like_this(pusd) == sentence


@pytest.mark.parametrize(
    ("typed", "pusd"),
    [
        ("0.000406", 406_000_000),
        ("12", 12 * 10**12),
        ("-0.5", -(10**12) // 2),
        (Decimal("1e-12"), 1),
    ],
)
def test_dollars_in(typed: Any, pusd: int) -> None:
    assert money.pusd(typed) == pusd
    assert money.pusd(money.dollars(pusd)) == pusd


@pytest.mark.parametrize(
    "typed", ["NaN", "sNaN", "Infinity", "1e-13", "1e31", "1e999999999", "1e-99", "", "x", "1,5"]
)
def test_what_is_no_amount(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        money.pusd(typed)


def test_in_templates() -> None:
    page = Template(
        '{% load money %}{{ a|usd }} {{ a|usd:"exact" }} {{ none|usd }} {{ b|per_mtok }}'
    )
    shown = page.render(Context({"a": 38_750_000_000, "b": 5_000_000, "none": None}))
    assert shown == "$0.0388 $0.03875 unpriced $5"
