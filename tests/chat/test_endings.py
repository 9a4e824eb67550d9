"""Replies that think, search, pause or are cut off: what is kept, billed, said and asked next."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chatapp.chat.articles import article_html, shown
from chatapp.chat.claims import abandon, depart
from chatapp.chat.conversation import Taker, post
from chatapp.chat.generation import TURNS
from chatapp.chat.models import Chunk, Message
from chatapp.ledger.models import Budget, Charge
from chatapp.pricing.usage import Certainty, Metered
from chatapp.web.database import db
from tests.chat.conftest import ask


async def written(page: Any, text: str, **fields: Any) -> Message:
    """The reply to this question, as it is stored when it has ended."""
    ack = await page.ask(text, **fields)
    await page.finish(ack["gen"])
    return await db(lambda: shown().get(id=ack["reply"]))


async def test_thinking_is_kept_with_its_time_and_tokens(tab: Any, alice: Any) -> None:
    page = await tab(alice)
    reply = await written(page, "Hi", options={"thinking": "on"}, max_tokens=4096)
    assert reply.thinking == "Let me think about this."
    assert reply.thought_ms is not None
    html = await db(article_html, reply)
    assert "Thought for 1 s, 12 tokens" in html
    assert "Let me think about this." in html


async def test_thinking_stays_out_of_later_questions(tab: Any, upstream: Any, alice: Any) -> None:
    page = await tab(alice)
    reply = await written(page, "Hi [[words:3]]", options={"thinking": "on"}, max_tokens=4096)
    await written(page, "Go on", conversation=str(reply.conversation_id), parent=str(reply.id))
    said = upstream.bodies[-1]["messages"]
    assert [turn["content"] for turn in said] == ["Hi [[words:3]]", "w0 w1 w2 ", "Go on"]


async def test_a_search_is_paid_and_its_links_stay(tab: Any, alice: Any) -> None:
    page = await tab(alice)
    reply = await written(page, "Hi [[web_search:2]]", options={"web_search": "5"})
    assert "[\\[2\\]](<https://example.com/1>)" in reply.text
    assert "Searched the web for “question 1”" in reply.thinking
    html = await db(article_html, reply)
    assert "Searched the web" in html
    lines = await db(lambda: list(reply.charge.lines.values_list("kind", "quantity")))  # type: ignore[union-attr]
    assert ("web_search", 2) in lines


async def test_a_paused_reply_goes_on_by_itself(tab: Any, upstream: Any, alice: Any) -> None:
    page = await tab(alice)
    asked = "Hi [[pause_turnx2+web_search:1+words:3]]"
    reply = await written(page, asked, options={"web_search": "10"})
    assert (reply.stop_reason, reply.text.count("w2")) == ("end_turn", 3)
    charges = await db(lambda: list(Charge.objects.order_by("attempt")))
    assert [charge.state for charge in charges] == ["captured"] * 3
    bill = [call.usage for call in upstream.bill]
    assert [charge.usage["output_tokens"] for charge in charges] == [
        usage["output_tokens"] for usage in bill
    ]
    html = await db(article_html, reply)
    total = sum(charge.tokens_out for charge in charges)
    assert f"{total:,} out" in html
    assert f'data-pusd="{sum(charge.amount_pusd for charge in charges)}"' in html
    *_, last = upstream.bodies[-1]["messages"]
    kinds = [block["type"] for block in last["content"]]
    assert kinds == ["server_tool_use", "web_search_tool_result", "text", "text"] * 2
    assert upstream.bodies[-1]["tools"][0]["max_uses"] == 8
    assert upstream.bodies[-1]["max_tokens"] < upstream.bodies[0]["max_tokens"]


async def test_a_reply_is_not_continued_for_ever(tab: Any, upstream: Any, alice: Any) -> None:
    page = await tab(alice)
    reply = await written(page, "Hi [[pause_turn+words:3]]", options={"web_search": "3"})
    assert reply.stop_reason == "pause_turn"
    assert len(upstream.bill) == TURNS
    html = await db(article_html, reply)
    assert "paused in the middle" in html
    assert 'data-action="go-on"' in html


async def test_a_stop_in_a_later_call_pays_for_both(tab: Any, upstream: Any, alice: Any) -> None:
    page = await tab(alice)
    asked = "Hi [[pause_turnx1+web_search:1+pace:30+words:30]]"
    ack = await page.ask(asked, options={"web_search": "10"})
    await upstream.asked(2)
    await page.say("stop", gen=ack["gen"])
    await page.finish(ack["gen"])
    charges = await db(lambda: list(Charge.objects.order_by("attempt")))
    assert [charge.status for charge in charges][:1] == ["exact"]
    assert charges[1].state == "captured"
    reply = await db(lambda: shown().get(id=ack["reply"]))
    assert (reply.generation.state, reply.can_go_on) == ("stopped", True)


async def test_what_a_budget_cannot_pay_is_not_continued(
    tab: Any, upstream: Any, alice: Any
) -> None:
    page = await tab(alice)
    budget = {"scope": "person", "person": alice, "period": "day", "limit_pusd": 10**13}
    await db(lambda: Budget.objects.create(**budget))
    ack = await page.ask(
        "Hi [[pause_turn+web_search:1+pace:40+words:20]]", options={"web_search": "3"}
    )
    await upstream.asked()
    await db(lambda: Budget.objects.update(limit_pusd=1))
    await page.finish(ack["gen"])
    reply = await db(lambda: shown().get(id=ack["reply"]))
    assert (len(upstream.bill), reply.generation.state) == (1, "interrupted")
    assert "w19" in reply.text
    assert "budget" in reply.error_words
    assert 'data-pusd="' in await db(article_html, reply)


def test_a_lost_writer_pays_only_for_what_its_last_call_wrote(alice: Any, prices: None) -> None:
    claim = post(alice, ask("Hi"), Taker(uuid4(), "lost", timedelta(seconds=-1))).claim
    assert claim
    first = depart(claim.generation, claim.prompt, claim.charge, 1)
    assert first.capture(metered(output=1_000, certainty=Certainty.EXACT))
    second = depart(claim.generation, claim.prompt, first, 2)
    assert second.started(metered=metered(output=1, certainty=Certainty.ESTIMATED))
    Chunk.objects.create(generation=claim.generation, offset=0, text="x" * 7_000)
    assert abandon(claim.generation.id)
    second.refresh_from_db()
    assert (second.status, second.estimated_output) == ("estimated", 1_000)


def metered(*, output: int, certainty: Certainty) -> Metered:
    usage = {"input_tokens": 10, "output_tokens": output}
    return Metered("claude-haiku-4-5", usage, {"stop_reason": None}, certainty, output, output)


@pytest.mark.parametrize(
    ("fault", "words", "goes_on"),
    [
        ("max_tokens", "longest length", True),
        ("context_exceeded", "new chat", False),
        ("refusal_mid:cyber", "declined to answer", False),
        ("refusal:bio", "declined to answer", False),
    ],
)
async def test_each_end_says_what_to_do(
    tab: Any, alice: Any, fault: str, words: str, goes_on: bool
) -> None:
    page = await tab(alice)
    reply = await written(page, f"Hi [[{fault}]]")
    html = await db(article_html, reply)
    assert words in html
    assert ('data-action="go-on"' in html) is goes_on


async def test_another_model_that_answers_is_named(tab: Any, alice: Any) -> None:
    page = await tab(alice)
    reply = await written(page, "Hi [[fallback]]")
    html = await db(article_html, reply)
    assert "claude-opus-4-8 answered, claude-haiku-4-5 was asked" in html
