"""Every way the vendor can fail, through the engine: what people see, and what the ledger holds."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatapp.chat.models import Chunk, Generation
from chatapp.claude.breaker import breaker
from chatapp.ledger.models import Charge
from chatapp.web.database import db

Open = Callable[..., Any]


@pytest.fixture(autouse=True)
def closed_breaker() -> Iterator[None]:
    breaker.clear()
    yield
    breaker.clear()


async def told(tab: Open, alice: Any, directive: str) -> tuple[Generation, list[Charge], Any]:
    """A question with this fault, ended; its charges in order, and the tab it was asked in."""
    page = await tab(alice)
    ack = await page.ask(f"Please [[{directive}]]")
    await page.finish(ack["gen"])
    replies = Generation.objects.select_related("message__charge")
    generation = await db(replies.get, id=ack["gen"])
    charges = await db(lambda: list(Charge.objects.order_by("attempt")))
    assert not any(charge.state == "authorized" for charge in charges)
    assert not await db(Chunk.objects.exists)
    assert generation.message.charge == charges[-1]
    return generation, charges, page


@pytest.mark.parametrize(
    ("directive", "error"),
    [
        ("words:40+cut_after:20", "connection_lost"),
        ("words:40+rst_after:20", "connection_lost"),
        ("words:40+eof_after:20", "stream_ended_early"),
        ("words:40+cut_mid_event:20", "connection_lost"),
        ("words:40+error_event_after:20", "overloaded"),
        ("words:40+stall_after:20", "idle_timeout"),
        ("words:40+ping_stall_after:20", "idle_timeout"),
        ("slow:100+words:500", "total_timeout"),
    ],
)
async def test_cut_in_the_middle_is_kept_and_estimated(
    tab: Open, alice: Any, upstream: Any, settings: Any, directive: str, error: str
) -> None:
    settings.IDLE_TIMEOUT, settings.TOTAL_TIMEOUT = 1.5, 4.0
    generation, charges, _ = await told(tab, alice, directive)
    assert (generation.state, generation.error) == ("interrupted", error)
    assert generation.message.text.startswith("w0 w1 w2 ")
    assert upstream.bill[0].text.startswith(generation.message.text)
    assert "charged" in generation.explanation
    (charge,) = charges
    assert charge.status == "estimated"
    assert charge.usage["input_tokens"] == upstream.bill[0].usage["input_tokens"]
    assert charge.low_pusd <= charge.amount_pusd <= charge.high_pusd
    assert len(upstream.bill) == 1


WHOLE = """words:9 cut_before_stop nul:4 surrogate:4 split_surrogate:4 unicode onebyte+words:5
    unknown_event unknown_delta unknown_block thinking max_tokens context_exceeded pause_turn
    refusal_mid empty cache:1h cache:read tier:priority geo:us web_search:2 unknown_stop"""


@pytest.mark.parametrize("directive", WHOLE.split())
async def test_whole_replies_equal_the_vendors_bill(
    tab: Open, alice: Any, upstream: Any, directive: str
) -> None:
    generation, (charge,), _ = await told(tab, alice, directive)
    (call,) = upstream.bill
    assert (generation.state, generation.error) == ("done", "")
    assert charge.status == "exact"
    assert charge.usage == call.usage
    assert charge.request_id == call.request_id
    assert generation.message.stop_reason == call.stop_reason
    assert "\0" not in generation.message.text


@pytest.mark.parametrize(
    ("directive", "error"),
    [
        ("401", "unauthorized"),
        ("402", "billing"),
        ("403", "forbidden"),
        ("credit", "billing"),
        ("404", "model_missing"),
        ("400", "bad_request"),
        ("413", "prompt_too_long"),
        ("toolong", "prompt_too_long"),
        ("429x1:3600", "rate_limited"),
        ("429x1:1790000000000", "rate_limited"),
        ("redirect:http://127.0.0.1:9/", "unexpected_answer"),
    ],
)
async def test_what_the_vendor_refuses_costs_nothing(
    tab: Open, alice: Any, upstream: Any, directive: str, error: str
) -> None:
    generation, (charge,), _ = await told(tab, alice, directive)
    assert (generation.state, generation.error) == ("failed", error)
    assert charge.state == "voided"
    assert "Nothing was charged" in generation.explanation
    assert "sk-test-key" not in generation.explanation
    assert (generation.retry_at is not None) == (error == "rate_limited")


@pytest.mark.parametrize("directive", ["429x2:0", "503x2", "529x1", "408x1"])
async def test_what_may_pass_is_asked_again_before_the_first_word(
    tab: Open, alice: Any, upstream: Any, directive: str
) -> None:
    generation, charges, page = await told(tab, alice, f"{directive}+words:3")
    assert generation.state == "done"
    assert {charge.state for charge in charges[:-1]} == {"voided"}
    assert charges[-1].status == "exact"
    assert len(charges) == len(upstream.bill)
    assert any(frame["type"] == "notice" and frame["until"] for frame in page.frames)


async def test_an_error_before_the_first_word_is_an_attempt_of_its_own(
    tab: Open, alice: Any, upstream: Any
) -> None:
    generation, charges, _ = await told(tab, alice, "error_event_afterx1:0+words:3")
    assert generation.state == "done"
    assert [charge.status for charge in charges] == ["estimated", "exact"]
    assert charges[0].usage["input_tokens"] == upstream.bill[0].usage["input_tokens"]


@pytest.mark.parametrize(
    "directive", ["malformed", "badutf8", "html200", "no_start", "cut_before_start"]
)
async def test_nonsense_never_crashes_and_never_passes_for_complete(
    tab: Open, alice: Any, upstream: Any, directive: str
) -> None:
    generation, (charge,), _ = await told(tab, alice, directive)
    assert generation.state in ("failed", "interrupted")
    assert generation.explanation
    assert charge.status != "exact"


@pytest.mark.usefixtures("upstream")
async def test_silence_before_the_first_byte_ends(tab: Open, alice: Any, settings: Any) -> None:
    settings.FIRST_BYTE_TIMEOUT = 0.6
    generation, (charge,), _ = await told(tab, alice, "stall_headers")
    assert (generation.state, generation.error) == ("failed", "no_answer")
    assert charge.status == "unknown"
    assert charge.amount_pusd is None


@pytest.mark.parametrize("directive", ["neg_usage", "huge_usage", "zero_usage"])
async def test_impossible_usage_is_never_negative(
    tab: Open, alice: Any, upstream: Any, directive: str
) -> None:
    generation, (charge,), _ = await told(tab, alice, directive)
    assert generation.state == "done"
    assert charge.amount_pusd is None or charge.amount_pusd >= 0
    assert charge.flags
    if directive == "zero_usage":
        assert (charge.status, charge.flags) == ("exact", ["zero_usage"])


async def test_a_vendor_who_is_not_there(tab: Open, alice: Any, settings: Any) -> None:
    settings.ANTHROPIC_BASE_URL = "http://127.0.0.1:9"
    generation, charges, _ = await told(tab, alice, "words:1")
    assert (generation.state, generation.error) == ("failed", "unreachable")
    assert {charge.state for charge in charges} == {"voided"}
