"""The meter alone: clean text for any cutting, usage for any events, ValueError for what is neither."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.claude.meter import START, Meter, guess_tokens, repaired
from chatapp.pricing.usage import Accumulator, Certainty

BEGUN = {
    "type": "message_start",
    "message": {"id": "m", "model": "x", "usage": {"input_tokens": 9}},
}
STOPPED = {"type": "content_block_stop", "index": 0}
ENDED = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn"},
    "usage": {"output_tokens": 5},
}
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


def delta(text: str, kind: str = "text") -> dict[str, Any]:
    return {"type": "content_block_delta", "delta": {"type": f"{kind}_delta", kind: text}}


def opened(kind: str = "text", text: str = "") -> dict[str, Any]:
    return {"type": "content_block_start", "index": 0, "content_block": {"type": kind, kind: text}}


def test_a_reply_is_complete_when_no_block_is_open() -> None:
    meter = Meter()
    for event, complete in [
        (BEGUN, False),
        (opened(), False),
        (ENDED, False),
        (STOPPED, True),
        (opened(), False),
        ({"type": "message_stop"}, True),
    ]:
        meter.hear(event)
        assert meter.complete is complete


@pytest.mark.parametrize("kind", ["text", "thinking"])
def test_a_block_may_begin_with_words(kind: str) -> None:
    meter = Meter()
    meter.hear(BEGUN)
    assert meter.hear(opened(kind, "Hello")) == (kind, "Hello")
    assert meter.characters == 5


@given(st.lists(ANY_TEXT))
def test_text_is_clean_however_it_is_cut(pieces: list[str]) -> None:
    meter = Meter()
    assert meter.hear(BEGUN) == START
    heard = [meter.hear(event) for event in [*map(delta, pieces), STOPPED]]
    assert all(piece[1] for piece in heard if piece)
    text = "".join(piece[1] for piece in heard if piece)
    assert text == repaired("".join(pieces))
    assert text.encode("utf-8").decode() == text
    assert "\0" not in text


@given(st.lists(st.sampled_from(["text", "thinking", "partial_json"])))
def test_counts_like_the_accumulator(kinds: list[str]) -> None:
    meter, plain = Meter(), Accumulator()
    events = [BEGUN, *(delta("abc", kind) for kind in kinds)]
    events[1:] = [
        {**event, "delta": {"type": "input_json_delta", "partial_json": "abc"}}
        if "partial_json" in event["delta"]
        else event
        for event in events[1:]
    ]
    for event in events:
        meter.hear(event)
        plain.feed(event)
    assert meter.metered(100) == plain.metered(100)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "delta", "text", "usage", "message", "content_block"]),
                inner,
            )
        ),
    )
)
def test_any_json_is_heard_or_refused(event: Any) -> None:
    meter = Meter()
    meter.hear(BEGUN)
    for kind in ("content_block_delta", "message_start", "message_delta", "content_block_start"):
        for heard in (event, {"type": kind, "delta": event, "usage": event, "message": event}):
            try:
                meter.hear(heard)
            except ValueError:
                continue


def test_text_before_the_start_is_refused() -> None:
    with pytest.raises(ValueError, match="before message_start"):
        Meter().hear(delta("x"))


def test_exact_once_ended() -> None:
    meter = Meter()
    for event in (BEGUN, delta("hello"), ENDED):
        meter.hear(event)
    metered = meter.metered(100)
    assert (metered.certainty, metered.usage) == (
        Certainty.EXACT,
        {"input_tokens": 9, "output_tokens": 5},
    )


def test_guess() -> None:
    assert [guess_tokens("x" * n) for n in (0, 1, 7, 8)] == [0, 1, 2, 3]
