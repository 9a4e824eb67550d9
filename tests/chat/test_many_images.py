"""More than twenty images in one request: Anthropic then takes smaller ones only, so we say it first."""

from dataclasses import replace
from typing import Any

import pytest

from chatapp.chat import fitting
from chatapp.chat.conversation import post
from chatapp.chat.draft import Draft
from chatapp.chat.models import Attachment, Generation, Message
from chatapp.claude import client
from chatapp.claude.errors import Fault
from chatapp.web.database import db
from tests.chat import files
from tests.chat.conftest import ask
from tests.chat.test_attachments import attach, with_files
from tests.chat.test_posting import answered, refusal

pytestmark = pytest.mark.usefixtures("prices")

WIDE = files.png(2_001, 1)


def talk(alice: Any, first: bytes, images: int) -> Generation:
    """A conversation that has so many images, and one reply to each ten of them."""
    reply = None
    for begin in range(0, images, 10):
        pictures = [first if number == 0 else files.png() for number in range(images)]
        some = [attach(alice, content, "wide.png") for content in pictures[begin : begin + 10]]
        before: dict[str, Any] = (
            {"conversation": reply.message.conversation_id, "parent": reply.message_id}
            if reply
            else {}
        )
        reply = answered(alice, with_files(*some, **before))
    assert reply
    return reply


def next_to(reply: Generation, *more: Attachment) -> Any:
    place = {"conversation": reply.message.conversation_id, "parent": reply.message_id}
    return with_files(*more, text="[[text:I saw them.]]", **place)


def test_the_twenty_first_is_refused_when_one_of_them_is_wide(alice: Any) -> None:
    reply = talk(alice, WIDE, 20)
    said = refusal(alice, next_to(reply, attach(alice, files.png()))).message
    assert "has 21 images. With more than 20" in said
    assert "2,000 pixels, and “wide.png” is." in said


def test_words_alone_are_answered_and_small_ones_are_too(alice: Any) -> None:
    assert post(alice, next_to(talk(alice, WIDE, 20))).new
    reply = talk(alice, files.png(2_000, 2_000), 20)
    assert post(alice, next_to(reply, attach(alice, files.png()))).new


def test_a_lost_image_is_in_nobodys_way(alice: Any) -> None:
    reply = talk(alice, WIDE, 20)
    Message.objects.filter(parent=None).get().files[0].path.unlink()
    assert post(alice, next_to(reply, attach(alice, files.png()))).new


def test_a_model_looks_at_so_many(alice: Any, monkeypatch: Any) -> None:
    reply = talk(alice, files.png(), 20)
    monkeypatch.setattr(fitting, "FEW_IMAGES", 19)
    words = "has 20 images; Claude Haiku 4.5 looks at 19"
    assert words in refusal(alice, next_to(reply)).message
    anew = replace(ask(), text=None, message=reply.message_id)
    assert words in refusal(alice, anew).message


async def test_over_the_wire(tab: Any, alice: Any, upstream: Any) -> None:
    reply = await db(talk, alice, WIDE, 20)
    more = await db(attach, alice, files.png())
    place = {"conversation": str(reply.message.conversation_id), "parent": str(reply.message_id)}
    page = await tab(alice)
    key = "3f2d7f80-0f0b-4a43-9c6d-6a2b6f1f2f00"
    await page.say("send", key=key, text="Look", attachments=[str(more.id)], **place)
    assert "With more than 20" in (await page.until("reject", key=key))["message"]
    assert upstream.bill == []
    ack = await page.ask("[[text:I saw them.]]", **place)
    assert "I saw them." in (await page.finish(ack["gen"]))["html"]
    assert len(upstream.bill) == 1


async def test_the_vendors_own_refusal_has_words(tab: Any, alice: Any, upstream: Any) -> None:
    pictures = [await db(attach, alice, WIDE) for _ in range(21)]
    prompt = (await db(Draft.of, alice, with_files(*pictures[:10]))).prompt
    prompt.messages[0]["content"] = [picture.file for picture in pictures]
    with pytest.raises(Fault) as fault:
        async with client.reply(prompt):
            pass
    assert fault.value.message.startswith("The images of this conversation are too large")
    assert "Nothing was charged." in fault.value.message
