"""A conversation as a file: out as Markdown and JSON, and in again the same."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from chatapp.chat.exporting import as_json
from chatapp.chat.models import Conversation, Message
from tests.chat.conftest import ask
from tests.chat.test_finding import talk
from tests.chat.test_posting import answered

pytestmark = pytest.mark.usefixtures("prices")

EVIL = '<img src=x onerror="window.__xss=1">'


@pytest.fixture
def mine(client: Client, alice: Any) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def tree(alice: Any) -> Conversation:
    """Two replies to one question; only the second is on the newest branch."""
    question = ask("Why?\n" + EVIL, options={"thinking": "on"})
    first = answered(alice, question, "Because.").message
    answered(alice, ask(None, message=first.id), "# Since **so**")  # type: ignore[arg-type]
    return Conversation.objects.get(id=first.conversation_id)


def upload(client: Client, content: bytes) -> Any:
    return client.post(reverse("chat:import"), {"file": SimpleUploadedFile("x.json", content)})


def shape(conversation: Conversation) -> Any:
    """All that is in it, without the names and the times."""
    data = as_json(conversation)
    order = [message["id"] for message in data["messages"]]
    for message in data["messages"]:
        message["parent"] = order.index(message["parent"]) if message["parent"] else None
        del message["id"], message["created_at"]
    del data["created_at"], data["max_tokens"]
    return data


def test_markdown_has_the_branch_that_is_shown(mine: Client, tree: Conversation) -> None:
    url = reverse("chat:export-markdown", args=[tree.id])
    answer = mine.get(url)
    assert answer["content-type"] == "text/markdown; charset=utf-8"
    assert answer["content-disposition"] == 'attachment; filename="why.md"'
    assert answer["cache-control"] == "no-store"
    assert answer.content.decode() == (
        f"# Why?\n\n## You\n\nWhy?\n{EVIL}\n\n## Claude\n\n# Since **so**\n"
    )
    first = tree.messages.get(text="Because.")
    assert "Because." in mine.get(url, {"at": str(first.id)}).content.decode()


def test_markdown_is_headed_in_the_readers_language(mine: Client, tree: Conversation) -> None:
    Message.objects.update(thinking="Searched the web for “so”")
    german = {"headers": {"accept-language": "de"}}
    text = mine.get(reverse("chat:export-markdown", args=[tree.id]), **german).content.decode()
    assert "## Sie\n\nWhy?" in text
    page = mine.get(reverse("chat:conversation", args=[tree.id]), **german).content.decode()
    assert "Im Web gesucht nach „so“" in page
    data = mine.get(reverse("chat:export-json", args=[tree.id]), **german).json()
    assert data["messages"][-1]["thinking"] == "Searched the web for “so”"


def test_json_comes_back_as_it_left(mine: Client, alice: Any, tree: Conversation) -> None:
    answer = mine.get(reverse("chat:export-json", args=[tree.id]))
    assert answer["content-type"] == "application/json"
    assert "attachment" in answer["content-disposition"]
    assert "pusd" not in answer.content.decode()
    made = upload(mine, answer.content)
    copy = Conversation.objects.exclude(id=tree.id).get()
    assert made["location"] == reverse("chat:conversation", args=[copy.id])
    assert copy.owner == alice
    assert shape(copy) == shape(tree)
    assert not set(copy.messages.values_list("id")) & set(tree.messages.values_list("id"))
    html = mine.get(made["location"]).content.decode()
    assert "<strong>so</strong>" in html
    assert EVIL not in html
    reply = copy.messages.get(text="# Since **so**")
    assert reply.charge is None
    answered(alice, ask("And then?", conversation=copy.id, parent=reply.id), "Then.")


def test_a_title_of_signs_still_has_a_file_name(mine: Client, alice: Any) -> None:
    for title in "¿?", "../../etc/passwd", 'a"b\r\nX: y':
        url = reverse("chat:export-json", args=[talk(alice, title, "x").id])
        name = mine.get(url)["content-disposition"].split("filename=")[1].strip('"')
        assert name in ("chat.json", "etcpasswd.json", "ab-x-y.json")


BAD: list[Any] = [
    [],
    {"format": "other"},
    {"version": 2},
    {"messages": []},
    {"messages": "x"},
    {"messages": [1]},
    {"messages": [{"id": "a", "parent": "b", "role": "user", "text": "x"}]},
    {"messages": [{"id": "a", "parent": [], "role": "user", "text": "x"}]},
    {"messages": [{"id": "a", "parent": None, "role": "assistant", "text": "x"}]},
    {"messages": [{"id": "a", "parent": None, "role": "system", "text": "x"}]},
    {"messages": [{"id": "a", "parent": None, "role": "user", "text": 1}]},
    {"messages": [{"id": {}, "parent": None, "role": "user", "text": "x"}]},
    {"messages": [{"id": "a", "parent": None, "role": "user", "text": "x"}] * 2},
    {"messages": [{"id": "a", "role": "user", "text": "x"}] * 5_001},
    {"title": 1},
    {"system_prompt": "x" * 200_001},
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(bad)[:40])
def test_what_is_no_export_changes_nothing(mine: Client, alice: Any, bad: Any) -> None:
    good = as_json(talk(alice, "Good", "x"))
    before = Message.objects.count()
    answer = upload(mine, json.dumps(good | bad if isinstance(bad, dict) else bad).encode())
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.content.decode()
    assert Message.objects.count() == before
    assert Conversation.objects.count() == 1


def test_garbage_is_answered_in_words(mine: Client) -> None:
    for content in b"", b"\xff\xfe", b"[" * 50_000, b"NaN", b"{":
        assert upload(mine, content).status_code == 400
    assert mine.post(reverse("chat:import")).status_code == 400
    assert mine.get(reverse("chat:import")).status_code == 200


def test_a_model_that_is_gone_becomes_the_usual_one(mine: Client, alice: Any) -> None:
    data = as_json(talk(alice, "Old", "x")) | {"model": "claude-1"}
    assert upload(mine, json.dumps(data).encode()).status_code == 302
    assert Conversation.objects.latest("created_at").model == "claude-haiku-4-5"


def test_wishes_that_are_not_known_are_left_out(mine: Client, tree: Conversation) -> None:
    data = as_json(tree)
    assert data["options"] == {"thinking": "on"}
    assert upload(mine, json.dumps(data | {"options": {"thinking": "aloud"}}).encode())
    assert Conversation.objects.exclude(id=tree.id).get().options == {}


def test_nobody_elses_chat_leaves(client: Client, bob: Any, tree: Conversation) -> None:
    client.force_login(bob)
    for name in "export-markdown", "export-json":
        assert client.get(reverse(f"chat:{name}", args=[tree.id])).status_code == 404
    client.logout()
    assert client.get(reverse("chat:import")).status_code == 302
