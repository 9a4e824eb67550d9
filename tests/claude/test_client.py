"""The door under every fault of the wire: what arrives, which Fault, and what the meter knows."""

import asyncio
import json
import logging
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from chatapp.claude import client
from chatapp.claude.breaker import breaker
from chatapp.claude.errors import Fault
from chatapp.claude.prompt import Prompt
from chatapp.pricing.usage import Certainty, Metered
from tests.upstream import Upstream

SECRET = "the-secret-words"
OTHER = "claude-haiku-4-5"
# To what a reply cites.
LINK = re.compile(r"\[\\\[\d+\\\]\]\(<[^>]+>\)")


@pytest.fixture(autouse=True)
def _closed_breaker(upstream: Upstream) -> Iterator[None]:
    yield
    breaker.clear()


@pytest.fixture
def short_deadlines(settings: Any) -> None:
    settings.FIRST_BYTE_TIMEOUT = settings.IDLE_TIMEOUT = 1


def prompt(fault: str, model: str = "claude-opus-4-8", **more: Any) -> Prompt:
    content = f"[[{fault}]] {SECRET}"
    return Prompt(model=model, messages=[{"role": "user", "content": content}], **more)


async def hear(asked: Prompt) -> tuple[str, str, Fault | None, Metered]:
    """Text, thinking, the Fault if any, and what was metered."""
    text = thinking = ""
    fault = None
    reply = client.reply(asked)
    try:
        async with reply:
            async for kind, piece in reply:
                text += piece if kind == "text" else ""
                thinking += piece if kind == "thinking" else ""
    except Fault as error:
        fault = error
    return text, thinking, fault, reply.meter.metered(asked.max_tokens)


def billed(upstream: Upstream) -> dict[str, Any]:
    [call] = upstream.bill
    assert call.usage is not None
    return call.usage


async def test_a_whole_reply(upstream: Upstream) -> None:
    reply = client.reply(prompt("words:5", system="Be brief."))
    async with reply:
        pieces = [piece async for piece in reply]
    assert pieces == [("start", ""), *[("text", f"w{i} ") for i in range(5)]]
    metered = reply.meter.metered(4096)
    assert (metered.model, metered.certainty) == ("claude-opus-4-8", Certainty.EXACT)
    assert metered.usage == billed(upstream)
    assert (reply.request_id, reply.message_id) == (
        upstream.bill[0].request_id,
        upstream.bill[0].message_id,
    )
    assert metered.response["stop_reason"] == "end_turn"
    assert client.door_state()["rate_limits"]["requests-limit"] == "1000"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("cut_after:20", "connection_lost"),
        ("rst_after:20", "connection_lost"),
        ("cut_mid_event:20", "connection_lost"),
        ("eof_after:20", "stream_ended_early"),
        ("error_event_after:20", "overloaded"),
        ("error_event_after:20+error_type:rate_limit_error", "rate_limited"),
        ("error_event_after:20+error_type:something_new", "vendor_error"),
        ("malformed:20", "malformed"),
        ("badutf8:20", "malformed"),
    ],
)
async def test_breaks_in_the_middle(upstream: Upstream, fault: str, code: str) -> None:
    text, _, error, metered = await hear(prompt(fault))
    assert text == "".join(f"w{i} " for i in range(20))
    assert error is not None
    assert (error.code, error.unbilled, error.request_id) == (
        code,
        False,
        upstream.bill[0].request_id,
    )
    assert "What was written so far is charged." in error.message
    assert metered.certainty == Certainty.ESTIMATED
    assert metered.usage is not None
    await upstream.idle()
    assert metered.usage["input_tokens"] == billed(upstream)["input_tokens"]
    assert metered.reported_output == 1
    assert 15 <= (metered.estimated_output or 0) <= 30


@pytest.mark.parametrize("fault", ["stall_after:20", "ping_stall_after:20"])
async def test_falls_silent(upstream: Upstream, short_deadlines: None, fault: str) -> None:
    text, _, error, metered = await hear(prompt(fault))
    assert text == "".join(f"w{i} " for i in range(20))
    assert error is not None
    assert (error.code, error.unbilled) == ("idle_timeout", False)
    assert metered.certainty == Certainty.ESTIMATED
    await upstream.idle()
    assert upstream.bill[0].closed_early


async def test_an_error_before_any_text_may_be_tried_again(upstream: Upstream) -> None:
    text, _, error, metered = await hear(prompt("error_event_after:0"))
    assert error is not None
    assert (text, error.code, error.retryable, error.unbilled) == ("", "overloaded", True, False)
    assert (metered.certainty, metered.estimated_output) == (Certainty.ESTIMATED, 1)


