"""Exports of claude.ai and ChatGPT: read for what they say, and never trusted."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatapp.chat.articles import branch
from chatapp.chat.draft import Draft
from chatapp.chat.exporting import bring_in
from chatapp.chat.foreign import translated
from chatapp.chat.models import Conversation
from chatapp.chat.refusals import Refused
from tests.chat.conftest import ask

ROOT = "00000000-0000-4000-8000-000000000000"


def claude(**fields: Any) -> dict[str, Any]:
    return {
        "uuid": "u",
        "name": "About rivers",
        "created_at": "2025-03-01T09:00:00.000000Z",
        "updated_at": "2025-03-02T10:00:00.000000Z",
        "account": {"uuid": "a"},
        "chat_messages": [
            {
                "uuid": "m1",
                "sender": "human",
                "text": "Which is longest?",
                "content": [{"type": "text", "text": "Which is longest?"}],
                "attachments": [{"file_name": "list.csv", "extracted_content": "Nile"}],
                "files": [{"file_name": "map.png"}],
            },
            {
                "uuid": "m2",
                "sender": "assistant",
                "text": "",
                "content": [
                    {"type": "thinking", "thinking": "Rivers…"},
                    {"type": "text", "text": "Let me look."},
                    {"type": "tool_use", "name": "web_search", "input": {}},
                    {"type": "tool_result", "content": []},
                    {"type": "text", "text": "The **Nile**."},
                ],
            },
            {"uuid": "m3", "sender": "human", "text": "Thanks"},
        ],
    } | fields


def node(id: str, parent: str | None, role: str, text: Any, *children: str, **more: Any) -> Any:
    content = {"content_type": "text", "parts": text if isinstance(text, list) else [text]}
    message = {"id": id, "author": {"role": role}, "content": content, "recipient": "all"} | more
    return id, {"id": id, "parent": parent, "children": list(children), "message": message}


def chatgpt(**fields: Any) -> dict[str, Any]:
    root = {"id": "r", "parent": None, "children": ["s"], "message": None}
    code = {"content_type": "code", "text": "search('x')"}
    slug = {"model_slug": "gpt-4o"}
    hidden = {"is_visually_hidden_from_conversation": True}
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}
    many = {"content_type": "multimodal_text", "parts": [picture, "What is it?"]}
    return {
        "title": "Bread",
        "create_time": 1740000000.5,
        "update_time": 1740000100.25,
        "current_node": "a2",
        "mapping": {
            "r": root,
            **dict(
                [
                    node("s", "r", "system", "", "u1"),
                    node("u1", "s", "user", "Rye or wheat?", "a1", "t1"),
                    node("t1", "u1", "assistant", "", "t2", recipient="browser", content=code),
                    node("t2", "t1", "tool", "Found it", "a2"),
                    node("a2", "t2", "assistant", "Wheat.", "h", metadata=slug),
                    node("a1", "u1", "assistant", "Rye.", "u2", metadata=slug),
                    node("u2", "a1", "user", "", content=many),
                    node("h", "a2", "user", "secret context", metadata=hidden),
                ]
            ),
        },
    } | fields


@pytest.fixture
def mine(client: Client, alice: Any) -> Client:
    client.force_login(alice)
    return client


def shown(conversation: Conversation) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in branch(conversation)]


@pytest.mark.usefixtures("prices")
def test_a_chat_of_claude_ai_goes_on_here(mine: Client, alice: Any) -> None:
    [made] = bring_in(alice, json.dumps([claude()]).encode())
    assert (made.title, made.model) == ("About rivers", "claude-haiku-4-5")
    assert made.active_at.isoformat() == "2025-03-02T10:00:00+00:00"
    assert shown(made) == [
        ("user", "(File: list.csv)\n\n(File: map.png)\n\nWhich is longest?"),
        ("assistant", "Let me look.\n\nThe **Nile**."),
        ("user", "Thanks"),
    ]
    assert branch(made)[1].thinking == "Rivers…"
    leaf = branch(made)[-1].id
    assert len(Draft.of(alice, ask("More", conversation=made.id, parent=leaf)).path) == 4


def test_branches_of_claude_ai_are_kept() -> None:
    messages = [
        {"uuid": "1", "parent_message_uuid": ROOT, "sender": "human", "text": "One"},
        {"uuid": "2", "parent_message_uuid": "1", "sender": "assistant", "text": "Two"},
        {"uuid": "3", "parent_message_uuid": ROOT, "sender": "human", "text": "Uno"},
        {"uuid": "4", "parent_message_uuid": "3", "sender": "assistant", "text": ""},
        {"uuid": "5", "parent_message_uuid": "4", "sender": "human", "text": "Again"},
    ]
    made = translated(claude(chat_messages=messages))
    assert made
    found = [(row["id"], row["parent"]) for row in made["messages"]]
    assert found == [("1", None), ("2", "1"), ("3", None), ("5", "3")]


@pytest.mark.usefixtures("prices")
def test_a_chat_of_chatgpt_shows_the_branch_it_showed(alice: Any) -> None:
    [made] = bring_in(alice, json.dumps(chatgpt()).encode())
    assert made.title == "Bread"
    assert shown(made) == [("user", "Rye or wheat?"), ("assistant", "Wheat.")]
    texts = set(made.messages.values_list("text", "model"))
    assert texts == {
        ("Rye or wheat?", ""), ("Wheat.", "gpt-4o"), ("Rye.", "gpt-4o"),
        ("(File)\n\nWhat is it?", ""),
    }  # fmt: skip


@pytest.mark.usefixtures("prices")
def test_a_file_of_many_is_all_or_nothing_and_each_can_be_sent_alone(
    mine: Client, alice: Any
) -> None:
    with pytest.raises(Refused):
        bring_in(alice, json.dumps([claude(), chatgpt(), {"mapping": {}}]).encode())
    assert not Conversation.objects.exists()
    assert len(bring_in(alice, json.dumps([claude(), chatgpt()]).encode())) == 2
    url = reverse("chat:import-each")
    answer = mine.post(url, json.dumps(chatgpt()), content_type="application/json")
    assert mine.get(answer.json()["url"]).status_code == 200
    bad = mine.post(url, json.dumps({"a": 1}), content_type="application/json")
    assert bad.status_code == 400
    assert "neither here nor from claude.ai or ChatGPT" in bad.json()["error"]
    assert mine.get(url).status_code == 405
    assert Conversation.objects.count() == 3


@pytest.mark.usefixtures("prices")
@pytest.mark.parametrize(
    "when", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "x", 5, None]
)
def test_a_strange_time_is_now(mine: Client, alice: Any, when: Any) -> None:
    bring_in(alice, json.dumps(claude(updated_at=when)).encode())
    assert "About rivers" in mine.get("/").content.decode()


def test_circles_end() -> None:
    nodes = dict([node("a", "b", "user", "A", "b"), node("b", "a", "user", "B", "a")])
    assert translated({"mapping": nodes, "current_node": "a"})["messages"] == []  # type: ignore[index]
    nodes = dict([node("r", None, "user", "R", "a", "a"), node("a", "r", "user", "A", "r", "a")])
    made = translated({"mapping": nodes, "current_node": "a"})
    assert made
    assert [row["id"] for row in made["messages"]] == ["r", "a"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["user", "assistant", "human", "text", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from([
            "message", "author", "role", "content", "content_type", "parts", "parent", "children",
            "uuid", "sender", "text", "type", "metadata", "attachments", "files", "a", "b",
        ]), inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@example({"a": {"parent": []}}, [], None)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), JSON, max_size=3), st.lists(JSON), JSON)
def test_nothing_in_a_file_breaks_it(mapping: Any, messages: Any, odd: Any) -> None:
    for data in (
        {"mapping": mapping, "current_node": odd, "update_time": odd, "title": odd},
        {"chat_messages": messages, "name": odd},
    ):
        made = translated(data)
        assert made is not None
        known = {None}
        for row in made["messages"]:
            assert row["parent"] in known
            known.add(row["id"])
