"""The chat's pages: what is on them, what may be posted to them, and whose they are."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.test import AsyncClient, Client
from django.urls import reverse

from chatapp.chat.conversation import post
from chatapp.chat.models import Generation
from chatapp.claude import client as door
from chatapp.claude.connection import connection
from chatapp.claude.errors import Fault
from chatapp.ledger.models import Budget
from chatapp.web.database import db
from tests.chat.conftest import ask, sign_in
from tests.chat.test_posting import answered

pytestmark = pytest.mark.usefixtures("prices")


def posted(client: Client, url: str, data: Any) -> Any:
    return client.post(url, json.dumps(data), content_type="application/json")


@pytest.fixture
def reply(alice: Any) -> Generation:
    return answered(alice, ask("A question"), "# An *answer*\n\n<script>alert(1)</script>")


@pytest.fixture
def mine(client: Client, alice: Any) -> Client:
    client.force_login(alice)
    return client


def test_history_is_readable_without_scripts(mine: Client, reply: Generation) -> None:
    conversation = reply.message.conversation
    html = mine.get(reverse("chat:conversation", args=[conversation.id])).content.decode()
    assert "A question" in html
    assert "An <em>answer</em>" in html
    assert "<script>alert(1)" not in html
    assert str(reply.message_id) in html


def test_the_start_page_lists_what_is_there(mine: Client, reply: Generation, bob: Any) -> None:
    post(bob, ask("Not for alice"))
    html = mine.get("/").content.decode()
    assert "A question" in html
    assert "Today" in html
    assert "Not for alice" not in html


def test_branches_are_siblings(mine: Client, reply: Generation, alice: Any) -> None:
    conversation = reply.message.conversation
    other = answered(alice, ask("Another", conversation=conversation.id), "Other answer")
    url = reverse("chat:conversation", args=[conversation.id])
    newest, older = mine.get(url), mine.get(url, {"at": str(reply.message.parent_id)})
    assert [m.text for m in newest.context["messages"]] == ["Another", "Other answer"]
    assert older.context["messages"][0].text == "A question"
    assert newest.context["messages"][0].siblings == [
        reply.message.parent_id, other.message.parent_id
    ]  # fmt: skip
    assert mine.get(url, {"at": "nonsense"}).status_code == 200


def test_nobody_elses_is_there(client: Client, bob: Any, reply: Generation) -> None:
    conversation = reply.message.conversation
    client.force_login(bob)
    for id in (conversation.id, uuid4()):
        assert client.get(reverse("chat:conversation", args=[id])).status_code == 404
        for name in ("rename", "delete", "restore", "settings"):
            assert posted(client, reverse(f"chat:{name}", args=[id]), {}).status_code == 404
    for id in (reply.message_id, uuid4()):
        for name in ("receipt", "text"):
            assert client.get(reverse(f"chat:{name}", args=[id])).status_code == 404
    conversation.refresh_from_db()
    assert conversation.deleted_at is None


def test_signed_out_people_are_asked_to_sign_in(client: Client, reply: Generation) -> None:
    for url in ("/", reverse("chat:conversation", args=[reply.message.conversation_id])):
        assert client.get(url).status_code == 302


def test_changes_need_a_post_and_a_token(alice: Any, reply: Generation) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    for name in ("rename", "delete", "restore", "settings"):
        url = reverse(f"chat:{name}", args=[reply.message.conversation_id])
        assert strict.get(url).status_code == 405
        assert posted(strict, url, {}).status_code == 403
    assert posted(strict, "/quote/", {"text": "x"}).status_code == 403


def test_renaming_deleting_and_undoing(mine: Client, reply: Generation) -> None:
    id = reply.message.conversation_id
    answer = posted(mine, reverse("chat:rename", args=[id]), {"title": "  A \n new\0 name "})
    assert answer.json()["title"] == "A new� name"
    assert posted(mine, reverse("chat:rename", args=[id]), {"title": " "}).status_code == 400
    assert posted(mine, reverse("chat:rename", args=[id]), []).status_code == 400
    posted(mine, reverse("chat:delete", args=[id]), {})
    assert mine.get(reverse("chat:conversation", args=[id])).status_code == 404
    assert mine.get(reverse("chat:receipt", args=[reply.message_id])).status_code == 404
    posted(mine, reverse("chat:restore", args=[id]), {})
    assert mine.get(reverse("chat:conversation", args=[id])).status_code == 200


def test_settings_of_a_conversation(mine: Client, reply: Generation) -> None:
    conversation = reply.message.conversation
    url = reverse("chat:settings", args=[conversation.id])
    data = {"model": "claude-opus-4-5", "max_tokens": 100, "system_prompt": " Be brief.\n"}
    assert posted(mine, url, data).json()["ok"]
    conversation.refresh_from_db()
    assert (conversation.model, conversation.max_tokens) == ("claude-opus-4-5", 100)
    assert conversation.system_prompt == " Be brief.\n"
    assert posted(mine, url, {"max_tokens": 10**6}).json()["field"] == "max_tokens"
    assert posted(mine, url, {"model": "nonsense"}).json()["code"] == "model_unknown"
    posted(mine, url, {"max_tokens": 50})
    conversation.refresh_from_db()
    assert (conversation.max_tokens, conversation.system_prompt) == (50, " Be brief.\n")


def test_a_receipt_and_the_text(mine: Client, reply: Generation) -> None:
    charge = reply.message.charge
    assert charge
    charge.void(error="stopped")
    html = mine.get(reverse("chat:receipt", args=[reply.message_id])).content.decode()
    assert "claude-haiku-4-5" in html
    text = mine.get(reverse("chat:text", args=[reply.message_id]))
    assert text["content-type"] == "text/plain; charset=utf-8"
    assert text.content.decode() == reply.message.text
    question = reply.message.parent_id
    assert mine.get(reverse("chat:receipt", args=[question])).status_code == 404


@pytest.fixture
async def quoting(transactional_db: None, alice: Any, upstream: Any) -> AsyncClient:
    await connection()  # its import takes seconds
    client = AsyncClient()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = await db(sign_in, alice)
    return client


async def quote(client: AsyncClient, **data: Any) -> Any:
    answer = await client.post("/quote/", json.dumps(data), content_type="application/json")
    return answer.json()


async def test_a_quote_is_counted_and_priced(quoting: AsyncClient, upstream: Any) -> None:
    answer = await quote(quoting, text="x" * 400, max_tokens=1000)
    assert answer["tokens"] == 103
    assert answer["price"] == "$0.000103"
    assert not answer["approximate"]
    assert (answer["blocked"], answer["level"]) == ("", "ok")
    assert answer["at_most"] == "$0.00567"  # dearest region and write, and 2 % + 16 tokens
    await quote(quoting, text="x" * 400, max_tokens=2000)
    assert len(upstream.counts) == 1


async def test_a_quote_is_for_people_signed_in(quoting: AsyncClient) -> None:
    quoting.cookies.clear()
    assert (await quote(quoting, text="x"))["code"] == "signed_out"


async def test_a_quote_without_a_count_is_a_guess(
    quoting: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(prompt: Any) -> int:
        raise Fault("unreachable", unbilled=True)

    monkeypatch.setattr(door, "count_tokens", gone)
    answer = await quote(quoting, text="A guess of its own")
    assert answer["approximate"]
    assert answer["tokens"] > 0


async def test_what_will_be_refused_is_blocked_in_words(
    quoting: AsyncClient, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def many(prompt: Any) -> int:
        return 250_000

    budget = Budget(scope="person", person=alice, period="day", limit_pusd=10**6, hard=True)
    await db(budget.save)
    answer = await quote(quoting, text="Too dear")
    assert (answer["level"], "budget" in answer["blocked"]) == ("red", True)
    monkeypatch.setattr(door, "count_tokens", many)
    answer = await quote(quoting, text="Too long")
    assert "250,000" in answer["blocked"]
    assert "200,000" in answer["blocked"]
    assert (await quote(quoting, text=" "))["code"] == "empty"
    assert (await quote(quoting, text="x", model="nonsense"))["code"] == "model_unknown"
    assert (await quote(quoting, text="x", conversation=str(uuid4())))["code"] == "not_found"
    assert (await quote(quoting, text="x", max_tokens="many"))["code"] == "malformed"