@pytest.mark.parametrize(
    "fault",
    [
        "cut_before_stop", "unknown_event", "unknown_delta", "unknown_block", "unknown_stop",
        "index_gap", "refusal:bio", "refusal_mid:cyber", "max_tokens", "context_exceeded",
        "pause_turn", "empty", "web_search:2", "cache:1h", "cache:read", "tier:priority", "geo:us",
        "neg_usage", "huge_usage", "zero_usage", "fallback", "onebyte", "hugedelta:300000",
    ],
)  # fmt: skip
async def test_ends_exactly_as_billed(upstream: Upstream, fault: str) -> None:
    text, _, error, metered = await hear(prompt(fault))
    assert error is None
    assert LINK.sub("", text).split() == upstream.bill[0].text.split()
    assert metered.certainty == Certainty.EXACT
    assert metered.usage == billed(upstream)
    assert metered.response["stop_reason"] == upstream.bill[0].stop_reason


async def test_thinking_is_a_piece_of_its_own(upstream: Upstream) -> None:
    _, thinking, error, metered = await hear(prompt("thinking+words:2"))
    assert (thinking, error) == ("Let me think about this.", None)
    assert metered.usage is not None
    assert metered.usage["output_tokens_details"] == {"thinking_tokens": 12}


async def test_a_start_without_usage_is_no_exact_bill_of_input(upstream: Upstream) -> None:
    text, _, error, metered = await hear(prompt("no_usage"))
    assert (len(text) > 0, error) == (True, None)
    assert metered.usage is not None
    assert "service_tier" not in metered.usage


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("nul:1+words:3", "w0 w1 \ufffdw2 "),
        ("surrogate:1+words:3", "w0 w1 \ufffdw2 "),
        ("surrogate:2+words:3", "w0 w1 w2 \ufffd"),
        ("split_surrogate:1+words:3", "w0 w1 \U0001f600w2 "),
    ],
)
async def test_text_is_clean(upstream: Upstream, fault: str, expected: str) -> None:
    text, _, error, metered = await hear(prompt(fault))
    assert (text, error, metered.certainty) == (expected, None, Certainty.EXACT)


async def test_any_script_arrives_whole(upstream: Upstream) -> None:
    text, _, error, _ = await hear(prompt("unicode+onebyte"))
    assert (text, error) == (upstream.bill[0].text, None)


@pytest.mark.parametrize(
    ("fault", "code", "retryable"),
    [
        ("400", "bad_request", False),
        ("401", "unauthorized", False),
        ("402", "billing", False),
        ("credit", "billing", False),
        ("403", "forbidden", False),
        ("404", "model_missing", False),
        ("408", "vendor_error", True),
        ("409", "vendor_error", True),
        ("413", "prompt_too_long", False),
        ("toolong", "prompt_too_long", False),
        ("429", "rate_limited", True),
        ("spend_limit", "spend_limit", False),
        ("limit", "spend_limit", False),
        ("500", "vendor_error", True),
        ("503", "vendor_error", True),
        ("504", "vendor_error", True),
        ("529", "overloaded", True),
        ("redirect:http://127.0.0.1:9/", "unexpected_answer", False),
        ("html200", "unexpected_answer", False),
    ],
)
async def test_refused(upstream: Upstream, fault: str, code: str, retryable: bool) -> None:
    _, _, error, metered = await hear(prompt(fault))
    assert error is not None
    assert (error.code, error.retryable, error.unbilled) == (code, retryable, True)
    assert "Nothing was charged." in error.message
    assert metered.certainty == Certainty.UNKNOWN
    assert len(upstream.bill) == 1, "asked again by itself"


async def test_says_how_long_it_is_and_when_to_come_back(upstream: Upstream) -> None:
    _, _, error, _ = await hear(prompt("toolong"))
    assert error is not None
    assert "250,000 tokens of 200,000" in error.message
    began = time.monotonic()
    _, _, error, _ = await hear(prompt("429:3600"))
    assert error is not None
    assert error.retry_after == 3600
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("stall_headers", "no_answer"),
        ("cut_before_start", "connection_lost"),
        ("no_start", "malformed"),
    ],
)
async def test_nobody_knows_what_it_cost(
    upstream: Upstream, short_deadlines: None, fault: str, code: str
) -> None:
    _, _, error, metered = await hear(prompt(fault))
    assert error is not None
    assert (error.code, error.unbilled, error.retryable) == (code, False, False)
    assert "not known whether it was charged" in error.message
    assert metered.certainty == Certainty.UNKNOWN
    await upstream.idle()


def given(*deltas: str) -> list[dict[str, Any]]:
    """A reply in these pieces, as the API says it."""
    usage = {"input_tokens": 9, "output_tokens": 1}
    block = {"type": "text", "text": ""}
    return [
        {"type": "message_start", "message": {"id": "msg_1", "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}}
            for t in deltas
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 5},
        },
        {"type": "message_stop"},
    ]


