"""Finding a conversation among many: the list page by page, the archive, and search."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chatapp.chat.listing import PAGE, group, listing
from chatapp.chat.models import Conversation, Message
from chatapp.chat.search import search
from tests.chat.conftest import ask
from tests.chat.test_posting import answered

NASTY = [
    '"', "'", "%", "_", "*", "\\", "a OR b", "NEAR(a b)", "owner:1", "words:x", "-x", "^x", "(", ")",
    "'; DROP TABLE chat_message; --", "a & b | !c", ":*", "<->", "\0", "🦀", "x" * 5000, "a " * 5000,
]  # fmt: skip


def talk(user: Any, title: str, *texts: str, age: int = 0, **fields: Any) -> Conversation:
    """A conversation of this many days ago."""
    conversation = Conversation.objects.create(
        owner=user,
        title=title,
        model="claude-haiku-4-5",
        max_tokens=1000,
        active_at=timezone.now() - timedelta(days=age),
        **fields,
    )
    for text in texts:
        Message.objects.create(conversation=conversation, role="user", text=text)
    return conversation


def titles(user: Any, query: str) -> list[str]:
    return [found.conversation.title for found in search(user, query)]


@pytest.fixture
def mine(client: Client, alice: Any) -> Client:
    client.force_login(alice)
    return client


def posted(client: Client, name: str, id: Any, **data: Any) -> Any:
    url = reverse(f"chat:{name}", args=[id])
    return client.post(url, json.dumps(data), content_type="application/json")


def test_words_are_found_in_titles_and_in_messages(alice: Any) -> None:
    talk(alice, "Quarterly budget", "How much is left?", age=3)
    talk(alice, "Holiday", "Is there a Budget airline to Zürich?", age=1)
    talk(alice, "Bread", "Rye or wheat?")
    assert titles(alice, "budget") == ["Quarterly budget", "Holiday"]  # titles first
    assert titles(alice, "BUDG") == ["Quarterly budget", "Holiday"]
    assert titles(alice, "zürich budget") == ["Holiday"]
    assert titles(alice, "udget") == []
    assert titles(alice, "wheat rye") == ["Bread"]
    assert titles(alice, "") == titles(alice, " \n") == []


def test_the_index_follows_every_change(alice: Any) -> None:
    conversation = talk(alice, "First", "alpha")
    message = conversation.messages.get()
    Message.objects.filter(id=message.id).update(text="beta example.com 3.14")
    conversation.rename("Second")
    assert titles(alice, "alpha") == titles(alice, "first") == []
    assert titles(alice, "beta") == titles(alice, "second") == ["Second"]
    assert (
        titles(alice, "example.com") == titles(alice, "com") == titles(alice, "3.14") == ["Second"]
    )
    Message.objects.filter(id=message.id).update(text="")
    assert titles(alice, "beta") == []
    Message.objects.filter(id=message.id).update(text="gamma")
    assert titles(alice, "gamma") == ["Second"]
    message.delete()
    assert titles(alice, "gamma") == []
    conversation.delete()
    assert titles(alice, "second") == []
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT (SELECT COUNT(*) FROM chat_passage), COUNT(*) FROM chat_search")
            assert cursor.fetchone() == (0, 0)


def test_nobody_finds_what_is_not_theirs_or_is_deleted(alice: Any, bob: Any) -> None:
    talk(bob, "Secret plan", "the password is swordfish")
    gone = talk(alice, "Secret wish", "also swordfish")
    gone.hide()
    assert titles(alice, "secret") == titles(alice, "swordfish") == []
    gone.restore()
    assert titles(alice, "swordfish") == ["Secret wish"]


@pytest.mark.parametrize("query", NASTY, ids=lambda query: query[:12])
def test_what_is_typed_means_itself(mine: Client, alice: Any, query: str) -> None:
    talk(alice, "Bread", "Rye or wheat?")
    page = mine.get(reverse("chat:search"), {"q": query})
    assert page.status_code == 200
    assert page.context["found"] == []


def test_snippets_show_the_words_and_stay_text(mine: Client, alice: Any) -> None:
    text = "before " * 40 + '<img src=x onerror="window.__xss=1"> needle & thread ' + "after " * 99
    conversation = talk(alice, "<b>Needle</b> <script>", text)
    talk(alice, "Other", text, age=2)
    found = search(alice, "needle")
    assert found[0].title == [("<b>", False), ("Needle", True), ("</b> <script>", False)]
    assert found[0].message is None
    snippet = "".join(piece for piece, _ in found[1].snippet)
    assert "needle & thread" in snippet
    assert len(snippet) < 200
    assert snippet.startswith("…")
    assert snippet.endswith("…")
    html = mine.get(reverse("chat:search"), {"q": "needle onerror"}).content.decode()
    assert "<mark>needle</mark> &amp; thread" in html
    assert "<img src=x" not in html
    assert str(conversation.id) in html


def test_a_hit_opens_the_branch_with_the_words(mine: Client, alice: Any, prices: None) -> None:
    first = answered(alice, ask("Question"), "the unicorn answer").message
    answered(alice, ask(message=first.id, text=None), "the other answer")  # type: ignore[arg-type]
    found = search(alice, "unicorn")[0]
    assert found.message == first.id
    page = mine.get(
        reverse("chat:conversation", args=[first.conversation_id]), {"at": str(first.id)}
    )
    assert [message.text for message in page.context["messages"]][-1] == "the unicorn answer"


def test_the_list_comes_in_pages_without_gap_or_repeat(mine: Client, alice: Any) -> None:
    many = PAGE * 2 + 5
    at = timezone.now() - timedelta(days=30)
    Conversation.objects.bulk_create(
        Conversation(
            owner=alice,
            title=f"Chat {n}",
            model="m",
            max_tokens=1,
            active_at=at + timedelta(minutes=n // 3),  # several at the same moment
        )
        for n in range(many)
    )
    pinned = talk(alice, "Old but pinned", age=400, pinned=True)
    seen, after, pages = [], "", 0
    while True:
        page = listing(Conversation.objects.of(alice).listed(), after)
        seen += [row for _, members in page.groups for row in members]
        after, pages = page.after, pages + 1
        if not after:
            break
    assert seen[0] == pinned
    assert pages == 3
    assert seen[1:] == list(Conversation.objects.filter(pinned=False))
    first = mine.get(reverse("chat:chats"))
    second = mine.get(reverse("chat:chats"), {"after": first.context["listing"].after})
    assert second.status_code == 200
    for nonsense in "x", "~", "2026-01-01~" + uuid4().hex, "9" * 99, f"{at.isoformat()}~z":
        answer = mine.get(reverse("chat:chats"), {"after": nonsense})
        assert answer.context["listing"].groups[0] == ("Pinned", [pinned])


def test_a_page_costs_the_same_among_ten_thousand(alice: Any, bob: Any) -> None:
    now = timezone.now()
    for owner in alice, bob:
        Conversation.objects.bulk_create(
            (
                Conversation(
                    owner=owner, title=f"C {n}", model="m", max_tokens=1,
                    active_at=now - timedelta(minutes=n),
                )
                for n in range(2_000)
            ),
            batch_size=500,
        )  # fmt: skip
    page = listing(Conversation.objects.of(alice).listed())
    rest = Conversation.objects.of(alice).listed().filter(pinned=False)
    place = page.groups[-1][1][-1].active_at
    plan = rest.filter(active_at__lte=place)[:PAGE].explain()
    assert "conversation_list" in plan or connection.vendor == "postgresql", plan
    assert "TEMP B-TREE" not in plan  # found in order, not sorted


def test_pinned_stand_first_and_days_are_grouped(alice: Any) -> None:
    ages = {"Today": 0, "Yesterday": 1, "Previous 7 days": 7, "Older": 8}
    for label, age in ages.items():
        assert group(talk(alice, label, age=age)) == label
    talk(alice, "Pinned", age=3, pinned=True)
    groups = listing(Conversation.objects.of(alice).listed()).groups
    assert [label for label, _ in groups] == ["Pinned", *ages]


def test_archived_leave_the_list_until_they_go_on(mine: Client, alice: Any, prices: None) -> None:
    reply = answered(alice, ask("To the archive"), "Fine.").message
    id = reply.conversation_id
    assert posted(mine, "archive", id, on=True).json()["ok"]
    assert "To the archive" not in mine.get("/").content.decode()
    assert "To the archive" in mine.get(reverse("chat:chats") + "?archived").content.decode()
    assert titles(alice, "archive") == ["To the archive"]
    answered(alice, ask("More", conversation=id, parent=reply.id), "Yes.")
    assert "To the archive" in mine.get("/").content.decode()


def test_pins_and_the_archive_are_ones_own(client: Client, alice: Any, bob: Any) -> None:
    conversation = talk(alice, "Mine")
    client.force_login(alice)
    posted(client, "pin", conversation.id, on=True)
    conversation.refresh_from_db()
    assert conversation.pinned
    assert posted(client, "pin", conversation.id, on=False).status_code == 200
    client.force_login(bob)
    for name in "pin", "archive":
        assert posted(client, name, conversation.id, on=True).status_code == 404
        assert client.get(reverse(f"chat:{name}", args=[conversation.id])).status_code == 405
    conversation.refresh_from_db()
    assert not conversation.pinned
    client.logout()
    for name in "chats", "search":
        assert client.get(reverse(f"chat:{name}")).status_code == 302
