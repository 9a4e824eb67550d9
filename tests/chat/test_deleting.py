"""Deleting a message takes what follows it along, can be undone, and gives no money back."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chatapp.chat.articles import branch
from chatapp.chat.conversation import post
from chatapp.chat.exporting import as_json, bring_in
from chatapp.chat.forgetting import forget
from chatapp.chat.models import Conversation, Message
from chatapp.chat.search import search
from chatapp.ledger.models import Charge
from tests.chat.conftest import ask
from tests.chat.test_finding import posted
from tests.chat.test_posting import answered, refusal

pytestmark = pytest.mark.usefixtures("prices")


@pytest.fixture
def mine(client: Client, alice: Any) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def talk(alice: Any) -> list[Message]:
    """Two questions and their replies."""
    first = answered(alice, ask("First words"), "First answer").message
    more = ask("Second words", conversation=first.conversation_id, parent=first.id)
    answered(alice, more, "Second answer")
    return list(Message.objects.all())


def shown(conversation: Conversation) -> list[str]:
    return [message.text for message in branch(conversation)]


def test_a_question_goes_with_all_below_it_and_comes_back(
    mine: Client, alice: Any, talk: list[Message]
) -> None:
    conversation = talk[0].conversation
    spent = list(Charge.objects.values_list("id", "amount_pusd", "state"))
    assert posted(mine, "delete-message", talk[2].id).status_code == 200
    assert shown(conversation) == ["First words", "First answer"]
    assert search(alice, "second") == []
    assert "Second" not in mine.get(reverse("chat:export-json", args=[conversation.id])).json()
    assert mine.get(reverse("chat:text", args=[talk[3].id])).status_code == 404
    assert list(Charge.objects.values_list("id", "amount_pusd", "state")) == spent
    posted(mine, "restore-message", talk[2].id)
    assert shown(conversation) == [message.text for message in talk]
    assert [found.conversation for found in search(alice, "second")] == [conversation]


def test_an_undo_brings_back_only_what_went_with_it(mine: Client, talk: list[Message]) -> None:
    conversation = talk[0].conversation
    posted(mine, "delete-message", talk[3].id)
    posted(mine, "delete-message", talk[0].id)
    assert shown(conversation) == []
    assert posted(mine, "restore-message", talk[3].id).status_code == 404  # its question is gone
    posted(mine, "restore-message", talk[0].id)
    assert shown(conversation) == ["First words", "First answer", "Second words"]


def test_the_talk_goes_on_after_a_deletion(mine: Client, alice: Any, talk: list[Message]) -> None:
    id = talk[0].conversation_id
    posted(mine, "delete-message", talk[3].id)
    answered(alice, ask("Third", conversation=id, parent=talk[2].id), "Third answer")
    assert shown(talk[0].conversation)[2:] == ["Second words", "Third", "Third answer"]
    [copy] = bring_in(alice, _json(as_json(talk[0].conversation)))
    assert shown(copy) == shown(talk[0].conversation)
    posted(mine, "delete-message", talk[0].id)
    assert refusal(alice, ask("x", conversation=id, parent=talk[1].id)).code == "not_found"
    answered(alice, ask("Anew", conversation=id), "Yes")
    assert shown(talk[0].conversation) == ["Anew", "Yes"]


def _json(data: Any) -> bytes:
    return json.dumps(data).encode()


def test_another_branch_takes_its_place(mine: Client, alice: Any, talk: list[Message]) -> None:
    edited = ask("Second thoughts", conversation=talk[0].conversation_id, parent=talk[1].id)
    reply = answered(alice, edited, "Another answer").message
    posted(mine, "delete-message", reply.parent_id)
    assert shown(talk[0].conversation) == [message.text for message in talk]
    assert branch(talk[0].conversation)[2].siblings == [talk[2].id]


def test_nothing_is_deleted_under_a_reply_being_written(
    mine: Client, alice: Any, talk: list[Message]
) -> None:
    post(alice, ask("More", conversation=talk[0].conversation_id, parent=talk[3].id))
    answer = posted(mine, "delete-message", talk[0].id)
    assert (answer.status_code, answer.json()["code"]) == (400, "busy")
    assert not Message.objects.exclude(deleted_at=None).exists()


def test_after_an_hour_the_words_are_gone_and_the_money_is_not(
    mine: Client, talk: list[Message]
) -> None:
    posted(mine, "delete-message", talk[2].id)
    forget()
    assert Message.objects.count() == 4
    Message.objects.exclude(deleted_at=None).update(deleted_at=timezone.now() - timedelta(hours=2))
    forget()
    assert {message.text for message in Message.objects.all()} == {"First words", "First answer"}
    assert Charge.objects.count() == 2
    assert posted(mine, "restore-message", talk[2].id).status_code == 404


def test_nobody_elses_message_is_there(client: Client, bob: Any, talk: list[Message]) -> None:
    client.force_login(bob)
    for name in "delete-message", "restore-message":
        assert posted(client, name, talk[0].id).status_code == 404
        assert client.get(reverse(f"chat:{name}", args=[talk[0].id])).status_code == 405
    assert not Message.objects.exclude(deleted_at=None).exists()
