"""Any usage: a second way of computing agrees, lines add up, and the ceiling holds."""

from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chatapp.pricing import money
from chatapp.pricing.book import PriceBook
from chatapp.pricing.cost import ceiling, price
from chatapp.pricing.price_file import parse
from tests.pricing import by_fractions
from tests.pricing.strategies import PRICES, counts, models, requests, responses, times, usages

BOOK: PriceBook = parse(PRICES).book()


@settings(max_examples=1_500, deadline=None)
@given(model=models, at=times(), usage=usages(), response=responses())
def test_a_second_way_of_computing_agrees(
    model: str, at: datetime, usage: dict[str, Any], response: dict[str, Any] | None
) -> None:
    cost = price(BOOK, model=model, at=at, usage=usage, response=response)
    expected = by_fractions.dollars(PRICES, model, at, usage, response)
    if expected is None:
        assert cost.amount_pusd is None
        assert cost.lines == ()
        assert any(flag.startswith("unpriced_") for flag in cost.flags)
        return
    assert cost.amount_pusd == expected * money.PUSD
    assert cost.amount_pusd == sum(line.amount_pusd for line in cost.lines)
    for line in cost.lines:
        assert line.quantity > 0
        product = line.quantity * line.unit_price_pusd * line.multiplier_bp
        assert product == line.amount_pusd * 10_000
        assert all(type(amount) is int for amount in (line.amount_pusd, line.unit_price_pusd))


@settings(max_examples=800, deadline=None)
@given(
    model=models,
    at=times(),
    counted=counts,
    request=requests,
    asked=st.sampled_from(["standard", "fast"]),
    spare=st.integers(0, 9),
)
def test_no_call_costs_more_than_its_ceiling(
    model: str,
    at: datetime,
    counted: dict[str, Any],
    request: dict[str, Any],
    asked: str,
    spare: int,
) -> None:
    usage = {**counted, **request, "iterations": None}
    if asked == "standard":
        usage["speed"] = "standard"
    for ttl, used in (("1h", usage), ("5m", {**usage, "cache_creation": None})):
        spent = price(BOOK, model=model, at=at, usage=used).amount_pusd
        most = ceiling(
            BOOK,
            model=model,
            at=at,
            prompt_tokens=prompt(used) + spare,
            max_tokens=usage["output_tokens"] + spare,
            web_searches=(usage.get("server_tool_use") or {}).get("web_search_requests") or 0,
            speed=asked,
            cache_ttl=ttl,
        )
        assert (most is None) == (BOOK.version(model, asked, at) is None)
        assert spent is None or most is None or spent <= most


def prompt(usage: dict[str, Any]) -> int:
    counted = by_fractions.counts(usage)
    return sum(counted.values()) - counted["out"]


@settings(max_examples=300, deadline=None)
@given(st.integers(-(10**19), 10**19))
def test_dollars_come_back_as_they_went(pusd: int) -> None:
    assert money.pusd(money.dollars(pusd)) == pusd
    shown = money.format_usd(pusd)
    assert shown.startswith("-") == (pusd < 0)
    assert any(digit in shown for digit in "123456789") == (pusd != 0)
