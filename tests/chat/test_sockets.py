"""The socket's manners: who may open it, what it answers to nonsense, and when it closes."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth import logout
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from chatapp.chat import limits, sessions
from chatapp.chat.models import Generation
from chatapp.chat.routing import websocket_application
from chatapp.ledger.models import Charge
from chatapp.web.database import db
from tests.chat.conftest import Closed, Tab, eventually, sign_in
from tests.chat.page import Page

Open = Callable[..., Any]


ORIGINS = """null http://evil.example https://127.0.0.1:8000 http://127.0.0.1:9
    http://127.0.0.1:8000.evil.example http://127.0.0.1:8000/ HTTP://127.0.0.1:8000"""


async def test_another_origin_is_refused_before_it_opens(running: None, alice: Any) -> None:
    session = await db(sign_in, alice)
    for origin in ["", *ORIGINS.split()]:
        tab = Tab(session, origin=origin)
        assert await tab.socket.connect() == (False, 1000)


async def test_an_unknown_address_is_refused_in_silence(
    running: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await WebsocketCommunicator(websocket_application, "/ws/else/").connect())[0] is False
    assert not caplog.records


async def test_without_a_session_it_closes_as_signed_out(running: None) -> None:
    for session in ("", "nobody", "x" * 5000):
        with pytest.raises(Closed, match="4401"):
            await Tab(session).open()


NONSENSE = [
    "",
    "nonsense",
    "[]",
    "[" * 50_000,
    '{"a":' * 50_000,
    '{"type": NaN}',
    '{"type": "resume", "gen": "x", "epoch": 1e999, "upto": 0}',
    '{"type": "resume", "epoch": ' + "9" * 10_000 + "}",
    '{"type": "watch", "conversation": null}',
    '{"type": "send", "key": 1, "text": "x"}',
    '{"type": "stop", "gen": "../../etc"}',
]
UNKNOWN = ["{}", '{"type": "_private"}', '{"type": "websocket.disconnect"}', '{"type": ["send"]}']


async def test_nonsense_is_answered_and_the_socket_stays(tab: Open, alice: Any) -> None:
    page = await tab(alice)
    for code, texts in {"malformed": NONSENSE, "unknown_type": UNKNOWN}.items():
        for text in texts:
            await page.socket.send_input({"type": "websocket.receive", "text": text})
            assert (await page.until("error"))["code"] == code
    await page.say("ping")
    await page.until("hb")


async def test_binary_is_nonsense_too(tab: Open, alice: Any) -> None:
    page = await tab(alice)
    await page.socket.send_to(bytes_data=b"\xff\0")
    assert (await page.until("error"))["code"] == "malformed"


async def test_a_send_that_cannot_be_is_rejected_with_its_key(tab: Open, alice: Any) -> None:
    page, key = await tab(alice), str(uuid4())
    await page.say("send", key=key, conversation=None, parent=None, text=7)
    assert (await page.until("reject"))["key"] == key
    await page.say("send", key=key, conversation=None, parent=None, text="x", max_tokens=-1)
    rejected = await page.until("reject")
    assert (rejected["key"], rejected["code"], rejected["field"]) == (
        key,
        "max_tokens",
        "max_tokens",
    )
    assert not await db(Charge.objects.exists)


async def test_fields_that_are_not_ours_are_ignored(tab: Open, alice: Any, bob: Any) -> None:
    page = await tab(alice)
    more = {"role": "assistant", "cost": 0, "user_id": bob.pk, "temperature": "x", "system": "y"}
    ack = await page.ask("Hi [[words:1]]", **more)
    await page.finish(ack["gen"])
    generation = await db(Generation.objects.select_related("message__parent").get, id=ack["gen"])
    assert generation.user_id == alice.pk
    assert generation.message.parent.role == "user"


