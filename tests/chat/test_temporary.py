"""Temporary chats: found nowhere, gone on time, and paid for like all others."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chatapp.chat import asking, events
from chatapp.chat.articles import row_html
from chatapp.chat.conversation import post
from chatapp.chat.draft import Ask
from chatapp.chat.forgetting import forget
from chatapp.chat.models import Conversation, Generation, Message
from chatapp.chat.search import search
from chatapp.ledger.models import Charge
from tests.chat.conftest import ask
from tests.chat.test_finding import posted
from tests.chat.test_posting import answered

pytestmark = pytest.mark.usefixtures("prices")


@pytest.fixture
def mine(client: Client, alice: Any) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def brief(alice: Any) -> Conversation:
    return answered(alice, ask("A whisper", temporary=True), "An echo").message.conversation


def test_it_stands_in_no_list(mine: Client, alice: Any, brief: Conversation) -> None:
    for url in "/", "/chats/", "/chats/?archived", "/search/", "/search/?q=whisper":
        assert str(brief.id) not in mine.get(url).content.decode()
    assert search(alice, "whisper") == search(alice, "echo") == []
    assert events.conversation(brief, row_html(brief))["deleted"]
    posted(mine, "archive", brief.id, on=True)
    assert str(brief.id) not in mine.get("/chats/?archived").content.decode()
    assert mine.get(reverse("chat:share", args=[brief.id])).status_code == 404


def test_it_goes_on_like_any_other_and_says_what_it_is(
    mine: Client, alice: Any, brief: Conversation
) -> None:
    page = mine.get(reverse("chat:conversation", args=[brief.id])).content.decode()
    assert "Temporary chat." in page
    assert "A whisper" in page
    leaf = Message.objects.get(text="An echo").id
    answered(alice, ask("Louder", conversation=brief.id, parent=leaf))
    brief.refresh_from_db()
    day = timezone.now() + timedelta(hours=24)
    assert day - timedelta(minutes=1) < brief.expires_at < day
    assert "Temporary chat." in mine.get("/?temporary").content.decode()
    assert "Temporary chat." not in mine.get("/").content.decode()


def test_its_words_go_on_time_and_the_money_stays(mine: Client, brief: Conversation) -> None:
    forget()
    assert Message.objects.count() == 2
    Conversation.objects.update(expires_at=timezone.now())
    assert mine.get(reverse("chat:conversation", args=[brief.id])).status_code == 404
    forget()
    assert not Conversation.objects.exists()
    assert Charge.objects.get().conversation == brief.id


def test_closing_ends_it_and_stops_its_reply(mine: Client, alice: Any) -> None:
    posting = post(alice, ask("A whisper", temporary=True)).generation
    id = posting.message.conversation_id
    assert posted(mine, "close", id).status_code == 200
    posted(mine, "restore", id)
    assert mine.get(reverse("chat:conversation", args=[id])).status_code == 404
    assert Generation.objects.get().stop_requested
    forget()
    assert Conversation.objects.exists()  # its reply is settled first
    Generation.objects.all().delete()
    forget()
    assert not Conversation.objects.exists()


def test_only_a_temporary_chat_is_closed(
    client: Client, mine: Client, alice: Any, bob: Any
) -> None:
    lasting = answered(alice, ask("Keep this")).message.conversation
    assert posted(mine, "close", lasting.id).status_code == 404
    secret = answered(bob, ask("Not yours", temporary=True)).message.conversation
    assert posted(mine, "close", secret.id).status_code == 404
    assert Conversation.objects.kept().count() == 2


def test_a_frame_from_before_has_the_hash_it_had(alice: Any) -> None:
    question = ask("Hello")
    assert question.hash == Ask(key=question.key, text="Hello", temporary=False).hash
    assert question.hash != Ask(key=question.key, text="Hello", temporary=True).hash
    assert asking.news(post(alice, question).generation.id)