async def test_words_behind_the_stop_reason_are_heard(upstream: Upstream) -> None:
    *begin, stopped, ended, last = given("one ", "two ", "three")
    upstream.reply_with([*begin[:3], ended, *begin[3:], stopped, last])
    text, _, error, metered = await hear(prompt("pace:1100"))
    assert (text, error) == ("one two three", None)
    assert (metered.certainty, metered.model) == (Certainty.EXACT, "claude-opus-4-8")


async def test_a_stop_reason_does_not_make_half_a_block_whole(upstream: Upstream) -> None:
    *begin, _, ended, _ = given("one ", "two")
    upstream.reply_with([*begin, ended])
    text, _, error, metered = await hear(prompt("words:1"))
    assert error is not None
    assert (text, error.code) == ("one two", "stream_ended_early")
    assert metered.certainty is Certainty.EXACT


@pytest.mark.parametrize(
    ("event", "something"),
    [
        ({"type": "keep_alive"}, False),
        ({"no": "type"}, False),
        (
            {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": ""}},
            False,
        ),
        ({"type": "content_block_delta", "delta": {"type": "signature_delta"}}, True),
        ({"type": "content_block_stop", "index": 0}, True),
    ],
)
def test_what_counts_as_something(event: dict[str, Any], something: bool) -> None:
    assert client.tells(event) is something


async def test_what_says_nothing_holds_nothing_open(upstream: Upstream, settings: Any) -> None:
    settings.IDLE_TIMEOUT = 1
    upstream.reply_with([*given("one ")[:3], *given(*([""] * 60))[2:-3]])
    text, _, error, _ = await hear(prompt("pace:50"))
    assert error is not None
    assert (text, error.code) == ("one ", "idle_timeout")


@pytest.mark.parametrize("body", ["", "{"])
async def test_a_refusal_whose_body_breaks_off_is_free(settings: Any, body: str) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 529 Busy\r\nContent-Length: 90\r\n\r\n{body}".encode())
        writer.close()

    vendor = await asyncio.start_server(refuse, "127.0.0.1", 0)
    settings.ANTHROPIC_BASE_URL = f"http://127.0.0.1:{vendor.sockets[0].getsockname()[1]}"
    _, _, error, _ = await hear(prompt("words:1"))
    vendor.close()
    assert error is not None
    assert (error.code, error.unbilled, error.retryable) == ("overloaded", True, True)


async def test_the_whole_takes_too_long(upstream: Upstream, settings: Any) -> None:
    settings.TOTAL_TIMEOUT = 1.5
    text, _, error, metered = await hear(prompt("slow:100+words:5000"))
    assert error is not None
    assert (error.code, metered.certainty) == ("total_timeout", Certainty.ESTIMATED)
    assert text.startswith("w0 ")
    await upstream.idle()


async def test_unreachable(upstream: Upstream, settings: Any) -> None:
    for address in ("http://127.0.0.1:9", "http://no-such-host.invalid", "https://127.0.0.1:9"):
        settings.ANTHROPIC_BASE_URL = address
        _, _, error, _ = await hear(prompt("words:1"))
        assert error is not None
        assert (error.code, error.unbilled, error.retryable) == ("unreachable", True, True)


async def test_leaving_closes_the_connection_at_once(upstream: Upstream) -> None:
    began = 0.0
    async with client.reply(prompt("pace:10+words:5000")) as reply:
        async for kind, _ in reply:
            if kind == "text":
                began = time.monotonic()
                break
    await upstream.idle()
    assert time.monotonic() - began < 5
    assert upstream.bill[0].closed_early


@pytest.mark.parametrize("fault", ["stall_headers", "stall_after:0", "pace:10+words:5000"])
async def test_cancelling_is_no_fault_and_closes(upstream: Upstream, fault: str) -> None:
    task = asyncio.create_task(hear(prompt(fault)))
    await upstream.asked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await upstream.idle()
    assert upstream.bill[0].closed_early


async def test_a_busy_reader_is_not_a_silent_vendor(
    upstream: Upstream, short_deadlines: None
) -> None:
    async with client.reply(prompt("words:50+pace:1")) as reply:
        text = ""
        async for _, piece in reply:
            text += piece
            if piece == "w10 ":
                await asyncio.sleep(1.9)
    assert text == upstream.bill[0].text


async def test_a_process_that_stood_still_reads_on(
    upstream: Upstream, short_deadlines: None
) -> None:
    async with client.reply(prompt("words:30+pace:50")) as reply:
        text = ""
        async for _, piece in reply:
            text += piece
            if piece == "w3 ":
                asyncio.get_running_loop().call_later(0.01, time.sleep, 2.4)
    assert text == upstream.bill[0].text


async def test_connections_are_kept(upstream: Upstream) -> None:
    for _ in range(3):
        await hear(prompt("words:2"))
    connector = (await client.connection())._client._transport.client.connector  # type: ignore[attr-defined]
    assert sum(map(len, connector._conns.values())) == 1


async def test_asks_for_what_the_conversation_switched_on(upstream: Upstream) -> None:
    options = {"thinking": "adaptive", "effort": "low", "web_search": 3, "speed": "fast"}
    _, thinking, error, metered = await hear(prompt("words:1", options=options))
    assert (bool(thinking), error) == (True, None)
    assert metered.usage is not None
    assert metered.usage["speed"] == "fast"


async def test_counts_tokens(upstream: Upstream) -> None:
    asked = prompt("words:2", system="Be brief.")
    counted = await client.count_tokens(asked)
    await hear(asked)
    assert counted == billed(upstream)["input_tokens"]
    with pytest.raises(Fault, match="overloaded"):
        await client.count_tokens(prompt("count_fails"))


async def test_estimates_a_partial_reply(upstream: Upstream) -> None:
    asked = prompt("words:2")
    assert await client.estimate_output(asked, "four" * 50) == 50
    assert await client.estimate_output(asked, "four" * 30, thinking="four" * 20) == 50
    assert await client.estimate_output(asked, "  ") == 1
    began = time.monotonic()
    assert await client.estimate_output(asked, "[[count_slow:3000]]" + "x" * 331) == 100
    assert time.monotonic() - began < 2.9
    assert await client.estimate_output(asked, "[[count_fails]]" + "x" * 335) == 100


@pytest.mark.parametrize("fault", ["401", "402", "credit"])
async def test_a_refused_key_or_account_is_asked_with_no_model(
    upstream: Upstream, fault: str
) -> None:
    _, _, refused, _ = await hear(prompt(fault))
    for model in "claude-opus-4-8", OTHER:
        _, _, error, _ = await hear(prompt("words:1", model))
        assert error is not None
        assert refused is not None
        assert (error.code, error.unbilled) == (refused.code, True)
    assert len(upstream.bill) == 1
    assert client.door_state()["open"] == {"": refused.code}
    breaker.account.open_until = time.monotonic() - 1
    assert breaker.account.state == "half_open"
    assert (await hear(prompt("words:1", OTHER)))[2] is None
    assert client.door_state()["open"] == {}


@pytest.mark.parametrize(("fault", "times"), [("529", 5), ("403", 1)])
async def test_what_one_model_refuses_leaves_the_others(
    upstream: Upstream, fault: str, times: int
) -> None:
    for _ in range(times):
        assert not client.door_state()["open"]
        _, _, refused, _ = await hear(prompt(fault))
    asked = len(upstream.bill)
    _, _, error, _ = await hear(prompt("words:1"))
    assert error is not None
    assert refused is not None
    assert (error.code, error.unbilled, len(upstream.bill)) == (refused.code, True, asked)
    assert (await hear(prompt("words:1", OTHER)))[2] is None
    assert client.door_state()["open"] == {"claude-opus-4-8": refused.code}
    breaker.models["claude-opus-4-8"].open_until = time.monotonic() - 1
    assert (await hear(prompt("words:1")))[2] is None
    assert client.door_state()["open"] == {}


async def test_breaker_bears_some_overload(upstream: Upstream) -> None:
    for _ in range(2):
        for _ in range(4):
            await hear(prompt("529"))
        assert (await hear(prompt("words:1")))[2] is None


def test_one_call_tries_while_the_others_wait() -> None:
    breaker.failed("unauthorized", OTHER)
    breaker.failed("forbidden", OTHER)
    breaker.account.open_until = time.monotonic() - 1
    with pytest.raises(Fault, match="forbidden"):
        breaker.check(OTHER)
    breaker.check("claude-opus-4-8")  # what could not be tried with one model is with another
    with pytest.raises(Fault, match="unauthorized"):
        breaker.check("claude-opus-4-8")


@pytest.mark.parametrize("fault", ["401", "cut_after:2", "malformed:2", "stall_after:2", "words:3"])
async def test_nothing_secret_in_logs_or_errors(
    upstream: Upstream, short_deadlines: None, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    import traceback

    caplog.set_level(logging.DEBUG)
    asked = prompt(fault)
    _, _, error, _ = await hear(asked)
    told = caplog.text + repr(asked)
    if error:
        assert error.__context__ is None
        told += "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    assert SECRET not in told
    assert "sk-test-key" not in told


async def test_the_environment_adds_nothing(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-secret: 1")
    monkeypatch.setenv("ANTHROPIC_LOG", "debug")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await hear(prompt("words:1")))[2] is None
    assert "x-secret" not in json.dumps(upstream.bill[0].headers).lower()
    assert logging.getLogger("anthropic").getEffectiveLevel() >= logging.WARNING
