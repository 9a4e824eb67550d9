"""The fake vendor itself: every fault it is asked for arrives as written, and its bill says so."""

import json

import aiohttp
import pytest

from tests.upstream import Upstream

HEADERS = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
COMPLETE = ["message_delta", "message_stop"]


def body(prompt: str, **more: object) -> dict[str, object]:
    messages = [{"role": "user", "content": prompt}]
    return {
        "model": "claude-haiku-4-5",
        "max_tokens": 9000,
        "stream": True,
        "messages": messages,
    } | more


async def read(upstream: Upstream, prompt: str, **more: object) -> tuple[int, bytes, str]:
    """Status, what arrived, and how it ended: "", "cut" or "stalled"."""
    received = b""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_read=1)) as session,
        session.post(
            f"{upstream.url}/v1/messages?beta=true",
            json=body(prompt, **more),
            headers=HEADERS,
            allow_redirects=False,
        ) as response,
    ):
        try:
            async for chunk in response.content.iter_any():
                received += chunk
        except aiohttp.SocketTimeoutError:
            return response.status, received, "stalled"
        except aiohttp.ClientError:
            return response.status, received, "cut"
        return response.status, received, ""


def events(received: bytes) -> list[dict[str, object]]:
    blocks = received.decode().split("\n\n")
    return [json.loads(block.partition("data: ")[2]) for block in blocks if block]


@pytest.mark.parametrize(
    "fault",
    [
        "nul:4", "surrogate:4", "split_surrogate:3", "unicode", "onebyte", "unknown_event",
        "unknown_delta", "unknown_block", "unknown_stop", "neg_usage", "huge_usage", "zero_usage",
        "refusal", "refusal_mid:cyber", "max_tokens", "context_exceeded", "pause_turn", "empty",
        "thinking", "web_search:2", "cache:1h", "cache:read", "tier:priority", "geo:us",
        "hugedelta:100000", "big:6000", "index_gap", "no_usage", "fallback", "words:3+pace:5",
        "text:Hello [there] + 1", "no_start",
    ],
)  # fmt: skip
async def test_reaches_the_end(upstream: Upstream, fault: str) -> None:
    status, received, ended = await read(upstream, f"[[{fault}]] hello")
    kinds = [event["type"] for event in events(received)]
    assert (status, ended) == (200, "")
    assert kinds[-2:] == COMPLETE
    assert ("message_start" in kinds) == (fault != "no_start")
    await upstream.idle()
    [call] = upstream.bill
    assert call.finished
    assert call.bytes == len(received)
    assert call.events == len(kinds)
    assert call.usage is not None or fault == "no_start"


@pytest.mark.parametrize("fault", ["cut_after:20", "rst_after:20", "cut_mid_event:20"])
async def test_breaks_off_after_twenty_deltas(upstream: Upstream, fault: str) -> None:
    _, received, ended = await read(upstream, f"[[{fault}]] hello")
    assert ended == "cut"
    assert received.count(b"event: content_block_delta") - (fault == "cut_mid_event:20") == 20
    await upstream.idle()
    [call] = upstream.bill
    assert (call.finished, call.deltas, call.text) == (
        False,
        20,
        "".join(f"w{i} " for i in range(20)),
    )
    assert call.usage is not None
    assert call.usage["output_tokens"] == 21


@pytest.mark.parametrize(
    ("fault", "ending", "last"),
    [
        ("eof_after:20", "", "content_block_delta"),
        ("cut_before_stop", "cut", "message_delta"),
        ("error_event_after:20", "", "error"),
        ("error_event_after:0", "", "error"),
        ("stall_after:3", "stalled", "content_block_delta"),
    ],
)
async def test_ends_with(upstream: Upstream, fault: str, ending: str, last: str) -> None:
    _, received, ended = await read(upstream, f"[[{fault}]] hello")
    assert ended == ending
    assert events(received)[-1]["type"] == last
    await upstream.idle()
    assert upstream.bill[0].closed_early == (ended == "stalled")


async def test_stalls_before_headers_and_pings_for_ever(upstream: Upstream) -> None:
    with pytest.raises(aiohttp.SocketTimeoutError):
        await read(upstream, "[[stall_headers]]")
    reader = aiohttp.ClientSession()
    async with (
        reader,
        reader.post(
            f"{upstream.url}/v1/messages", json=body("[[ping_stall_after:1]]"), headers=HEADERS
        ) as response,
    ):
        received = await response.content.readuntil(b"delta")
        while received.count(b"event: ping") < 5:
            received += await response.content.readany()
    await upstream.idle()
    assert [call.closed_early for call in upstream.bill] == [True, True]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("401", 401), ("402", 402), ("403", 403), ("404", 404), ("413", 413), ("credit", 400),
     ("toolong", 400), ("spend_limit", 429), ("500", 500), ("redirect:http://127.0.0.1:9/", 307)],
)  # fmt: skip
async def test_refuses(upstream: Upstream, fault: str, expected: int) -> None:
    status, _, _ = await read(upstream, f"[[{fault}]] hello")
    assert status == expected
    assert upstream.bill[0].usage is None


async def test_fails_so_many_times_and_then_answers(upstream: Upstream) -> None:
    statuses = [(await read(upstream, "[[429x2:1]] hello"))[0] for _ in range(3)]
    assert statuses == [429, 429, 200]
    upstream.reset("[[529x1]]")
    assert [(await read(upstream, "hello"))[0] for _ in range(2)] == [529, 200]


async def test_malformed_bytes_arrive(upstream: Upstream) -> None:
    assert b'"content_bl\n\n' in (await read(upstream, "[[malformed]]"))[1]
    assert b"\xff\xfe" in (await read(upstream, "[[badutf8:0]]"))[1]
    assert b"<html>" in (await read(upstream, "[[html200]]"))[1]
    assert (await read(upstream, "[[cut_before_start]]"))[1:] == (b"", "cut")


async def test_max_tokens_ends_the_reply(upstream: Upstream) -> None:
    _, received, _ = await read(upstream, "hello", max_tokens=10)
    assert b'"stop_reason": "max_tokens"' in received
    assert upstream.bill[0].usage is not None
    assert upstream.bill[0].usage["output_tokens"] == 10


async def test_counts_what_it_bills_and_shows_the_bill(upstream: Upstream) -> None:
    await read(upstream, "hello there")
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        count = await session.post(
            f"{upstream.url}/v1/messages/count_tokens", json=body("hello there")
        )
        bill = await (await session.get(f"{upstream.url}/_bill")).json()
        assert (await count.json())["input_tokens"] == bill[0]["usage"]["input_tokens"] == 6
        assert await (await session.get(f"{upstream.url}/_open")).json() == 0
        unfit = await session.post(f"{upstream.url}/v1/messages", json={"model": "m"})
        assert unfit.status == 400
