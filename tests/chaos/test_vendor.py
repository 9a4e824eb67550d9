"""F1 to F27: what the vendor does to us. Each row in words, in the ledger, and on the wire."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chaos.browser import Browser, Frame, eventually
from tests.chaos.cluster import Cluster
from tests.chaos.conftest import question

Tab = Callable[..., Any]


@dataclass
class Told:
    """What became of one question."""

    state: str
    error: str
    explanation: str
    text: str
    charges: list[tuple[Any, ...]]
    frame: Frame
    browser: Browser


async def told(world: Cluster, tab: Tab, directive: str, **options: Any) -> Told:
    browser = await tab(**options)
    gen = (await browser.ask(question(directive)))["gen"]
    frame = await browser.finish(gen, 120)
    key = gen if world.postgres else gen.replace("-", "")
    ((state, error, explanation, text),) = world.query(
        "SELECT g.state, g.error, g.explanation, m.text FROM chat_generation g"
        " JOIN chat_message m ON m.id = g.message_id WHERE g.id = %s",
        key,
    )
    charges = world.query(
        "SELECT state, status FROM ledger_charge WHERE reference = %s ORDER BY attempt", key
    )
    return Told(state, error, explanation, text, charges, frame, browser)


def row(id: str, fault: str, *args: Any, full: bool = True) -> Any:
    marks = [pytest.mark.row(id, fault)] + ([pytest.mark.full] if full else [])
    return pytest.param(*args, marks=marks, id=f"{id}-{args[0]}")


ESTIMATED, EXACT, VOIDED = ("captured", "estimated"), ("captured", "exact"), ("voided", "")
BROKEN = "connection_lost", "stream_ended_early"


@pytest.mark.parametrize(
    ("directive", "errors"),
    [
        row("F1", "FIN in mid-reply", "cut_after:20", BROKEN, full=False),
        row("F2", "RST in mid-reply", "rst_after:20", BROKEN),
        row("F3", "clean EOF without a stop", "eof_after:20", ["stream_ended_early"], full=False),
        row("F4", "cut inside an event", "cut_mid_event:20", BROKEN),
        row("F7", "error event in mid-reply", "error_event_after:20", ["overloaded"]),
        row("F16", "silence in mid-reply", "stall_after:20", ["idle_timeout"]),
        row("F17", "only pings", "ping_stall_after:20", ["idle_timeout"], full=False),
        row("F18", "drip feed", "words:5000+slow:1000", ["total_timeout"]),
    ],
)
async def test_cut_short(world: Cluster, tab: Tab, directive: str, errors: Any) -> None:
    found = await told(world, tab, directive)
    assert found.state == "interrupted"
    assert found.error in errors
    assert found.text.startswith("w0 w1 w2 ")
    assert found.charges == [ESTIMATED]
    assert "charged" in found.explanation
    assert re.search(r"again|shorter", found.explanation)


@pytest.mark.parametrize(
    "directive",
    [
        row("F5", "cut after the final usage", "cut_before_stop", full=False),
        *(row("F20", "odd characters", d) for d in ("nul:4", "surrogate:4", "unicode")),
        row("F20", "odd characters", "onebyte+words:5"),
        *(row("F21", "unknown kinds", f"unknown_{d}") for d in ("event", "delta", "block", "stop")),
        *(
            row("F23", "stop reasons", d)
            for d in ("refusal_mid", "max_tokens", "context_exceeded", "pause_turn", "empty")
        ),
        *(
            row("F24", "what is priced apart", d)
            for d in ("thinking", "web_search:2", "cache:1h", "cache:read", "geo:us")
        ),
        row("F25", "a delta of a megabyte", "hugedelta:1000000"),
        row("F25", "60,000 characters", "big:60000", full=False),
    ],
)
async def test_whole(world: Cluster, tab: Tab, directive: str) -> None:
    found = await told(world, tab, directive)
    assert (found.state, found.error, set(found.charges)) == ("done", "", {EXACT})
    assert len(found.charges) == 1 or "pause_turn" in directive
    if "unknown_stop" in directive:
        assert "something_new" in found.frame["html"] or "stop" in found.frame["html"].lower()


@pytest.mark.parametrize(
    ("directive", "statuses"),
    [
        row("F8", "error event before a word", "error_event_afterx1:0+words:5", [ESTIMATED, EXACT]),
        row("F9", "429 twice", "429x2:1+words:5", [VOIDED, VOIDED, EXACT], full=False),
        row("F9", "529 twice", "529x2+words:5", [VOIDED, VOIDED, EXACT]),
        row("F9", "503 twice", "503x2+words:5", [VOIDED, VOIDED, EXACT]),
        row("F9", "408 once", "408x1+words:5", [VOIDED, EXACT]),
    ],
)
async def test_asked_again(world: Cluster, tab: Tab, directive: str, statuses: Any) -> None:
    found = await told(world, tab, directive)
    assert (found.state, found.charges) == ("done", statuses)
    (reading,) = found.browser.replies.values()
    assert reading.notices[0]["until"]


@pytest.mark.parametrize(
    ("directive", "error"),
    [
        row("F10", "429 for an hour", "429x1:3600", "rate_limited", full=False),
        row("F13", "prompt too long", "toolong", "prompt_too_long"),
        row("F13", "413", "413", "prompt_too_long"),
        row("F14", "404 model", "404", "model_missing"),
        row("F27", "redirect", "redirect:http://127.0.0.1:9/", "unexpected_answer"),
        row("F19", "a page with 200", "html200", "unexpected_answer"),
    ],
)
async def test_refused(world: Cluster, tab: Tab, directive: str, error: str) -> None:
    found = await told(world, tab, directive)
    assert (found.state, found.error, found.charges) == ("failed", error, [VOIDED])
    assert "Nothing was charged" in found.explanation


@pytest.mark.parametrize(
    "directive",
    [
        row("F6", "cut before message_start", "cut_before_start"),
        *(row("F19", "nonsense", d) for d in ("malformed", "badutf8", "no_usage", "no_start")),
    ],
)
async def test_nonsense(world: Cluster, tab: Tab, odd: None, directive: str) -> None:
    found = await told(world, tab, directive)
    assert found.explanation or found.state == "done"
    # A message_start without usage is made good by the final message_delta.
    assert found.state == "done" or all(status != "exact" for _, status in found.charges)


@pytest.mark.parametrize(
    "directive",
    [row("F22", "impossible usage", d) for d in ("neg_usage", "huge_usage", "zero_usage")],
)
async def test_impossible_usage(world: Cluster, tab: Tab, odd: None, directive: str) -> None:
    found = await told(world, tab, directive)
    assert found.state == "done"
    assert world.query("SELECT COUNT(*) FROM ledger_charge WHERE amount_pusd < 0") == [(0,)]
    gen = found.frame["gen"]
    unflagged = (
        "SELECT COUNT(*) FROM ledger_charge WHERE reference = %s AND CAST(flags AS TEXT) = '[]'"
    )
    assert world.query(unflagged, gen if world.postgres else gen.replace("-", "")) == [(0,)]


@pytest.mark.row("F15", "no headers")
@pytest.mark.full
async def test_stop_works_while_nothing_comes(world: Cluster, tab: Tab) -> None:
    found = await told(world, tab, "stall_headers")
    assert (found.state, found.error) == ("failed", "no_answer")
    browser = await tab()
    gen = (await browser.ask(question("stall_headers")))["gen"]
    await eventually(lambda: world.vendor.open)
    await browser.stop(gen)
    assert (await browser.finish(gen, 5))["state"] == "stopped"


@pytest.mark.row("F26", "nobody at the vendor's address")
@pytest.mark.full
async def test_nobody_there(world: Cluster, tab: Tab) -> None:
    node = world.nodes[0]
    address = world.vendor.url
    node.restart(ANTHROPIC_BASE_URL="http://127.0.0.1:9")
    try:
        found = await told(world, tab, "words:1", port=node.port)
    finally:
        node.restart(ANTHROPIC_BASE_URL=address)
    assert (found.state, found.error) == ("failed", "unreachable")
    assert set(found.charges) == {VOIDED}


@pytest.mark.parametrize(
    ("directive", "error"),
    [
        row("F11", "401", "401", "unauthorized"),
        row("F11", "403", "403", "forbidden"),
        row("F12", "402", "402", "billing"),
        row("F12", "no credit", "credit", "billing"),
    ],
)
async def test_key_or_money_refused(world: Cluster, tab: Tab, directive: str, error: str) -> None:
    found = await told(world, tab, directive, port=world.nodes[0].port)
    assert (found.state, found.error, found.charges) == ("failed", error, [VOIDED])
    assert "admin" in found.explanation
    asked = len(world.vendor.bill)
    again = await told(world, tab, "words:1", port=world.nodes[0].port)
    assert (again.error, len(world.vendor.bill)) == (error, asked), "the breaker is open"
    world.nodes[0].restart()
