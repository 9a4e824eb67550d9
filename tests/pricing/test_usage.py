"""Raw events into one usage: what the SDK's own accumulation loses is kept."""

from typing import Any

import pytest

from chatapp.pricing.usage import Accumulator, Certainty, Metered


def start(**usage: Any) -> dict[str, Any]:
    message = {"id": "msg_1", "model": "claude-opus-5-5", "stop_reason": None, "usage": usage}
    return {"type": "message_start", "message": message}


def delta(stop_reason: str | None = None, **usage: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": usage}


def text(written: str, key: str = "text") -> dict[str, Any]:
    return {"type": "content_block_delta", "delta": {"type": f"{key}_delta", key: written}}


def heard(*events: Any) -> Accumulator:
    stream = Accumulator()
    for event in events:
        stream.feed(event)
    return stream


def test_the_last_value_wins_null_never_does_and_objects_merge() -> None:
    stream = heard(
        start(
            input_tokens=10,
            output_tokens=1,
            inference_geo="us",
            cache_creation={"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 7},
            iterations=[{"type": "message"}, {"type": "message"}],
        ),
        delta(
            input_tokens=40,
            output_tokens=20,
            inference_geo=None,
            cache_creation={"ephemeral_1h_input_tokens": 9, "ephemeral_5m_input_tokens": None},
            iterations=[{"type": "compaction"}],
            server_tool_use={"web_search_requests": 1},
            novel={"a": {"b": 1}},
        ),
        delta("end_turn", output_tokens=30, server_tool_use={"web_fetch_requests": 2}),
    )
    assert stream.usage == {
        "input_tokens": 40,
        "output_tokens": 30,
        "inference_geo": "us",
        "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 9},
        "iterations": [{"type": "compaction"}],
        "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 2},
        "novel": {"a": {"b": 1}},
    }
    assert stream.message_id == "msg_1"


def test_the_model_follows_a_fallback_and_its_block_is_kept() -> None:
    block = {"type": "fallback", "to": {"model": "claude-opus-4-8"}, "trigger": {"category": "bio"}}
    stream = heard(
        start(output_tokens=1),
        {"type": "content_block_start", "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_start", "content_block": block},
        delta("refusal", output_tokens=0),
    )
    assert stream.model == "claude-opus-4-8"
    assert stream.response == {"stop_reason": "refusal", "stop_details": None, "content": [block]}


def test_a_refusals_details_are_kept() -> None:
    end = delta("refusal", output_tokens=0)
    end["delta"]["stop_details"] = {"type": "refusal", "category": "cyber"}
    assert heard(start(), end).response["stop_details"] == {"type": "refusal", "category": "cyber"}


@pytest.mark.parametrize(
    ("events", "certainty"),
    [
        ([], Certainty.UNKNOWN),
        ([text("x"), delta("end_turn", output_tokens=3)], Certainty.UNKNOWN),
        ([start(output_tokens=1)], Certainty.ESTIMATED),
        ([start(output_tokens=1), {"type": "message_stop"}], Certainty.ESTIMATED),
        ([start(output_tokens=1), delta("end_turn")], Certainty.ESTIMATED),
        (
            [
                start(output_tokens=1),
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
            ],
            Certainty.ESTIMATED,
        ),
        ([start(output_tokens=1), delta(output_tokens=3)], Certainty.ESTIMATED),
        ([start(output_tokens=1), delta("end_turn", output_tokens=3)], Certainty.EXACT),
        (
            [start(output_tokens=1), delta(output_tokens=3), {"type": "message_stop"}],
            Certainty.EXACT,
        ),
        ([start(output_tokens=1), delta("refusal", output_tokens=0)], Certainty.EXACT),
    ],
)
def test_how_sure_it_is(events: list[Any], certainty: Certainty) -> None:
    assert heard(*events).metered(4_096).certainty is certainty


@pytest.mark.parametrize(
    ("counted", "limit", "guess"),
    [(None, 4_096, 3), (7, 4_096, 7), (0, 4_096, 1), (99, 50, 50), (None, None, 3), (5, 0, 1)],
)
def test_a_guess_stays_between_what_was_reported_and_the_limit(
    counted: int | None, limit: int | None, guess: int
) -> None:
    metered = heard(start(output_tokens=1), text("Hello"), text(" wor", "thinking")).metered(
        limit, counted
    )
    assert (metered.reported_output, metered.estimated_output) == (1, guess)


@pytest.mark.parametrize("reported", ["many", None, True, {}])
def test_a_report_that_is_no_count_is_no_report(reported: Any) -> None:
    metered = heard(start(output_tokens=reported), text("x" * 35)).metered(4_096)
    assert metered.estimated_output == 10


@pytest.mark.parametrize(
    "events",
    [
        [delta("end_turn", output_tokens=5), start(input_tokens=9, output_tokens=1)],
        [{"type": "message_stop"}, start(input_tokens=9, output_tokens=1)],
    ],
)
def test_an_end_before_the_start_says_nothing(events: list[Any]) -> None:
    stream = heard(*events)
    assert not stream.finished
    assert stream.metered(100).certainty is Certainty.ESTIMATED


def test_a_message_starts_once() -> None:
    again = start(input_tokens=1, output_tokens=1)
    stream = heard(start(input_tokens=9), delta("end_turn", output_tokens=5), again)
    assert stream.usage == {"input_tokens": 9, "output_tokens": 5}


def test_only_an_end_has_a_stop_reason() -> None:
    begun = start(input_tokens=9)
    begun["message"]["stop_reason"] = "end_turn"
    assert not heard(begun).finished


def test_garbage_is_passed_over() -> None:
    odd: list[Any] = [None, 3, "x", [], {}, {"type": None}, {"type": "message_start"}]
    odd += [{"type": "message_start", "message": 3}, {"type": "message_delta", "usage": 3}]
    odd += [{"type": "content_block_start"}, {"type": "content_block_delta", "delta": {"text": 3}}]
    odd += [{"type": "content_block_start", "content_block": {"type": "fallback", "to": 3}}]
    stream = heard(*odd)
    assert not stream.started
    assert not stream.finished
    stream.feed({"type": "message_start", "message": {"model": 3, "id": 3, "usage": 3}})
    assert (stream.started, stream.usage, stream.model) == (True, {}, "")


def test_another_output_leaves_the_reported_usage_alone() -> None:
    usage = {"output_tokens": 20, "iterations": [{"output_tokens": 15}, {"output_tokens": 5}]}
    metered = Metered("m", usage, {}, Certainty.ESTIMATED, 30, 20)
    assert metered.with_output(30) == {
        "output_tokens": 30,
        "iterations": [{"output_tokens": 15}, {"output_tokens": 15}],
    }
    assert usage["iterations"] == [{"output_tokens": 15}, {"output_tokens": 5}]
    odd = Metered("m", {"iterations": [3]}, {}, Certainty.ESTIMATED, 30, 20)
    assert odd.with_output(30) == {"output_tokens": 30, "iterations": [3]}


def test_what_was_not_reported_is_no_token() -> None:
    assert heard(start(input_tokens=10)).metered(9).reported_output == 0
    told = {"iterations": [{"type": "message", "output_tokens": 4}]}
    [last] = Metered("m", told, {}, Certainty.ESTIMATED).with_output(5)["iterations"]
    assert last["output_tokens"] == 9
