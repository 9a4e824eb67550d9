"""Coming in and going out: uniform, throttled, no way to elsewhere."""

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client

from chatapp.accounts.models import User
from tests.servers import PASSWORD

pytestmark = pytest.mark.once

WRONG = "do not belong together"


def enter(client: Client, username: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/sign-in/", {"username": username, "password": password} | more)


def test_alice_signs_in_and_out(client: Client, alice: User) -> None:
    assert enter(client, "alice")["Location"] == "/"
    assert client.get("/account/").status_code == 200
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/account/").status_code == 200
    response = client.post("/sign-out/")
    assert response["Location"] == "/sign-in/"
    assert response["Clear-Site-Data"] == '"storage"'
    assert client.get("/account/")["Location"] == "/sign-in/?next=/account/"


def test_the_case_of_a_user_name_does_not_matter(client: Client, alice: User) -> None:
    assert enter(client, "ALICE").status_code == 302


def test_the_session_is_another_after_signing_in(client: Client, alice: User) -> None:
    session = client.session
    session["before"] = "x"
    session.save()
    before = client.session.session_key
    enter(client, "alice")
    assert client.session.session_key != before
    assert not client.session.exists(before)


def test_every_failure_reads_the_same(client: Client, alice: User, bob: User) -> None:
    bob.deactivate()
    User.objects.invite("carol")
    pages = set()
    for username, password in [
        ("alice", "wrong"),
        ("nobody", "wrong"),
        ("bob", PASSWORD),
        ("carol", "wrong"),
    ]:
        answer = enter(Client(), username, password)
        assert answer.status_code == 200
        body = answer.content.decode().replace(username, "NAME")
        pages.add(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", body))
    assert len(pages) == 1
    assert WRONG in pages.pop()


def test_every_try_costs_one_hash(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long it takes tells nobody who exists, is invited or is deactivated."""
    User.objects.invite("carol")
    encode, calls = MD5PasswordHasher.encode, []

    def counted(*args: Any, **kwargs: Any) -> str:
        calls.append(args)
        return encode(*args, **kwargs)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    for username in ("alice", "nobody", "carol"):
        calls.clear()
        enter(Client(), username, "wrong")
        assert len(calls) == 1, username


def test_guessing_is_stopped(client: Client, alice: User, settings: Any) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = enter(client, "alice", "wrong")
    answer = enter(client, "alice", PASSWORD)
    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()
    assert client.get("/account/").status_code == 302
    assert enter(client, "nobody", "x").status_code == 429


@pytest.mark.parametrize("page", ["/sign-in/", "/admin/login/?next=/admin/"])
@pytest.mark.parametrize("many", [False, True])
def test_an_address_has_ten_guesses_whomever_it_tries(
    alice: User, settings: Any, page: str, many: bool
) -> None:
    """Each from another browser, which names another client before it each time."""
    codes = []
    for number in range(30):
        browser = Client(headers={"X-Forwarded-For": f"10.0.0.{number}", "X-Real-IP": "10.1.1.1"})
        form = {"username": f"user{number}" if many else "alice", "password": "wrong"}
        url = page
        if (seen := browser.get(page)).status_code == 302:
            url = seen["Location"]
        codes.append(browser.post(url, form).status_code)
    assert settings.AXES_FAILURE_LIMIT == 10
    assert codes.index(429) <= 10
    assert set(codes[10:]) == {429}
    assert enter(Client(), "alice").status_code == 429
    assert Client(REMOTE_ADDR="10.9.9.9").get("/sign-in/").status_code == 200
    assert enter(Client(REMOTE_ADDR="10.9.9.9"), "alice").status_code == 302


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\\evil.example",
        "\t//e.com",
    ],
)
def test_next_leads_nowhere_else(elsewhere: str, client: Client, alice: User) -> None:
    assert enter(client, "alice", next=elsewhere)["Location"] == "/"
    assert client.get("/sign-in/", {"next": elsewhere})["Location"] == "/"
    for page in ("/theme/", "/language/"):
        answer = client.post(page, {"next": elsewhere, "theme": "dark", "language": "en"})
        assert answer["Location"] == "/"


def test_the_admin_has_no_other_way_in(client: Client, admin: User, alice: User) -> None:
    way = client.get("/admin/", follow=True).redirect_chain
    assert way[-1][0] == "/sign-in/?next=%2Fadmin%2F"
    assert enter(client, "admin", next="/admin/")["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    client.post("/admin/logout/")
    assert client.get("/admin/").status_code == 302
    enter(client, "alice")
    assert client.get("/admin/", follow=True).status_code == 404


def test_the_theme_is_in_the_page(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert "data-theme" not in client.get("/account/").content.decode().split("<head>")[0]
    answer = client.post("/theme/", {"theme": "dark", "next": "/account/"})
    assert answer["Location"] == "/account/"
    assert client.cookies["theme"]["httponly"]
    assert 'data-theme="dark"' in client.get("/account/").content.decode()
    client.post("/theme/", {"theme": "<script>"})
    assert "theme" not in client.cookies or not client.cookies["theme"].value
    client.cookies["theme"] = '"><script>'
    assert "<script>" not in client.get("/account/").content.decode()
