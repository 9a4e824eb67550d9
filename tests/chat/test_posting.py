"""One key is one question, one reply and one hold; what is refused leaves nothing behind."""

import threading
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from chatapp.chat.conversation import post
from chatapp.chat.draft import Ask
from chatapp.chat.models import Conversation, Generation, Message, Settlement
from chatapp.chat.prompts import counts, prompt_for, upper_bound
from chatapp.chat.quoting import quote
from chatapp.chat.refusals import CountNeeded, Refused
from chatapp.claude.prompt import Prompt
from chatapp.ledger.models import Budget, Charge
from chatapp.pricing.models import Model
from chatapp.pricing.usage import Certainty, Metered
from tests.chat.conftest import ask

pytestmark = pytest.mark.usefixtures("prices")


def answered(user: Any, ask: Ask, text: str = "An answer.") -> Generation:
    """Posted and settled, so that the conversation may go on."""
    generation = post(user, ask).generation
    generation.settle(Settlement(state="done", text=text), fence=0)
    return Generation.objects.select_related("message__conversation").get(id=generation.id)


def refusal(user: Any, ask: Ask) -> Refused:
    before = Message.objects.count(), Charge.objects.count(), Conversation.objects.count()
    with pytest.raises(Refused) as refused:
        post(user, ask)
    assert before == (
        Message.objects.count(), Charge.objects.count(), Conversation.objects.count()
    )  # fmt: skip
    return refused.value


def test_a_question_makes_a_conversation_a_reply_and_a_hold(alice: Any) -> None:
    posted = post(alice, ask("# What is\n\nlove?", system_prompt="Be brief."))
    reply = posted.generation.message
    assert posted.new
    assert reply.conversation.title == "What is"
    assert reply.conversation.system_prompt == "Be brief."
    assert reply.parent
    assert reply.parent.text == "# What is\n\nlove?"
    assert posted.generation.state == "queued"
    assert reply.charge
    assert reply.charge.held_pusd > 0
    assert reply.charge.reference == posted.generation.id


def test_the_same_key_is_the_same_question(alice: Any, bob: Any) -> None:
    question = ask()
    first = post(alice, question)
    again = [post(alice, question) for _ in range(10)]
    assert {posted.generation.id for posted in again} == {first.generation.id}
    assert not any(posted.new for posted in again)
    assert Charge.objects.count() == 1
    assert refusal(alice, replace(question, text="Other")).code == "key_reused"
    assert post(bob, question).new


@pytest.mark.django_db(transaction=True)
def test_ten_clicks_at_once_are_one_question(alice: Any) -> None:
    question, found = ask(), []

    def click() -> None:
        found.append(post(alice, question))
        connection.close()

    clicks = [threading.Thread(target=click) for _ in range(10)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert len(found) == 10
    assert sum(posted.new for posted in found) == 1
    assert Generation.objects.count() == Charge.objects.count() == 1


def test_the_history_is_the_path_to_the_root(alice: Any) -> None:
    first = answered(alice, ask("One"))
    conversation = first.message.conversation
    answered(alice, ask("Aside", conversation=conversation.id, parent=first.message_id))
    second = answered(alice, ask("Two", conversation=conversation.id, parent=first.message_id))
    path = conversation.path_to(second.message_id)
    assert [message.text for message in path] == ["One", "An answer.", "Two", "An answer."]


def test_regenerating_writes_a_sibling(alice: Any, bob: Any) -> None:
    first = answered(alice, ask("One"))
    again = post(
        alice, Ask(key=uuid4(), message=first.message_id, model="claude-opus-4-5")
    ).generation
    assert again.message.parent_id == first.message.parent_id
    assert again.model == "claude-opus-4-5"
    assert first.message.conversation.model == "claude-haiku-4-5"
    assert refusal(bob, Ask(key=uuid4(), message=first.message_id)).code == "not_found"


def test_a_model_that_is_no_longer_offered_is_refused(alice: Any) -> None:
    reply = answered(alice, ask(model="claude-opus-4-5")).message
    Model.objects.filter(id="claude-opus-4-5").update(offered=False)
    again = Ask(key=uuid4(), message=reply.id)
    for refused in again, ask("And?", conversation=reply.conversation_id):
        answer = refusal(alice, refused)
        assert (answer.code, answer.field) == ("model_unknown", "model")
        assert answer.message == "Claude Opus 4.5 is no longer offered. Choose another model."
    post(alice, ask("And?", conversation=reply.conversation_id, model="claude-haiku-4-5"))


def test_a_conversation_writes_one_reply_at_a_time(alice: Any) -> None:
    conversation = post(alice, ask()).generation.message.conversation
    assert refusal(alice, ask("And?", conversation=conversation.id)).code == "busy"


def test_others_and_what_is_not_there_are_the_same(alice: Any, bob: Any) -> None:
    mine = answered(alice, ask())
    conversation = mine.message.conversation
    strangers = [
        ask(conversation=conversation.id),
        ask(conversation=uuid4()),
        ask(conversation=conversation.id, parent=mine.message_id),
        Ask(key=uuid4(), message=uuid4()),
        ask(parent=uuid4()),
    ]
    assert {refusal(bob, stranger).code for stranger in strangers} == {"not_found"}
    assert len({refusal(bob, stranger).message for stranger in strangers}) == 1
    conversation.hide()
    assert refusal(alice, ask(conversation=conversation.id)).code == "not_found"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": " \n\t "}, "empty"),
        ({"text": "x" * 200_001}, "too_long"),
        ({"system_prompt": "x" * 200_001}, "too_long"),
        ({"model": "../../x"}, "model_unknown"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 10**9}, "max_tokens"),
    ],
)
def test_what_makes_no_sense_is_refused(alice: Any, fields: dict[str, Any], code: str) -> None:
    assert refusal(alice, replace(ask(), **fields)).code == code