async def test_what_is_someone_elses_is_not_there(
    tab: Open, alice: Any, bob: Any, upstream: Any
) -> None:
    mine, theirs = await tab(alice), await tab(bob)
    ack = await mine.ask("Go [[slow:50+words:60]]")
    asked = [
        ("watch", {"conversation": ack["conversation"]}),
        ("stop", {"gen": ack["gen"]}),
        ("resume", {"gen": ack["gen"], "epoch": 1, "upto": 0}),
    ]
    for type, fields in asked:
        await theirs.say(type, **fields)
        refused = await theirs.until("error")
        await theirs.say(type, **{name: str(uuid4()) for name in fields} | {"epoch": 1, "upto": 0})
        assert await theirs.until("error") == refused
        assert refused["code"] == "not_found"
    key = str(uuid4())
    await theirs.say("send", key=key, conversation=ack["conversation"], parent=None, text="Mine")
    assert (await theirs.until("reject"))["code"] == "not_found"
    done = await mine.finish(ack["gen"])
    assert done["state"] == "done"
    assert not [frame for frame in theirs.frames if frame["type"] == "delta"]


async def test_a_repeated_frame_is_one_question(tab: Open, alice: Any, upstream: Any) -> None:
    page, key = await tab(alice), str(uuid4())
    for _ in range(10):
        await page.say("send", key=key, conversation=None, parent=None, text="Hi [[words:2]]")
    acks = [await page.until("ack") for _ in range(10)]
    assert len({ack["gen"] for ack in acks}) == 1
    assert [ack["new"] for ack in acks] == [True] + 9 * [False]
    await page.finish(acks[0]["gen"])
    assert len(upstream.bill) == await db(Charge.objects.count) == 1
    await page.say("send", key=key, conversation=None, parent=None, text="Other")
    assert (await page.until("reject"))["code"] == "key_reused"


async def test_what_was_refused_is_refused_again_when_sent_again(
    tab: Open, alice: Any, upstream: Any
) -> None:
    page = await tab(alice)
    ack = await page.ask("Go [[words:3+first:1500]]")
    place = {"conversation": ack["conversation"], "parent": ack["reply"]}
    frame = {"key": str(uuid4()), "text": "More"} | place
    await page.say("send", **frame)
    first = await page.until("reject")
    await page.finish(ack["gen"])
    await page.say("send", **frame)  # it was on its way when the first was refused
    assert await page.until("reject") == first
    assert len(upstream.bill) == 1


async def test_a_second_tab_and_a_reload_see_the_same_text(tab: Open, alice: Any) -> None:
    first, second = await tab(alice), await tab(alice)
    ack = await first.ask("Go [[slow:20+words:60]]")
    gen = ack["gen"]
    page = Page()
    for _ in range(3):  # three reloads
        await second.say("watch", conversation=ack["conversation"])
        page = Page()
        async with asyncio.timeout(30):
            for _ in range(12):
                page.apply(await second.next())
    while not page.done:
        page.apply(await second.next())
    done = await first.finish(gen)
    assert page.done == done
    generation = await db(Generation.objects.select_related("message").get, id=gen)
    assert not page.asks
    assert page.length == len(generation.message.text)
    assert "w59" in done["html"]


async def test_resuming_answers_from_where_the_page_is(tab: Open, alice: Any) -> None:
    page = await tab(alice)
    text = "# One\n\n" + 40 * "Two three.\n\n"
    ack = await page.ask(f"Go [[pace:50]] [[text:{text}]]")
    delta = await page.until("delta")
    while not delta.get("blocks"):
        delta = await page.until("delta")
    upto, epoch = delta["blocks"][-1]["upto"], delta["epoch"]
    await page.say("resume", gen=ack["gen"], epoch=epoch, upto=upto)
    assert (await page.until("snapshot"))["from"] == upto
    await page.say("resume", gen=ack["gen"], epoch=epoch, upto=upto + 1)
    assert (await page.until("snapshot"))["from"] == 0
    await page.say("resume", gen=ack["gen"], epoch=0, upto=upto)
    assert (await page.until("snapshot"))["from"] == 0
    assert (await page.finish(ack["gen"]))["state"] == "done"


