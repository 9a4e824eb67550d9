"""Links to a chat: one branch as it was, without money, until they are taken back."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chatapp.chat.models import Attachment, Conversation, Message, Share
from tests.chat.conftest import ask
from tests.chat.test_finding import posted
from tests.chat.test_posting import answered

pytestmark = pytest.mark.usefixtures("prices")


@pytest.fixture
def mine(client: Client, alice: Any) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def talk(alice: Any) -> Conversation:
    return answered(alice, ask("A question"), "An **answer**").message.conversation


@pytest.fixture
def reader(bob: Any) -> Client:
    client = Client()
    client.force_login(bob)
    return client


def share(client: Client, conversation: Conversation, **data: str) -> Share | None:
    client.post(reverse("chat:share", args=[conversation.id]), data)
    return Share.objects.filter(conversation=conversation).first()


def link(shared: Share | None) -> str:
    assert shared
    return reverse("chat:shared", args=[shared.token])


def test_a_link_shows_the_words_and_nothing_else(
    mine: Client, talk: Conversation, alice: Any, reader: Client
) -> None:
    answered(alice, ask("Another secret chat"))
    Message.objects.update(thinking="Inner thoughts")
    made = share(mine, talk)
    answer = reader.get(link(made))
    page = answer.content.decode()
    assert "A question" in page
    assert "An <strong>answer</strong>" in page
    assert "Shared by Alice" in page
    for hidden in "$", "secret", "thoughts", "haiku", "price-line", str(talk.id), "alice@":
        assert hidden not in page, hidden
    assert answer["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert answer["Cache-Control"] == "no-store"
    assert len(made.token) >= 32
    assert link(made) in mine.get(reverse("chat:share", args=[talk.id])).content.decode()


def test_what_is_written_later_is_not_in_it_until_it_is_shared_anew(
    mine: Client, talk: Conversation, alice: Any, reader: Client
) -> None:
    made = share(mine, talk)
    leaf = Message.objects.get(role="assistant").id
    answered(alice, ask("Written later", conversation=talk.id, parent=leaf))
    assert "Written later" not in reader.get(link(made)).content.decode()
    again = share(mine, talk)
    assert link(again) == link(made)
    assert "Written later" in reader.get(link(made)).content.decode()


def test_a_link_taken_back_never_works_again(
    mine: Client, talk: Conversation, reader: Client
) -> None:
    first = share(mine, talk)
    assert share(mine, talk, stop="") is None
    assert reader.get(link(first)).status_code == 404
    second = share(mine, talk)
    assert link(second) != link(first)
    assert reader.get(link(first)).status_code == 404


@pytest.mark.parametrize("how", ["chat", "message", "person", "setting"])
def test_what_is_gone_is_not_shared(
    mine: Client, talk: Conversation, reader: Client, alice: Any, settings: Any, how: str
) -> None:
    made = share(mine, talk)
    assert reader.get(link(made)).status_code == 200
    if how == "chat":
        posted(mine, "delete", talk.id)
    elif how == "message":
        posted(mine, "delete-message", Message.objects.get(role="user").id)
    elif how == "person":
        alice.is_active = False
        alice.save()
    else:
        settings.SHARE_LINKS = "off"
        assert mine.get(reverse("chat:share", args=[talk.id])).status_code == 404
        assert "data-share" not in mine.get("/").content.decode()
    assert reader.get(link(made)).status_code == 404


def test_who_may_read_is_a_setting(mine: Client, talk: Conversation, settings: Any) -> None:
    made = share(mine, talk)
    answer = Client().get(link(made))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("accounts:login"))
    assert Client().get(reverse("chat:shared", args=["x" * 32])).status_code == 302
    settings.SHARE_LINKS = "anyone"
    page = Client().get(link(made)).content.decode()
    assert "A question" in page
    assert "sign-out" not in page
    assert Client().get(reverse("chat:shared", args=["x" * 32])).status_code == 404


def test_only_the_owner_shares(client: Client, talk: Conversation, reader: Client) -> None:
    url = reverse("chat:share", args=[talk.id])
    assert client.get(url).status_code == 302
    assert reader.get(url).status_code == reader.post(url).status_code == 404
    assert not Share.objects.exists()


def test_files_are_named_and_not_given(mine: Client, talk: Conversation, reader: Client) -> None:
    question = Message.objects.get(role="user")
    file = Attachment.objects.create(
        owner=talk.owner, conversation=talk, name="plan.txt", media_type="text/plain", size=1
    )
    file.write(0, b"x")
    question.attachments.add(file)
    page = reader.get(link(share(mine, talk))).content.decode()
    assert "plan.txt" in page
    assert str(file.id) not in page
    assert reader.get(reverse("chat:file", args=[file.id])).status_code == 404


def test_ones_own_links_are_listed_and_taken_back(
    mine: Client, talk: Conversation, alice: Any, reader: Client, settings: Any
) -> None:
    other = answered(alice, ask("Another chat")).message.conversation
    made, gone = share(mine, talk), share(mine, other)
    posted(mine, "delete", other.id)
    url = reverse("chat:shares")
    page = mine.get(url).content.decode()
    assert "A question" in page
    assert link(made) in page
    assert link(gone) not in page
    assert "A question" not in reader.get(url).content.decode()
    answer = mine.post(reverse("chat:share", args=[talk.id]), {"stop": "list"}, follow=True)
    assert answer.redirect_chain[-1][0] == url
    assert "No chat is shared." in answer.content.decode()
    assert reader.get(link(made)).status_code == 404
    account = reverse("accounts:account")
    assert url in mine.get(account).content.decode()
    settings.SHARE_LINKS = "off"
    assert mine.get(url).status_code == 404
    assert url not in mine.get(account).content.decode()
    settings.SHARE_LINKS = "anyone"
    assert Client().get(url).status_code == 302


def test_a_link_goes_with_its_words(mine: Client, talk: Conversation) -> None:
    share(mine, talk)
    Conversation.objects.update(deleted_at=timezone.now() - timedelta(hours=2))
    Conversation.objects.forgotten().first().delete()
    assert not Share.objects.exists()