@pytest.fixture
def unpriced(prices: None) -> None:
    haiku = Model.objects.get(id="claude-haiku-4-5")
    haiku.versions.update(cancelled_at="2026-01-01T00:00Z")
    haiku.save()


@pytest.mark.usefixtures("unpriced")
def test_a_model_without_a_price_is_refused(alice: Any) -> None:
    assert refusal(alice, ask()).code == "model_unpriced"


@pytest.mark.usefixtures("unpriced")
def test_a_model_without_a_price_may_be_allowed_but_not_past_a_budget(
    alice: Any, settings: Any, client: Client
) -> None:
    settings.SEND_UNPRICED = True
    client.force_login(alice)
    assert "no price yet" in client.get("/").content.decode()
    charge = post(alice, ask()).generation.message.charge
    assert charge
    assert charge.held_pusd == 0
    used = {"input_tokens": 3, "output_tokens": 5}
    answered = Metered(charge.model, used, {"stop_reason": "end_turn"}, Certainty.EXACT)
    assert charge.capture(answered)
    charge.refresh_from_db()
    assert (charge.status, charge.amount_pusd) == ("unpriced", None)
    budget = Budget.objects.create(scope="everyone", period="month", limit_pusd=10**15)
    assert refusal(alice, ask()).code == "model_unpriced"
    Budget.objects.filter(pk=budget.pk).update(hard=False)
    assert post(alice, ask()).new


@pytest.mark.usefixtures("unpriced")
@pytest.mark.parametrize("allowed", [True, False])
def test_what_has_no_price_is_quoted_as_that(alice: Any, settings: Any, allowed: bool) -> None:
    settings.SEND_UNPRICED = allowed
    prompt = Prompt("claude-haiku-4-5", [{"role": "user", "content": "Hello"}], max_tokens=100)
    quoted = quote(alice, prompt, 10, 0, approximate=False)
    assert (quoted.price, quoted.at_most) == ("unpriced", "unpriced")
    assert bool(quoted.blocked) != allowed


def test_too_long_for_the_window_is_counted_and_then_refused_with_numbers(alice: Any) -> None:
    Model.objects.filter(id="claude-haiku-4-5").update(context_window=6_000)
    question = ask("word " * 1_000)
    with pytest.raises(CountNeeded) as needed:
        post(alice, question)
    counts.keep(needed.value.prompt, 1_001)
    assert post(alice, question).new
    question = ask("a longer word " * 1_000)
    with pytest.raises(CountNeeded) as needed:
        post(alice, question)
    counts.keep(needed.value.prompt, 2_001)
    refused = refusal(alice, question)
    assert refused.code == "context_exceeded"
    assert all(number in refused.message for number in ("2,001", "4,096", "6,000"))


def test_a_budget_is_never_passed(alice: Any) -> None:
    hold = post(alice, ask("Hello")).generation.message.charge
    assert hold
    Budget.objects.create(
        scope="person", person=alice, period="month", limit_pusd=3 * hold.held_pusd, hard=True
    )
    for _ in range(2):
        assert post(alice, ask("Hello")).new
    question = ask("Hello")
    with pytest.raises(CountNeeded) as needed:
        post(alice, question)
    counts.keep(needed.value.prompt, 5)
    refused = refusal(alice, question)
    assert refused.code == "budget_exceeded"
    assert "budget" in refused.message


def test_one_person_has_only_so_many_replies_at_a_time(alice: Any, bob: Any) -> None:
    for _ in range(10):
        post(alice, ask())
    assert refusal(alice, ask()).code == "rate_limited"
    assert post(bob, ask()).new


def test_what_databases_refuse_is_cleaned(alice: Any) -> None:
    question = post(alice, ask("a\0b\ud83d")).generation.message.parent
    assert question
    assert question.text == "a\ufffdb\ufffd"


def test_the_bound_is_never_under_the_bytes(alice: Any) -> None:
    path = [Message(role="user", text="é" * 10), Message(role="assistant", text="")]
    prompt = prompt_for(path, model="m", system="s", max_tokens=1, options={})
    assert len(prompt.messages) == 1
    assert upper_bound(prompt) >= 21
