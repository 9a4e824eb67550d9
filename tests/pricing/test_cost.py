"""The corners of a price that no worked example turns."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from chatapp.pricing import money
from chatapp.pricing.book import PriceBook, Tier, Version
from chatapp.pricing.cost import Cost, affordable, ceiling, looped, price, rate
from chatapp.pricing.price_file import PriceFile
from chatapp.pricing.segments import MOST
from chatapp.pricing.usage import Certainty, Metered, UsageError
from tests.pricing.examples import NOON

TEN = {"input_tokens": 10, "output_tokens": 10}


def usd(cost: Cost) -> str | None:
    return None if cost.amount_pusd is None else money.exact(cost.amount_pusd)


def cost(
    book: PriceBook, usage: dict[str, Any], model: str = "claude-opus-5-5", **rest: Any
) -> Cost:
    return price(book, model=model, at=rest.pop("at", NOON), usage=usage, **rest)


@pytest.mark.parametrize(
    ("writes", "expected"),
    [
        ({"cache_creation_input_tokens": 100}, {"5m": 100}),
        ({"cache_creation_input_tokens": 100, "cache_creation": {}}, {"5m": 100}),
        ({"cache_creation_input_tokens": 100, "cache_creation": {"1h": 30}}, {"5m": 70, "1h": 30}),
        ({"cache_creation_input_tokens": 100, "cache_creation": {"5m": 30}}, {"5m": 100}),
        ({"cache_creation_input_tokens": 100, "cache_creation": {"5m": 9, "1h": 300}}, {"1h": 100}),
        (
            {"cache_creation_input_tokens": 100, "cache_creation": {"5m": 90, "1h": 60}},
            {"5m": 40, "1h": 60},
        ),
        ({"cache_creation_input_tokens": 0, "cache_creation": {"5m": 9, "1h": 9}}, {}),
        ({"cache_creation": {"5m": 9, "1h": 8}}, {"5m": 9, "1h": 8}),
        ({"cache_creation_input_tokens": None, "cache_creation": {"1h": 8}}, {"1h": 8}),
        ({"cache_creation": {"5m": None, "1h": None}}, {}),
    ],
)
def test_cache_writes_that_are_split_somehow(
    book: PriceBook, writes: dict[str, Any], expected: dict[str, int]
) -> None:
    if split := writes.get("cache_creation"):
        named = {f"ephemeral_{ttl}_input_tokens": count for ttl, count in split.items()}
        writes = {**writes, "cache_creation": named}
    lines = cost(book, {"input_tokens": 0, **writes}).lines
    found = {line.kind.removeprefix("cache_write_"): line.quantity for line in lines}
    assert found == expected


@pytest.mark.parametrize(
    ("model", "request_", "at", "factor", "flags"),
    [
        ("claude-opus-5-5", {"service_tier": "batch", "inference_geo": "us"}, NOON, 5_500, ()),
        ("claude-haiku-4-5", {"inference_geo": "us"}, NOON, 10_000, ()),
        ("claude-opus-5-5", {"inference_geo": "eu"}, NOON, 10_000, ("unknown_inference_geo",)),
        ("claude-opus-5-5", {"service_tier": "flex"}, NOON, 10_000, ("unknown_service_tier",)),
        (
            "claude-opus-5-5",
            {"speed": "fast", "service_tier": "batch"},
            NOON,
            None,
            ("unpriced_batch",),
        ),
        ("claude-opus-5-5", {"speed": "warp"}, NOON, None, ("unpriced_speed",)),
        ("claude-haiku-4-5", {"speed": "fast"}, NOON, None, ("unpriced_speed",)),
        ("claude-opus-5-5-20260922", {}, NOON, None, ("unpriced_model",)),
        ("Claude-Opus-5-5", {}, NOON, None, ("unpriced_model",)),
        ("", {}, NOON, None, ("unpriced_model",)),
    ],
)
def test_what_the_request_got(
    book: PriceBook,
    model: str,
    request_: dict[str, str],
    at: datetime,
    factor: int | None,
    flags: tuple[str, ...],
) -> None:
    found = cost(book, {**TEN, **request_}, model, at=at)
    assert found.flags == flags
    assert {line.multiplier_bp for line in found.lines} == ({factor} if factor else set())
    assert (found.amount_pusd is None) == (factor is None)


def test_the_smallest_price_is_still_whole(book: PriceBook) -> None:
    usage = {"cache_read_input_tokens": 1, "service_tier": "batch", "inference_geo": "us"}
    assert usd(cost(book, usage, "claude-haiku-5-5")) == "0.0000000055"


def test_prices_change_to_the_second_wherever_the_caller_is(book: PriceBook) -> None:
    launch = datetime(2026, 10, 7, tzinfo=UTC)
    for at, known in ((launch - timedelta(microseconds=1), False), (launch, True)):
        for hours in (-11, 0, 5.5, 14):
            moved = at.astimezone(timezone(timedelta(hours=hours)))
            assert (cost(book, TEN, "claude-haiku-5-5", at=moved).amount_pusd is not None) == known
    with pytest.raises(UsageError, match="offset"):
        cost(book, TEN, at=datetime(2026, 11, 20))


def test_iterations_are_billed_and_the_top_level_is_not(book: PriceBook) -> None:
    usage = {
        "input_tokens": -5,
        "output_tokens": "many",
        "iterations": [{"type": "message", **TEN}],
    }
    assert usd(cost(book, usage)) == "0.00024"
    assert usd(cost(book, {**TEN, "iterations": []})) == "0.00024"


def test_each_segment_has_its_own_tier(book: PriceBook) -> None:
    short, long = (
        {"type": "message", "input_tokens": n, "output_tokens": 0} for n in (100_000, 100_001)
    )
    found = cost(book, {"iterations": [short, long]}, "claude-haiku-5-5")
    assert [line.unit_price_pusd for line in found.lines] == [100_000, 500_000]
    assert found.flags == ()


@pytest.mark.parametrize(
    ("model", "tokens", "tools", "flagged"),
    [
        ("claude-haiku-5-5", 100_001, {"web_search_requests": 1}, True),
        ("claude-haiku-5-5", 100_001, {"web_fetch_requests": 1}, True),
        ("claude-haiku-5-5", 100_001, {"web_search_requests": 0}, False),
        ("claude-haiku-5-5", 100_000, {"web_search_requests": 1}, False),
        ("claude-opus-5-5", 100_001, {"web_search_requests": 1}, False),
        ("claude-haiku-5-5", 100_001, {"novel": "x"}, False),
    ],
)
def test_a_sum_over_a_tool_loop_may_hide_its_tier(
    book: PriceBook, model: str, tokens: int, tools: dict[str, Any], flagged: bool
) -> None:
    usage = {"input_tokens": tokens, "server_tool_use": tools}
    assert ("tier_ambiguous" in cost(book, usage, model).flags) == flagged


def test_container_time_is_not_in_the_usage(book: PriceBook) -> None:
    found = cost(book, {**TEN, "server_tool_use": {"code_execution_requests": 2}})
    assert found.flags == ("code_execution_time_not_in_usage",)
    assert usd(found) == "0.00024"


def test_one_part_without_a_price_leaves_the_whole_without(book: PriceBook) -> None:
    message, advisor = {"type": "message", **TEN}, {"type": "advisor_message", **TEN}
    for entries in (
        [message, {**advisor, "model": "claude-opus-9"}],
        [message, advisor],
        [{**message, "model": "claude-opus-9"}, message],
    ):
        found = cost(book, {"iterations": entries})
        assert (found.amount_pusd, found.lines, found.flags) == (None, (), ("unpriced_model",))


def test_searches_of_a_model_without_a_price_are_no_gift(book: PriceBook) -> None:
    usage = {
        "iterations": [{"type": "message", "model": "claude-opus-5", **TEN}],
        "server_tool_use": {"web_search_requests": 1},
    }
    assert cost(book, usage, "claude-opus-9").amount_pusd is None
    assert usd(cost(book, usage)) == "0.0103"


def test_an_advisor_works_at_standard_speed_and_in_the_requests_region(book: PriceBook) -> None:
    usage = {
        "speed": "fast",
        "inference_geo": "us",
        "iterations": [
            {"type": "message", **TEN},
            {"type": "advisor_message", "model": "claude-opus-5", **TEN},
        ],
    }
    message, _, advisor, _ = cost(book, usage).lines
    assert (message.unit_price_pusd, advisor.unit_price_pusd) == (8_000_000, 5_000_000)
    assert {message.multiplier_bp, advisor.multiplier_bp} == {11_000}


def test_an_unknown_kind_of_iteration_is_billed_like_a_message(book: PriceBook) -> None:
    for kind in ("sketch", "s" * 99, None):
        found = cost(book, {"iterations": [{"type": kind, "model": "claude-opus-5", **TEN}]})
        assert found.flags == ("unknown_iteration_type",)
        assert usd(found) == "0.0003"
        assert all(len(line.segment_type) <= 30 for line in found.lines)


@pytest.mark.parametrize("response", ["x", 7, [1]])
def test_a_response_that_is_none(book: PriceBook, response: Any) -> None:
    with pytest.raises(UsageError, match="response"):
        cost(book, TEN, response=response)


@pytest.mark.parametrize(
    "response",
    [
        {"stop_reason": 7, "stop_details": "x", "content": "text"},
        {"stop_reason": "refusal", "stop_details": {"category": ["bio"]}, "content": [1, {}]},
        {"content": [{"type": "fallback"}, {"type": "fallback", "trigger": 3}]},
    ],
)
def test_an_odd_response_is_no_obstacle(book: PriceBook, response: Any) -> None:
    assert usd(cost(book, TEN, response=response)) == "0.00024"


METERED = Metered(
    model="claude-opus-5-5",
    usage={"input_tokens": 1_000, "output_tokens": 1},
    response={"stop_reason": None, "stop_details": None, "content": []},
    certainty=Certainty.ESTIMATED,
    estimated_output=30,
    reported_output=1,
)


def test_an_estimate_lies_between_its_bounds(book: PriceBook) -> None:
    rated = rate(book, METERED, at=NOON, max_tokens=100)
    amounts = (rated.low_pusd, rated.cost.amount_pusd, rated.high_pusd)
    assert [money.exact(amount or 0) for amount in amounts] == ["0.00402", "0.0046", "0.006"]
    assert rate(book, METERED, at=NOON, max_tokens=None).high_pusd is None
    assert rate(book, METERED, at=NOON, max_tokens=20).high_pusd == rated.cost.amount_pusd


def test_the_last_iteration_wrote_what_was_not_reported(book: PriceBook) -> None:
    entries = [{"type": "message", **TEN}, {"type": "message", **TEN}]
    metered = replace(
        METERED, usage={"output_tokens": 20, "iterations": entries}, reported_output=20
    )
    lines = rate(book, metered, at=NOON, max_tokens=100).cost.lines
    assert [line.quantity for line in lines if line.kind == "output"] == [10, 20]
    assert entries[1] == {"type": "message", **TEN}


def test_unknown_and_unpriced_are_null(book: PriceBook) -> None:
    unknown = rate(book, replace(METERED, usage=None), at=NOON, max_tokens=9)
    assert unknown.cost == Cost(None, (), ("unknown_usage",))
    unpriced = rate(book, replace(METERED, model="claude-opus-9"), at=NOON, max_tokens=9)
    assert (unpriced.cost.amount_pusd, unpriced.low_pusd, unpriced.high_pusd) == (None, None, None)


def test_a_ceiling_takes_the_dearest_way(book: PriceBook) -> None:
    def most(model: str, **rest: Any) -> str:
        amount = ceiling(book, model=model, at=NOON, **{"prompt_tokens": 0, "max_tokens": 0} | rest)
        return "none" if amount is None else money.exact(amount)

    assert most("claude-haiku-4-5", prompt_tokens=1_000) == "0.00125"
    assert most("claude-haiku-4-5", prompt_tokens=1_000, cache_ttl="1h") == "0.002"
    assert most("claude-haiku-4-5", max_tokens=1_000) == "0.005"
    assert most("claude-haiku-4-5", web_searches=3) == "0.03"
    assert most("claude-opus-5-5", max_tokens=1_000) == "0.022"
    assert most("claude-opus-5-5", max_tokens=1_000, speed="fast") == "0.044"
    assert most("claude-haiku-5-5", prompt_tokens=100_000) == "0.01375"
    assert most("claude-haiku-5-5", prompt_tokens=100_001) == "0.0687506875"
    assert most("claude-haiku-4-5", speed="fast") == "none"
    assert most("claude-opus-9") == "none"


def test_a_version_no_price_may_have(bundled: PriceFile) -> None:
    good = next(version for version in bundled.versions if len(version.tiers) == 2)
    low, high = good.tiers
    for edit, told in (
        ({"tiers": ()}, "needs the rates"),
        ({"tiers": (high,)}, "start at 0"),
        ({"tiers": (high, low)}, "rise"),
        ({"tiers": (low, low)}, "once"),
        ({"tiers": (replace(low, input=-1),)}, "negative"),
        ({"tiers": (replace(low, output=10**13),)}, "dear"),
        ({"tiers": (replace(low, output=3),), "batch_bp": 5_000}, "fraction"),
        ({"tiers": (low,), "batch_bp": 3_333, "geo_us_bp": 11_000}, "fraction"),
        ({"batch_bp": 0}, "batch"),
        ({"batch_bp": 10_001}, "batch"),
        ({"geo_us_bp": 9_999}, "US"),
        ({"web_search_pusd": -1}, "negative"),
    ):
        with pytest.raises(ValueError, match=told):
            replace(good, **edit)
    assert replace(good, available=False, tiers=()).tiers == ()


def test_of_versions_that_begin_together_the_last_recorded_counts() -> None:
    def version(output: int, day: int, *, available: bool = True) -> Version:
        tiers = (Tier(0, 10_000, 10_000, 10_000, 10_000, output * 10_000),)
        begins = datetime(2026, 1, day, tzinfo=UTC)
        return Version("m", "standard", begins, available, 5_000, None, 0, tiers)

    versions = [version(3, 5), version(1, 1), version(2, 1), version(9, 9, available=False)]
    book = PriceBook(versions=versions, aliases={"m": "m"})
    found = [
        book.version("m", "standard", datetime(2026, 1, day, tzinfo=UTC)) for day in (1, 4, 5, 9)
    ]
    assert [entry and entry.tiers[0].output for entry in found] == [20_000, 20_000, 30_000, None]
    assert book.version("m", "standard", datetime(2025, 12, 31, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "counter",
    [
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
    ],
)
def test_any_one_counter_makes_a_usage(book: PriceBook, counter: str) -> None:
    assert [line.quantity for line in cost(book, {counter: 7}).lines] == [7]


def test_a_split_alone_makes_a_usage(book: PriceBook) -> None:
    split = {"ephemeral_1h_input_tokens": 7}
    assert [line.quantity for line in cost(book, {"cache_creation": split}).lines] == [7]


@pytest.mark.parametrize("count", [True, False, 1.0, "1", -1, 2**63, [], {}])
def test_what_is_no_count(book: PriceBook, count: Any) -> None:
    with pytest.raises(UsageError, match="input_tokens"):
        cost(book, {"input_tokens": count})


def test_a_bill_fits_the_ledger_or_is_none(book: PriceBook) -> None:
    most = (2**63 - 1) // 4_000_000
    assert cost(book, {"input_tokens": most}).amount_pusd == most * 4_000_000
    with pytest.raises(UsageError, match="beyond any bill"):
        cost(book, {"input_tokens": most + 1})


@pytest.mark.parametrize("iterations", [{}, {"type": "message"}, [1], ["message"], "x", 7])
def test_what_are_no_iterations(book: PriceBook, iterations: Any) -> None:
    with pytest.raises(UsageError, match="iterations"):
        cost(book, {**TEN, "iterations": iterations})


def test_one_unknown_iteration_among_others_is_told(book: PriceBook) -> None:
    entries = [{"type": "message", **TEN}, {"type": "sketch", **TEN}]
    assert cost(book, {"iterations": entries}).flags == ("unknown_iteration_type",)


@pytest.mark.parametrize(
    "counter",
    ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation"],
)
def test_every_part_of_the_prompt_counts_for_the_tier(book: PriceBook, counter: str) -> None:
    one: Any = {"ephemeral_1h_input_tokens": 1} if counter == "cache_creation" else 1
    usage = {"input_tokens": 100_000, "output_tokens": 1, counter: one}
    if counter == "input_tokens":
        usage[counter] = 100_001
    output = cost(book, usage, "claude-haiku-5-5").lines[-1]
    assert output.unit_price_pusd == 2_500_000


def test_searches_stand_after_the_last_segment(book: PriceBook) -> None:
    usage = {**TEN, "server_tool_use": {"web_search_requests": 2}}
    line = cost(book, usage).lines[-1]
    assert (line.segment, line.segment_type, line.kind, line.quantity) == (
        1,
        "response",
        "web_search",
        2,
    )


def test_a_version_at_the_edge_of_what_may_be(bundled: PriceFile) -> None:
    good = next(version for version in bundled.versions if len(version.tiers) == 2)
    low = good.tiers[0]
    assert replace(good, batch_bp=10_000, geo_us_bp=10_000).multipliers == (10_000,) * 4
    assert replace(good, batch_bp=1, geo_us_bp=None).multipliers == (10_000, 1, 10_000, 1)
    assert replace(good, batch_bp=10_000, geo_us_bp=None, tiers=(replace(low, output=10**12),))
    with pytest.raises(ValueError, match="dear"):
        replace(good, tiers=(replace(low, output=10**12 + 20),))
    # Whole in batch and whole in the US, but not in both.
    assert replace(good, tiers=(replace(low, output=20),))
    with pytest.raises(ValueError, match="fraction"):
        replace(good, tiers=(replace(low, output=10),))


def test_a_compaction_is_the_responses_own_work(book: PriceBook) -> None:
    entries = [{"type": "compaction", "model": "claude-opus-5", **TEN}]
    assert usd(cost(book, {"iterations": entries})) == "0.00024"


def test_the_longest_reply_that_fits_is_found_to_the_token(book: PriceBook) -> None:
    call: dict[str, Any] = {"model": "claude-haiku-4-5", "at": NOON, "prompt_tokens": 100}
    for tokens in (1, 2, 255, 1000):
        room = ceiling(book, max_tokens=tokens, **call)
        assert room
        assert affordable(book, room_pusd=room, max_tokens=1000, **call) == tokens
        assert affordable(book, room_pusd=room - 1, max_tokens=1000, **call) == tokens - 1
    assert affordable(book, room_pusd=10**15, max_tokens=1000, **call) == 1000


@pytest.mark.parametrize(
    ("searches", "window", "expected"),
    [
        (0, 200_000, 50),
        (2, 200_000, 50 + (150 + 25_000) + (150 + 50_000)),
        (2, 30_000, 50 + (150 + 25_000) + 30_000),
        (2, 40, 50 + 50 + 50),
    ],
)
def test_each_search_sends_the_prompt_again(searches: int, window: int, expected: int) -> None:
    assert looped(50, web_searches=searches, max_tokens=100, window=window) == expected


def test_a_bill_is_as_large_as_a_row_can_hold_and_no_larger() -> None:
    version = Version("m", "standard", NOON, True, None, None, 0, (Tier(0, 1, 1, 1, 1, 1),))
    book = PriceBook(versions=[version], aliases={"m": "m"})
    assert cost(book, {"input_tokens": MOST}, "m").amount_pusd == MOST
    with pytest.raises(UsageError):
        cost(book, {"input_tokens": MOST, "output_tokens": 1}, "m")
