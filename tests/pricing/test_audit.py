"""Where a plain reading of the specification is easy to miss: no refusal without a sign of one,
and flags that tell what the request got, whether or not it has a price."""

from typing import Any

import pytest

from chatapp.pricing.book import PriceBook
from chatapp.pricing.cost import price
from tests.pricing.examples import NOON

OPUS, HAIKU = "claude-opus-5", "claude-haiku-4-5"
REFUSED = {"stop_reason": "refusal", "stop_details": {"category": "cyber"}, "content": []}
HOP = {"type": "fallback", "trigger": {"type": "refusal", "category": "cyber"}}


def entry(model: str, output: int, kind: str = "message") -> dict[str, Any]:
    return {"type": kind, "model": model, "input_tokens": 100, "output_tokens": output}


@pytest.mark.parametrize(
    ("response", "last", "pays"),
    [
        (None, "message", [True, True]),
        ({"stop_reason": "end_turn", "content": []}, "message", [True, True]),
        ({"stop_reason": "end_turn", "content": []}, "novel", [True, True]),
        (None, "fallback_message", [False, True]),
        ({"stop_reason": "end_turn", "content": [HOP]}, "message", [False, True]),
        ({"stop_reason": "end_turn", "content": [HOP]}, "fallback_message", [False, True]),
    ],
)
def test_another_model_is_a_declined_hop_only_in_a_fallback_turn(
    book: PriceBook, response: dict[str, Any] | None, last: str, pays: list[bool]
) -> None:
    usage = {"iterations": [entry(HAIKU, 0), entry(OPUS, 9, last)]}
    found = price(book, model=OPUS, at=NOON, usage=usage, response=response)
    assert [line.multiplier_bp > 0 for line in found.lines if line.kind == "input"] == pays
    assert ("unbilled_refusal" in found.flags) != all(pays)


@pytest.mark.parametrize(("written", "pays"), [(9, True), (0, False)])
def test_a_turn_without_fallback_is_refused_before_any_output_or_not_at_all(
    book: PriceBook, written: int, pays: bool
) -> None:
    usage = {"iterations": [entry(HAIKU, written), entry(OPUS, 0)]}
    found = price(book, model=OPUS, at=NOON, usage=usage, response=REFUSED)
    assert {line.multiplier_bp > 0 for line in found.lines} == {pays}


@pytest.mark.parametrize("response", [None, REFUSED])
def test_a_turn_without_an_attempt_has_nothing_to_forgive(
    book: PriceBook, response: dict[str, Any] | None
) -> None:
    usage = {"iterations": [entry(OPUS, 0, "compaction"), entry(HAIKU, 0, "advisor_message")]}
    found = price(book, model=OPUS, at=NOON, usage=usage, response=response)
    assert found.amount_pusd == 600_000_000
    assert found.flags == ()


def test_the_priority_tier_is_told_without_a_price_too(book: PriceBook) -> None:
    usage = {"input_tokens": 10, "output_tokens": 10, "service_tier": "priority"}
    found = price(book, model="claude-opus-9", at=NOON, usage=usage)
    assert found.amount_pusd is None
    assert found.flags == ("priority_list_equivalent", "unpriced_model")


def test_us_inference_of_a_model_before_4_6_is_no_surprise(book: PriceBook) -> None:
    usage = {"input_tokens": 10, "output_tokens": 10, "inference_geo": "us"}
    found = price(book, model=HAIKU, at=NOON, usage=usage)
    assert found.amount_pusd == 60_000_000
    assert found.flags == ()
