"""Who pays for a refusal, by date, category and whether anything had been written."""

from datetime import datetime
from typing import Any

import pytest

from chatapp.pricing.book import PriceBook
from chatapp.pricing.cost import Cost, price
from chatapp.pricing.price_file import parse
from tests.pricing.strategies import PRICES

BOOK = parse(PRICES).book()
BEFORE, FREE, BY_CATEGORY = "2026-06-01T23:59:59Z", "2026-09-23T23:59:59Z", "2026-09-24T00:00:00Z"
OPUS, OTHER = "claude-opus-4-8", "claude-opus-4-7"


def entry(model: str | None, output: int, kind: str = "message") -> dict[str, Any]:
    named = {"model": model} if model else {}
    return {"type": kind, "input_tokens": 100, "output_tokens": output, **named}


def hop(category: str | None) -> dict[str, Any]:
    return {"type": "fallback", "trigger": {"type": "refusal", "category": category}}


def refused(at: str, category: str | None, usage: dict[str, Any], *hops: Any) -> Cost:
    response = {
        "stop_reason": "refusal",
        "stop_details": {"type": "refusal", "category": category},
        "content": list(hops),
    }
    when = datetime.fromisoformat(at)
    return price(BOOK, model=OPUS, at=when, usage=usage, response=response)


def billed(cost: Cost) -> list[bool]:
    return [line.multiplier_bp > 0 for line in cost.lines if line.kind == "input"]


@pytest.mark.parametrize(
    ("at", "category", "output", "pays", "flags"),
    [
        (BEFORE, "cyber", 0, True, ()),
        (BEFORE, None, 0, True, ()),
        ("2026-06-02T00:00:00Z", "cyber", 0, False, ("unbilled_refusal",)),
        ("2026-06-01T20:00:00-04:00", "cyber", 0, False, ("unbilled_refusal",)),
        (FREE, "bio", 0, False, ("unbilled_refusal",)),
        (FREE, None, 0, False, ("unbilled_refusal",)),
        (FREE, "cyber", 1, True, ()),
        (BY_CATEGORY, "bio", 0, True, ()),
        (BY_CATEGORY, "frontier_llm", 0, True, ()),
        (BY_CATEGORY, "reasoning_extraction", 0, True, ()),
        (BY_CATEGORY, "cyber", 0, False, ("unbilled_refusal",)),
        (BY_CATEGORY, "general_harms", 0, False, ("unbilled_refusal",)),
        (BY_CATEGORY, None, 0, False, ("unbilled_refusal", "refusal_category_unknown_or_null")),
        (BY_CATEGORY, "new", 0, False, ("unbilled_refusal", "refusal_category_unknown_or_null")),
        (BY_CATEGORY, None, 1, True, ()),
    ],
)
def test_a_plain_refusal(
    at: str, category: str | None, output: int, pays: bool, flags: tuple[str, ...]
) -> None:
    cost = refused(at, category, {"input_tokens": 100, "output_tokens": output})
    assert billed(cost) == [pays]
    assert cost.flags == flags
    assert cost.amount_pusd == (500_000_000 + output * 25_000_000 if pays else 0)


def test_an_unbilled_refusal_still_shows_its_tokens() -> None:
    [line] = refused(FREE, "cyber", {"input_tokens": 100, "output_tokens": 0}).lines
    assert (line.quantity, line.unit_price_pusd, line.multiplier_bp, line.amount_pusd) == (
        100,
        5_000_000,
        0,
        0,
    )


def test_a_tool_loop_of_one_model_is_one_attempt() -> None:
    usage = {"iterations": [entry(None, 9), entry(OPUS, 0)]}
    assert billed(refused(FREE, "cyber", usage)) == [True, True]


def test_compaction_and_advice_are_work_done_whatever_the_answer() -> None:
    entries = [
        entry(None, 9, "compaction"),
        entry(None, 0),
        entry("claude-opus-4-6", 9, "advisor_message"),
        entry(None, 0),
    ]
    cost = refused(FREE, "cyber", {"iterations": entries})
    assert billed(cost) == [True, False, True, False]
    assert cost.flags == ("unbilled_refusal",)


def test_every_hop_is_judged_by_its_own_block_and_the_last_by_stop_details() -> None:
    entries = [
        entry("claude-fable-5", 0),
        entry(OTHER, 0),
        entry("claude-opus-4-6", 7),
        entry(OPUS, 0, "fallback_message"),
    ]
    blocks = [hop("bio"), hop("cyber"), hop("cyber")]
    cost = refused(BY_CATEGORY, None, {"iterations": entries}, *blocks)
    assert billed(cost) == [True, False, True, False]
    assert cost.flags == ("unbilled_refusal", "refusal_category_unknown_or_null")


def test_an_alias_is_the_same_model() -> None:
    entries = [entry("claude-opus-4-5", 5), entry("claude-opus-4-5-20251101", 0), entry(OPUS, 1)]
    cost = refused(FREE, "cyber", {"iterations": entries}, hop("cyber"))
    assert billed(cost) == [True, True, True]


@pytest.mark.parametrize(
    ("kind", "hops", "expected"),
    [
        ("message", [], [True, True]),
        ("fallback_message", [], [False, True]),
        ("message", [hop("cyber")], [False, True]),
        ("fallback_message", [hop("cyber")], [False, True]),
    ],
)
def test_another_model_is_another_attempt_where_the_turn_fell_back(
    kind: str, hops: list[Any], expected: list[bool]
) -> None:
    entries = [entry(OTHER, 0), entry(OPUS, 5, kind)]
    assert billed(refused(FREE, "cyber", {"iterations": entries}, *hops)) == expected


def test_a_sticky_turn_has_nobody_to_forgive(book: PriceBook) -> None:
    usage = {"iterations": [entry(OPUS, 0, "fallback_message")]}
    response = {"stop_reason": "end_turn", "content": []}
    at = datetime.fromisoformat(FREE)
    cost = price(book, model=OPUS, at=at, usage=usage, response=response)
    assert billed(cost) == [True]
    assert cost.flags == ()


def test_hops_that_the_usage_hides_are_told(book: PriceBook) -> None:
    usage = {"input_tokens": 100, "output_tokens": 9}
    response = {"stop_reason": "end_turn", "content": [hop("cyber")]}
    at = datetime.fromisoformat(FREE)
    cost = price(book, model=OPUS, at=at, usage=usage, response=response)
    assert cost.flags == ("fallback_hops_not_in_usage",)
    assert billed(cost) == [True]