async def test_stopping_from_another_tab(tab: Open, alice: Any, upstream: Any) -> None:
    first, second = await tab(alice), await tab(alice)
    ack = await first.ask("Go [[slow:30+words:400]]")
    await first.until("delta")
    await second.say("stop", gen=ack["gen"])
    assert (await first.until("done", 2))["state"] == "stopped"
    await second.say("stop", gen=ack["gen"])
    assert (await second.until("done"))["state"] == "stopped"
    await eventually(lambda: not upstream.open, 1)


async def test_closing_every_tab_changes_nothing(tab: Open, alice: Any, upstream: Any) -> None:
    page = await tab(alice)
    ack = await page.ask("Go [[pace:20+words:40]]")
    await page.until("delta")
    await page.close()
    again = await tab(alice)
    assert (await again.finish(ack["gen"]))["state"] == "done"
    assert len(upstream.bill) == 1


async def test_everyone_of_this_person_sees_the_list_change(
    tab: Open, alice: Any, bob: Any
) -> None:
    first, second, other = await tab(alice), await tab(alice), await tab(bob)
    ack = await first.ask("A title [[words:1]]")
    row = await second.until("conversation")
    assert (row["id"], row["title"]) == (ack["conversation"], "A title [[words:1]]")
    await other.say("ping")
    assert (await other.next())["type"] == "hb"


def leave(key: str) -> None:
    request = HttpRequest()
    request.session = SessionStore(key)
    request.user = sessions.person(key)
    logout(request)


async def test_signing_out_closes_the_sockets_of_that_session(tab: Open, alice: Any) -> None:
    key = await db(sign_in, alice)
    here, elsewhere = await tab(alice, key), await tab(alice)
    await db(leave, key)
    with pytest.raises(Closed, match="4401"):
        await here.until("never", 3)
    await elsewhere.say("ping")
    await elsewhere.until("hb")


async def test_signed_out_without_a_bell_the_next_send_is_refused(
    tab: Open, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await db(sign_in, alice)
    page = await tab(alice, key)
    await db(SessionStore(key).delete)
    await page.say("send", key=str(uuid4()), conversation=None, parent=None, text="Hi")
    assert (await page.until("reject"))["code"] == "signed_out"
    with pytest.raises(Closed, match="4401"):
        await page.next()
    assert not await db(Generation.objects.exists)


async def test_being_deactivated_closes_the_sockets(tab: Open, alice: Any) -> None:
    page = await tab(alice)
    await db(alice.deactivate)
    with pytest.raises(Closed, match=r"440[13]"):
        await page.until("never", 3)


async def test_sending_too_fast_is_slowed_and_flooding_closes(
    tab: Open, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits.sends._buckets, alice.pk, limits.Bucket(burst=2, rate=0))
    page = await tab(alice)
    for _ in range(3):
        await page.say("send", key=str(uuid4()), conversation=None, parent=None, text="")
    assert (await page.until("retry"))["after"] > 0
    for _ in range(300):
        await page.say("ping")
    with pytest.raises(Closed, match="1008"):
        await page.until("never", 3)


async def test_one_person_has_only_so_many_sockets(
    tab: Open, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatapp.chat.consumers.SOCKETS", 2)
    first, _ = await tab(alice), await tab(alice)
    with pytest.raises(Closed, match="4429"):
        await tab(alice)
    await first.close()
    await tab(alice)


async def test_frames_carry_what_the_protocol_says(tab: Open, alice: Any) -> None:
    page = await tab(alice)
    ack = await page.ask("Hi [[thinking+pace:20+words:20]]")
    done = await page.finish(ack["gen"])
    by_type = {frame["type"]: set(frame) for frame in page.frames}
    assert by_type["welcome"] == {"type", "protocol", "heartbeat"}
    assert by_type["ack"] == {"type", "key", "conversation", "message", "reply", "gen", "new"}
    names = {"type", "conversation", "message", "parent", "reply", "gen", "html"}
    assert by_type["message"] == names
    assert by_type["delta"] >= {"type", "gen", "epoch", "off", "s"}
    assert set(done) == {"type", "gen", "epoch", "state", "message", "html"}
    assert json.loads(json.dumps(done)) == done
