"""What a socket says is in its person's language, and what is stored is in none."""

from typing import Any
from uuid import UUID

import pytest
from django.utils.translation import get_language, override

from chatapp.chat.claims import farewell
from chatapp.chat.models import Generation
from chatapp.claude.errors import words
from chatapp.claude.translation import refused
from chatapp.web.database import db
from tests.chat.conftest import Tab, sign_in


@pytest.fixture
async def hans(running: None, alice: Any) -> Any:
    """Alice, who has chosen German."""
    alice.language = "de"
    await db(alice.save)
    return alice


async def test_a_refusal_is_in_the_persons_language(tab: Any, hans: Any) -> None:
    page = await tab(hans)
    await page.say("send", key="3f2d7f80-0f0b-4a43-9c6d-6a2b6f1f2f00", text=" ")
    assert (await page.until("reject"))["message"] == "Noch gibt es nichts zu senden."


async def test_else_it_is_in_the_browsers(running: None, bob: Any) -> None:
    page = Tab(await db(sign_in, bob))
    page.socket.scope["headers"].append((b"accept-language", b"de-AT,de;q=0.9"))
    await page.open()
    await page.say("watch", conversation="3f2d7f80-0f0b-4a43-9c6d-6a2b6f1f2f00")
    assert (await page.until("error"))["message"] == "Das gibt es hier nicht."
    await page.close()


async def test_a_reply_and_all_around_it_is_german(tab: Any, hans: Any) -> None:
    page = await tab(hans)
    ack = await page.ask("Hi [[b64:YGBgcHkKMQpgYGA=]]")
    done = await page.finish(ack["gen"])
    for word in ("Kopieren", "Eingabe · ", "fertig", "\u00a0$"):
        assert word in done["html"]


async def test_whoever_ends_a_reply_speaks_as_its_page_does(tab: Any, hans: Any) -> None:
    page = await tab(hans)
    ack = await page.ask("Hi")
    await page.finish(ack["gen"])
    with override("en"):
        _, frame = await db(farewell, UUID(ack["gen"]))
    assert "fertig" in frame["html"]


async def test_a_fault_is_stored_in_english_and_shown_in_german(tab: Any, hans: Any) -> None:
    page = await tab(hans)
    ack = await page.ask("Hi [[400]]")
    done = await page.finish(ack["gen"])
    assert "Anthropic hat die Anfrage nicht angenommen." in done["html"]
    reply = await db(Generation.objects.get, id=ack["gen"])
    assert reply.explanation.startswith("Anthropic did not accept the request.\nNothing was")
    with override("en"):
        said = reply.error_words
    assert said.startswith("Anthropic did not accept the request. Nothing was charged.")


@pytest.mark.once
def test_numbers_in_a_stored_fault_follow_the_reader() -> None:
    body = {"error": {"type": "", "message": "prompt is too long: 210000 tokens > 200000 maximum"}}
    fault = refused(400, body, {})
    assert "It has 210,000 tokens of 200,000." in fault.message
    with override("de"):
        assert "Sie hat 210.000 Tokens von 200.000." in words(fault.told)
        assert "Es wurde nichts berechnet." in fault.message


async def test_a_database_thread_speaks_as_who_asks(transactional_db: None) -> None:
    for language in ("de", "en"):
        with override(language):
            assert await db(get_language) == language
    with override(None):
        assert await db(get_language) is None
