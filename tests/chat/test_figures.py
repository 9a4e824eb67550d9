"""What stands above a chat: costs of the branch and of all, the context's fill, and the cache."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chatapp.chat.articles import article_html, branch, shown
from chatapp.chat.bill import Bill
from chatapp.chat.caching import missed
from chatapp.chat.conversation import post
from chatapp.chat.draft import Ask
from chatapp.chat.figures import figures
from chatapp.chat.models import Generation, Settlement
from chatapp.chat.prompts import context_tokens
from chatapp.chat.quoting import draft_of
from chatapp.ledger.models import Charge
from chatapp.pricing.usage import Certainty, Metered
from tests.chat.conftest import ask
from tests.ledger.conftest import price_version

pytestmark = pytest.mark.usefixtures("prices")


USAGE = {"input_tokens": 10, "output_tokens": 20}
CACHED = {**USAGE, "cache_creation_input_tokens": 5_000}
CACHED_LONG = {**CACHED, "cache_creation": {"ephemeral_1h_input_tokens": 5_000}}


def replied(user: Any, question: Ask, usage: dict[str, Any] = USAGE) -> Generation:
    """An answered question whose call used this."""
    generation = post(user, question).generation
    charge = Charge.objects.get(reference=generation.id)
    metered = Metered(charge.model, usage, {"stop_reason": "end_turn"}, Certainty.EXACT)
    bill = Bill(charge=charge, metered=metered)
    generation.settle(Settlement(state="done", text="An answer", bill=bill), fence=0)
    return Generation.objects.select_related("message__conversation").get(id=generation.id)


def next_to(reply: Generation) -> Ask:
    """A further question."""
    message = reply.message
    return ask("More", conversation=message.conversation_id, parent=message.id)


# What the ledger takes for no usage, and the like of it.
ODD: list[dict[str, Any]] = [
    {"input_tokens": -5},
    {"output_tokens": "many"},
    {"output_tokens": 10**30},
    {"output_tokens": 10**12},
    {"input_tokens": None},
    {"input_tokens": True},
    {"iterations": "none"},
    {"iterations": ["x"]},
    {"iterations": [5, None]},
    {"cache_creation_input_tokens": 9, "cache_creation": 5},
    {"cache_creation_input_tokens": "9", "cache_creation": ["x"]},
    {"cache_read_input_tokens": [1], "cache_creation": {"ephemeral_1h_input_tokens": {}}},
    {"output_tokens_details": 3, "server_tool_use": ["x"]},
    {"server_tool_use": {"web_search_requests": 10**30}, "service_tier": 1, "speed": {}},
]


@pytest.fixture
def reply(alice: Any) -> Generation:
    return replied(alice, ask("A question"))


def call(**usage: int) -> Charge:
    named = {f"{name}_tokens": count for name, count in usage.items()}
    return Charge(model="claude-haiku-4-5", usage=named, authorized_at=timezone.now())


def test_a_branch_and_all_of_them(alice: Any, reply: Generation) -> None:
    conversation = reply.message.conversation
    replied(alice, ask("", message=reply.message_id))
    one = 110 * 10**6  # pico-USD: 10 in at $1 and 20 out at $5 a million
    found = figures(conversation, branch(conversation, reply.message_id))
    assert (found.branch_pusd, found.all_pusd, found.branches) == (one, 2 * one, True)


def test_the_context_is_what_the_last_sampling_had() -> None:
    plain = {"input_tokens": 1, "cache_read_input_tokens": 20, "output_tokens": 300}
    assert context_tokens(plain) == 321
    entries = [{"type": "message", "input_tokens": 5}, {"type": "message", "output_tokens": 7}]
    assert context_tokens({**plain, "iterations": entries}) == 7
    assert context_tokens(None) == 0


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_odd_usage_breaks_no_page(client: Client, alice: Any, odd: dict[str, Any]) -> None:
    first = replied(alice, ask("A question"), USAGE | odd)
    second = replied(alice, next_to(first), CACHED | odd)
    for message in shown().filter(generation__isnull=False):
        article_html(message)
    conversation = second.message.conversation
    assert 0 <= figures(conversation, branch(conversation)).tokens <= 10_000
    client.force_login(alice)
    pages = [
        reverse("chat:conversation", args=[conversation.id]),
        reverse("chat:figures", args=[conversation.id]),
        reverse("chat:receipt", args=[second.message_id]),
    ]
    assert [client.get(url).status_code for url in pages] == [200] * 3
    _, cached = draft_of(alice, next_to(second))
    assert 0 <= cached <= 10_000


def test_a_full_context_is_warned_of(client: Client, alice: Any) -> None:
    reply = replied(alice, ask("A question"), {"input_tokens": 159_980, "output_tokens": 20})
    conversation = reply.message.conversation
    found = figures(conversation, branch(conversation))
    assert (found.percent, found.full) == (80, True)
    assert (found.fresh_pusd or 0) < (found.next_pusd or 0) < (found.summary_pusd or 0)
    client.force_login(alice)
    html = client.get(reverse("chat:figures", args=[conversation.id])).content.decode()
    assert "fills 80 %" in html
    assert "Continue in a new chat" in html


def test_what_comes_next_is_priced_at_the_speed_of_the_chat(alice: Any, reply: Generation) -> None:
    conversation = reply.message.conversation
    price_version(conversation.model, dollars=2, speed="fast")
    costs = []
    for wishes in {}, {"speed": "fast"}:
        conversation.options = wishes
        costs.append(figures(conversation, branch(conversation)).next_pusd or 0)
    assert costs[1] == 2 * costs[0] > 0


def test_a_summary_begins_a_new_chat(
    client: Client, alice: Any, charlie: Any, reply: Generation
) -> None:
    client.force_login(alice)
    url = f"{reverse('chat:new')}?summary={reply.message_id}"
    html = client.get(url).content.decode()
    assert "continues an earlier one" in html
    assert "An answer" in html
    client.force_login(charlie)
    assert client.get(url).status_code == 404
    figures_url = reverse("chat:figures", args=[reply.message.conversation_id])
    assert client.get(figures_url).status_code == 404


@pytest.mark.parametrize(("usage", "minutes"), [(CACHED, 5), (CACHED_LONG, 60)])
def test_what_is_cached_counts_down(alice: Any, usage: dict[str, Any], minutes: int) -> None:
    conversation = replied(alice, ask("A question"), usage).message.conversation
    until = figures(conversation, branch(conversation)).cached_until
    assert until == Charge.objects.get().authorized_at + timedelta(minutes=minutes)
    conversation.model = "claude-opus-4-5"
    assert figures(conversation, branch(conversation)).cached_until is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, "a setting or an earlier message"),
        ({"model": "claude-opus-4-5"}, "each model has its own"),
        ({"authorized_at": timedelta(minutes=7)}, "7 minutes had passed"),
    ],
)
def test_why_the_cache_was_missed(change: dict[str, Any], why: str) -> None:
    before, later = call(cache_creation_input=5_000), call(cache_creation_input=6_000)
    for name, value in change.items():
        moved = before.authorized_at + value if name == "authorized_at" else value
        setattr(later, name, moved)
    assert why in missed(later, before)
    assert missed(call(cache_read_input=5_000), before) == ""
    assert missed(call(input=10), before) == ""
    assert missed(later, None) == ""


def test_a_reply_says_that_the_cache_was_missed(alice: Any) -> None:
    first = replied(alice, ask("A question"), CACHED)
    second = replied(alice, next_to(first), CACHED)
    html = article_html(shown().get(id=second.message_id))
    assert "cache missed: a setting or an earlier message had changed" in html
    third = replied(alice, next_to(second), {**USAGE, "cache_read_input_tokens": 5_000})
    assert "cache missed" not in article_html(shown().get(id=third.message_id))
