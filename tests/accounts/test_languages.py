"""Which language a page, and a mail, is in."""

from typing import Any

import pytest
from django.core import mail as outbox
from django.core.cache import cache
from django.test import Client
from django.utils import translation

from chatapp.accounts import mail
from chatapp.accounts.models import User

pytestmark = pytest.mark.once

GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}


@pytest.fixture(autouse=True)
def nobody_speaks() -> Any:
    """What a page switched on stays on in this thread."""
    with translation.override(None):
        yield


def choose(client: Client, language: str) -> Any:
    return client.post("/language/", {"language": language, "next": "/sign-in/"})


@pytest.mark.parametrize(
    ("asked", "language", "word"),
    [
        ("de-AT,de;q=0.9", "de", "Anmelden"),
        ("en", "en", "Sign in"),
        ("fr", "en", "Sign in"),
        ("", "en", "Sign in"),
    ],
)
def test_a_page_is_in_the_browsers_language(
    asked: str, language: str, word: str, client: Client, db: None
) -> None:
    answer = client.get("/sign-in/", headers={"accept-language": asked})
    assert f'<html lang="{language}" dir="ltr"' in answer.text
    assert f"<h1>{word}</h1>" in answer.text
    assert answer["Content-Language"] == language
    assert "Accept-Language" in answer["Vary"]


def test_whoever_is_not_signed_in_may_choose(client: Client, db: None) -> None:
    assert choose(client, "de")["Location"] == "/sign-in/"
    assert "<h1>Anmelden</h1>" in client.get("/sign-in/").text
    choose(client, "")
    assert "<h1>Sign in</h1>" in client.get("/sign-in/").text


def test_a_persons_choice_goes_before_every_browsers(client: Client, alice: User) -> None:
    client.force_login(alice)
    choose(client, "de")
    alice.refresh_from_db()
    assert alice.language == "de"
    elsewhere = Client(headers={"accept-language": "en"})
    elsewhere.force_login(alice)
    assert "<h1>Konto</h1>" in elsewhere.get("/account/").text
    choose(elsewhere, "")
    assert "<h1>Account</h1>" in elsewhere.get("/account/").text
    assert "<h1>Konto</h1>" in elsewhere.get("/account/", headers=GERMAN).text


@pytest.mark.parametrize("unknown", ["fr", "xx", "de\r\nX: y", "../de"])
def test_a_language_we_do_not_speak_is_none(unknown: str, client: Client, alice: User) -> None:
    client.force_login(alice)
    choose(client, unknown)
    alice.refresh_from_db()
    assert alice.language == ""


def test_a_language_from_the_right_turns_the_page(client: Client, db: None, settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("ar", "العربية")]
    page = client.get("/sign-in/", headers={"accept-language": "ar"}).text
    assert '<html lang="ar" dir="rtl"' in page


def test_even_the_page_that_says_that_all_is_lost_speaks(db: None) -> None:
    client = Client(raise_request_exception=False, headers=GERMAN)
    assert '<html lang="de"' in client.get("/nowhere/").text


def sent() -> list[Any]:
    mail._postman.submit(int).result()  # the postman is one thread: what was before is out
    return outbox.outbox


def test_a_mail_is_in_its_readers_language(client: Client, alice: User) -> None:
    cache.clear()
    User.objects.filter(pk=alice.pk).update(language="de")
    client.post("/password/reset/", {"email": alice.email})
    (letter,) = sent()
    assert letter.subject == "Ein neues Passwort für chatapp"
    assert letter.body.startswith("Guten Tag Alice,")


def test_an_invitation_is_in_the_language_chosen_for_them(
    admin: User, settings: Any, client: Client
) -> None:
    client.force_login(admin)
    person = {"username": "dora", "name": "Dora", "email": "dora@example.com", "language": "de"}
    client.post("/admin/accounts/user/add/", person, headers={"accept-language": "en"})
    (letter,) = sent()
    assert letter.subject == "Willkommen: Sie haben ein Konto bei chatapp"
    assert "Ihr Benutzername ist „dora“." in letter.body
