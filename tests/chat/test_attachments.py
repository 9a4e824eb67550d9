"""Files: taken piece by piece, known by their bytes, sent as blocks, counted, and theirs alone."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, TestCase
from django.urls import reverse
from django.utils import timezone

from chatapp.chat import quoting
from chatapp.chat.attachments import inert
from chatapp.chat.conversation import post
from chatapp.chat.draft import Draft
from chatapp.chat.forgetting import forget
from chatapp.chat.frames import Malformed, parse
from chatapp.chat.models import Attachment, Conversation, Generation, Message
from chatapp.chat.prompts import counts, upper_bound
from chatapp.chat.refusals import CountNeeded
from chatapp.chat.running import engine
from chatapp.chat.sniffing import pixels, sniff
from chatapp.chat.views import quoted
from chatapp.ledger.models import Charge
from chatapp.web.database import db
from tests.chat import files
from tests.chat.conftest import ask, eventually
from tests.chat.test_posting import answered, refusal

pytestmark = pytest.mark.usefixtures("prices")

ZIP = b"PK\x03\x04" + b"\0" * 40


@pytest.fixture
def mine(client: Client, alice: Any) -> Client:
    client.force_login(alice)
    return client


def send(client: Client, name: str, content: bytes, step: int = 10**6) -> Any:
    """The last answer of an upload in pieces of `step` bytes."""
    announced = json.dumps({"name": name, "size": len(content)})
    answer = client.post(reverse("chat:attach"), announced, content_type="application/json")
    if answer.status_code != 200:
        return answer
    url = reverse("chat:piece", args=[answer.json()["id"]])
    for at in range(0, len(content), step):
        body = content[at : at + step]
        answer = client.post(f"{url}?at={at}", body, content_type="application/octet-stream")
    return answer


def attach(user: Any, content: bytes = b"Some notes.", name: str = "notes.txt") -> Attachment:
    made = Attachment.objects.create(
        owner=user, name=name, size=len(content), media_type=sniff(content)
    )
    made.write(0, content)
    return made


def with_files(*attachments: Attachment, text: str = "Look", **fields: Any) -> Any:
    return ask(text, attachments=tuple(a.id for a in attachments), **fields)


@pytest.mark.parametrize(
    ("content", "kind", "size"),
    [
        (files.png(3, 5), "image/png", (3, 5)),
        (files.gif(7, 9), "image/gif", (7, 9)),
        (files.jpeg(640, 480), "image/jpeg", (640, 480)),
        (files.webp(b"VP8 ", 30, 20), "image/webp", (30, 20)),
        (files.webp(b"VP8L", 30, 20), "image/webp", (30, 20)),
        (files.webp(b"VP8X", 30, 20), "image/webp", (30, 20)),
        (files.PDF, "application/pdf", None),
        ("naïve 🦀\n".encode(), "text/plain", None),
        (b"\xef\xbb\xbfwith a mark", "text/plain", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "text/plain", None),
        (b"<!doctype html><script>x()</script>", "text/plain", None),
        (b"%PDF-1.4 <script>x()</script>", "application/pdf", None),
        (ZIP, "", None),
        (b"MZ\x90\0", "", None),
        (b"nul\0byte", "", None),
        (b"\xff\xfeU\0T\0F\0", "", None),
        (b"  \n", "", None),
        (b"\x89PNG\r\n\x1a\nshort", "image/png", None),
        (b"\xff\xd8\xff\xe0\0\0", "image/jpeg", None),
        (b"RIFF\0\0\0\0WEBPVP9 ", "image/webp", None),
    ],
)
def test_a_file_is_what_its_bytes_are(content: bytes, kind: str, size: Any) -> None:
    assert (sniff(content), pixels(content)) == (kind, size)


def test_a_file_comes_in_pieces_and_goes_out_inert(mine: Client, alice: Any) -> None:
    content = files.png(40, 30) + b"\0" * 5_000
    answer = send(mine, "../../<img src=x onerror=x()>\r\nX: y.png", content, step=999)
    assert answer.json() == {"name": "<img src=x onerror=x()> X: y.png", "media_type": "image/png"}
    kept = Attachment.objects.get()
    assert kept.path.read_bytes() == content
    assert kept.path.stat().st_mode & 0o077 == 0
    assert kept.path.name == kept.id.hex
    served = mine.get(reverse("chat:file", args=[kept.id]))
    assert served.content == content
    assert served["Content-Type"] == "image/png"
    assert served["Content-Disposition"].startswith("attachment; filename=")
    assert served["X-Content-Type-Options"] == "nosniff"
    assert served["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert served["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("photo.png", ZIP, "neither an image"),
        ("wide.png", files.png(8_001, 1), "8,000 pixels"),
        ("tall.jpg", files.jpeg(10_000, 10_000), "8,000 pixels"),
        ("broken.png", files.png()[:12], "damaged"),
        ("flat.gif", files.gif(0, 4), "damaged"),
        ("heavy.png", files.png() + b"\0" * 3_750_000, "3.75 MB"),
    ],
)
def test_what_cannot_be_sent_is_not_kept(
    mine: Client, settings: Any, name: str, content: bytes, words: str
) -> None:
    answer = send(mine, name, content)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert not Attachment.objects.exists()


def test_sizes_and_numbers_are_limited(mine: Client, alice: Any, settings: Any) -> None:
    settings.ATTACHMENT_BYTES = 1_000_000
    assert "larger than 1 MB" in send(mine, "a.txt", b"x" * 1_000_001).json()["error"]
    assert send(mine, "empty.txt", b"").status_code == 400
    begun = Attachment.objects.create(owner=alice, name="a", size=3)
    url = reverse("chat:piece", args=[begun.id])
    for at, body in [(0, b"four"), (2, b"yz"), ("x", b""), (-1, b"")]:
        answer = mine.post(f"{url}?at={at}", body, content_type="application/octet-stream")
        assert answer.status_code == 400
    Attachment.objects.bulk_create(Attachment(owner=alice, name="a", size=1) for _ in range(40))
    assert "Too many" in send(mine, "a.txt", b"x").json()["error"]


def test_nobody_elses_file_is_there(mine: Client, alice: Any, bob: Any) -> None:
    secret = attach(bob)
    begun = Attachment.objects.create(owner=bob, name="a", size=3)
    assert mine.get(reverse("chat:file", args=[secret.id])).status_code == 404
    assert mine.get(reverse("chat:file", args=[begun.id])).status_code == 404
    assert mine.post(reverse("chat:piece", args=[begun.id]) + "?at=0", b"abc",
                     content_type="application/octet-stream").status_code == 404  # fmt: skip
    mine.post(reverse("chat:detach", args=[secret.id]))
    assert secret.path.exists()
    assert "no longer here" in refusal(alice, with_files(secret)).message
    assert "no longer here" in refusal(alice, ask("x", attachments=(uuid4(),))).message


def test_an_unfinished_file_is_not_sent_and_not_served(mine: Client, alice: Any) -> None:
    begun = Attachment.objects.create(owner=alice, name="a", size=3)
    assert "no longer here" in refusal(alice, with_files(begun)).message
    assert mine.get(reverse("chat:file", args=[begun.id])).status_code == 404


def test_files_are_sent_as_blocks_before_the_words(alice: Any) -> None:
    image, pdf = attach(alice, files.png(), "a.png"), attach(alice, files.PDF, "b.pdf")
    notes = attach(alice, b"\xef\xbb\xbfSome notes.")
    prompt = Draft.of(alice, with_files(notes, image, pdf)).prompt
    content = prompt.counted()["messages"][0]["content"]
    assert [block["type"] for block in content] == ["image", "document", "document", "text"]
    assert content[0]["source"] == {
        "type": "base64",
        "media_type": "image/png",
        "data": base64.b64encode(files.png()).decode(),
    }
    assert content[1]["source"]["media_type"] == "application/pdf"
    assert (content[2]["title"], content[2]["source"]["data"]) == ("notes.txt", "Some notes.")
    assert content[3] == {"type": "text", "text": "Look"}
    assert prompt.sent()["cache_control"] == {"type": "ephemeral"}
    assert str(image.path) not in repr(prompt)


def test_a_file_that_was_lost_is_said_to_be(mine: Client, alice: Any) -> None:
    lost = attach(alice)
    lost.path.unlink()
    content = Draft.of(alice, with_files(lost)).prompt.counted()["messages"][0]["content"]
    assert content[0] == {"type": "text", "text": "[The file notes.txt was lost.]"}
    assert mine.get(reverse("chat:file", args=[lost.id])).status_code == 410


def test_a_hold_covers_what_files_may_take(alice: Any) -> None:
    bare = upper_bound(Draft.of(alice, ask("Look")).prompt)
    image = attach(alice, files.png())
    notes = attach(alice, b"x" * 5_000)
    both = upper_bound(Draft.of(alice, with_files(image, notes)).prompt)
    assert bare + 6_000 + 5_000 <= both <= bare + 12_000
    charge = post(alice, with_files(image, notes)).generation.message.charge
    assert charge
    # At least its tokens as a cache write, the dearest way: $1.25 a million.
    assert charge.held_pusd >= both * 1_250_000


def test_a_pdf_is_counted_before_it_is_sent(alice: Any) -> None:
    question = with_files(attach(alice, files.PDF, "b.pdf"))
    with pytest.raises(CountNeeded) as needed:
        post(alice, question)
    counts.keep(needed.value.prompt, 9_000)
    charge = post(alice, question).generation.message.charge
    assert charge
    assert 9_000 * 1_250_000 < charge.held_pusd < 60_000 * 1_250_000


def test_one_key_has_one_set_of_files(alice: Any) -> None:
    first, second = attach(alice), attach(alice)
    question = with_files(first)
    posted = post(alice, question)
    assert post(alice, question).generation.id == posted.generation.id
    assert refusal(alice, replace(question, attachments=(second.id,))).code == "key_reused"
    assert list(posted.generation.message.parent.attachments.all()) == [first]


def test_a_file_alone_is_a_question(alice: Any) -> None:
    posted = post(alice, with_files(attach(alice, name="Plan 9.txt"), text=" "))
    assert posted.generation.message.conversation.title == "Plan 9.txt"
    assert refusal(alice, ask(" ")).code == "empty"


def test_an_edited_question_keeps_its_files_and_others_do_not_get_them(alice: Any) -> None:
    notes = attach(alice)
    first = answered(alice, with_files(notes)).message.conversation
    post(alice, with_files(notes, text="Look again", conversation=first.id))
    assert notes.messages.count() == 2
    assert "no longer here" in refusal(alice, with_files(notes)).message  # another conversation


def test_later_turns_carry_earlier_files(alice: Any) -> None:
    reply = answered(alice, with_files(attach(alice))).message
    next_one = ask("And?", conversation=reply.conversation_id, parent=reply.id)
    content = Draft.of(alice, next_one).prompt.counted()["messages"][0]["content"]
    assert content[0]["type"] == "document"


def test_one_request_bears_so_many_bytes(alice: Any) -> None:
    large = attach(alice)
    Attachment.objects.update(size=22_000_001)
    assert "22 MB" in refusal(alice, with_files(large)).message
    several = [attach(alice) for _ in range(11)]
    assert "At most 10" in refusal(alice, with_files(*several)).message


def test_files_go_with_their_conversation(mine: Client, alice: Any) -> None:
    notes = attach(alice)
    conversation = answered(alice, with_files(notes)).message.conversation
    mine.post(reverse("chat:delete", args=[conversation.id]))
    assert mine.get(reverse("chat:file", args=[notes.id])).status_code == 404
    Conversation.objects.update(deleted_at=timezone.now() - timedelta(hours=2))
    _forget_and_commit()
    assert not Attachment.objects.exists()
    assert not notes.path.exists()


def test_what_is_never_sent_goes_after_a_day(alice: Any) -> None:
    sent, unsent, fresh = attach(alice), attach(alice), attach(alice)
    answered(alice, with_files(sent))
    yesterday = timezone.now() - timedelta(hours=25)
    Attachment.objects.exclude(id=fresh.id).update(created_at=yesterday)
    _forget_and_commit()
    assert set(Attachment.objects.all()) == {sent, fresh}
    assert (sent.path.exists(), unsent.path.exists(), fresh.path.exists()) == (True, False, True)


def _forget_and_commit() -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        forget()


def test_the_page_and_the_exports_name_the_files(mine: Client, alice: Any) -> None:
    hostile = "<img src=x onerror=window.__xss=1>.txt"
    conversation = answered(alice, with_files(attach(alice, name=hostile))).message.conversation
    page = mine.get(reverse("chat:conversation", args=[conversation.id])).content.decode()
    assert "&lt;img src=x onerror=window.__xss=1&gt;.txt" in page
    assert hostile not in page
    data = mine.get(reverse("chat:export-json", args=[conversation.id])).json()
    assert data["messages"][0]["files"] == [hostile]
    text = mine.get(reverse("chat:export-markdown", args=[conversation.id])).content.decode()
    assert f"(File: {hostile})" in text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("C:\\temp\\plan.pdf", "plan.pdf"),
        ("/etc/passwd", "passwd"),
        ("..", ".."),
        ("", "file"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\0b\x1b[31m.txt", "a b [31m.txt"),
        ("x" * 200 + ".tar.gz", "x" * 111 + "…" + "x.tar.gz"),
    ],
)
def test_names_are_made_harmless(typed: str, kept: str) -> None:
    assert inert(typed) == kept


@pytest.mark.parametrize("bad", [["x"], [1], "x", {"a": 1}, [str(uuid4())] * 101])
def test_a_frame_names_files_by_their_ids(bad: Any) -> None:
    frame = {"type": "send", "key": str(uuid4()), "text": "Hello", "attachments": bad}
    with pytest.raises(Malformed):
        parse(json.dumps(frame))


async def test_a_quote_counts_files(running: None, alice: Any, upstream: Any) -> None:
    image, pdf = await db(attach, alice, files.png()), await db(attach, alice, files.PDF)
    bare = await quoted(alice, ask("Look"))
    full = await quoted(alice, with_files(image, pdf))
    assert full.tokens == bare.tokens + 1_500 + 9_000
    assert not full.approximate
    types = [block["type"] for block in upstream.counts[-1]["messages"][0]["content"]]
    assert types == ["image", "document", "text"]
    prompt, _ = await db(quoting.draft_of, alice, with_files(image, pdf))
    assert 3_000 < quoting.guess(prompt) < 5_000


async def test_a_file_is_answered_over_the_socket(
    tab: Any, alice: Any, upstream: Any, tmp_path: Path
) -> None:
    pdf = await db(attach, alice, files.PDF, "b.pdf")
    page = await tab(alice)
    ack = await page.ask("[[text:I read it.]]", attachments=[str(pdf.id)])
    done = await page.finish(ack["gen"])
    assert "I read it." in done["html"]
    asked = next(frame for frame in page.frames if frame["type"] == "message")
    assert "b.pdf" in asked["html"]
    message = await db(Message.objects.get, id=ack["message"])
    assert [a.id for a in await db(lambda: message.files)] == [pdf.id]


def test_files_go_with_their_person(alice: Any, bob: Any) -> None:
    sent, unsent, kept = attach(alice), attach(alice), attach(bob)
    answered(alice, with_files(sent))
    with TestCase.captureOnCommitCallbacks(execute=True):
        alice.erase()
    assert list(Attachment.objects.all()) == [kept]
    assert [a.path.exists() for a in (sent, unsent, kept)] == [False, False, True]


async def test_another_process_holds_money_for_a_pdf_again(
    running: None, alice: Any, upstream: Any
) -> None:
    question = replace(with_files(await db(attach, alice, files.PDF)), text="[[529x1]] Look")
    with pytest.raises(CountNeeded) as needed:
        await db(post, alice, question)
    counts.keep(needed.value.prompt, 9_000)
    posted = await db(post, alice, question)
    counts._tokens.clear()  # they are of the process that posted
    engine.wake(posted.generation.id)
    done = Generation.objects.filter(state="done")
    assert await eventually(lambda: db(done.exists))
    charges = Charge.objects.order_by("attempt").values_list("attempt", "state")
    assert await db(list, charges) == [(1, "voided"), (2, "captured")]
