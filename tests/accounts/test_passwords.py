"""Passwords: changed, reset, chosen by invitation; links work once."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail as outbox
from django.core.cache import cache
from django.test import Client

from chatapp.accounts import links, mail
from chatapp.accounts.models import User
from chatapp.accounts.signals import access_ended
from tests.servers import PASSWORD

pytestmark = pytest.mark.once

NEW = "another horse battery"


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()


def chosen(client: Client, link: str, password: str = NEW) -> Any:
    page = client.get(urlsplit(link).path)
    if page.status_code != 302:
        return page
    return client.post(page["Location"], {"new_password1": password, "new_password2": password})


def sent() -> list[str]:
    mail._postman.submit(int).result()  # the postman is one thread: what was before is out
    return [str(message.body) for message in outbox.outbox]


def ask(client: Client, email: str) -> Any:
    return client.post("/password/reset/", {"email": email})


def test_changing_it_signs_other_browsers_out(alice: User) -> None:
    here, there = Client(), Client()
    for browser in (here, there):
        browser.force_login(alice)
    told = []
    access_ended.connect(lambda person, **kwargs: told.append(person), weak=False, dispatch_uid="t")
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert here.post("/password/change/", form)["Location"] == "/account/"
    access_ended.disconnect(dispatch_uid="t")
    assert told == [alice]
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302


@pytest.mark.parametrize("bad", ["short", "password123", "alice@example.com"])
def test_a_weak_password_is_refused(bad: str, client: Client, alice: User) -> None:
    client.force_login(alice)
    form = {"old_password": PASSWORD, "new_password1": bad, "new_password2": bad}
    assert client.post("/password/change/", form).status_code == 200
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize("good", ["x" * 5 + " y z " + "ü" * 80, "  blanks around it  "])
def test_long_passwords_and_blanks_are_kept_as_typed(good: str, alice: User) -> None:
    client = Client()
    client.force_login(alice)
    form = {"old_password": PASSWORD, "new_password1": good, "new_password2": good}
    assert client.post("/password/change/", form).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(good)


def test_a_reset_link_works_once(client: Client, alice: User) -> None:
    ask(client, "ALICE@example.com")
    (body,) = sent()
    (link,) = re.findall(r"http://\S+", body)
    assert link.startswith("http://127.0.0.1:8000/password/reset/")
    assert str(alice.pk) not in urlsplit(link).path.split("/")[3:4]
    assert chosen(client, link)["Location"] == "/"
    assert client.get("/account/").status_code == 200
    again = chosen(Client(), link)
    assert again.status_code == 404
    assert "used up" in again.content.decode()


def test_the_host_header_does_not_get_into_the_link(alice: User) -> None:
    claims = {"host": "localhost", "X-Forwarded-Host": "evil.example", "X-Host": "evil.example"}
    Client(headers=claims).post("/password/reset/", {"email": alice.email})
    assert "http://127.0.0.1:8000/" in sent()[0]
    assert "evil" not in sent()[0]


def test_asking_tells_nobody_who_exists(alice: User, bob: User) -> None:
    bob.deactivate()
    User.objects.invite("carol", email="carol@example.com")
    answers = {
        (answer.status_code, answer["Location"])
        for email in ("alice@example.com", "bob@example.com", "carol@example.com", "no@example.com")
        if (answer := ask(Client(), email))
    }
    assert answers == {(302, "/password/reset/sent/")}
    assert len(sent()) == 1


def test_nobody_is_flooded_with_mail(alice: User) -> None:
    answers = [ask(Client(), "alice@example.com") for _ in range(8)]
    assert {answer.status_code for answer in answers} == {302}
    assert len(sent()) == 5
    others = [ask(Client(), f"x{n}@example.com").status_code for n in range(20)]
    assert others[-1] == 429


def test_a_deactivated_person_cannot_use_a_link(client: Client, alice: User) -> None:
    ask(client, "alice@example.com")
    (link,) = re.findall(r"http://\S+", sent()[0])
    alice.deactivate()
    assert chosen(client, link).status_code == 404


def test_an_invitation_lets_somebody_in_once(client: Client, db: None) -> None:
    carol = User.objects.invite("carol", name="Carol C")
    assert carol.awaited
    link = links.invitation(carol)
    page = client.get(urlsplit(link).path, follow=True)
    assert "Welcome, Carol C" in page.content.decode()
    assert chosen(client, link)["Location"] == "/"
    assert client.get("/account/").status_code == 200
    carol.refresh_from_db()
    assert not carol.awaited
    assert chosen(Client(), link).status_code == 404


def test_a_new_invitation_ends_the_old_one(db: None) -> None:
    carol = User.objects.invite("carol")
    old = links.invitation(carol)
    carol.invite_again()
    assert chosen(Client(), old).status_code == 404
    assert chosen(Client(), links.invitation(carol)).status_code == 302


def test_an_invitation_is_no_reset_link_and_the_other_way_round(db: None, alice: User) -> None:
    carol = User.objects.invite("carol")
    link = links.invitation(carol)
    assert chosen(Client(), link.replace("/invite/", "/password/reset/")).status_code == 404
    ask(Client(), "alice@example.com")
    (reset,) = re.findall(r"http://\S+", sent()[0])
    assert chosen(Client(), reset.replace("/password/reset/", "/invite/")).status_code == 404


def test_garbage_links_are_used_up(client: Client, alice: User) -> None:
    for link in (
        "/invite/x/y/",
        f"/invite/{alice.public_id.hex}/y/",
        "/password/reset/1/set-password/",
    ):
        assert client.get(link).status_code == 404


def test_changing_the_email_asks_for_the_password(client: Client, alice: User, bob: User) -> None:
    client.force_login(alice)
    page = {"name": "Alice A", "email": "new@example.com"}
    assert client.post("/account/", page).status_code == 200
    assert client.post("/account/", page | {"current_password": "wrong"}).status_code == 200
    assert client.post("/account/", page | {"current_password": PASSWORD}).status_code == 302
    taken = page | {"email": "BOB@example.com", "current_password": PASSWORD}
    assert "Somebody has this" in client.post("/account/", taken).content.decode()
    alice.refresh_from_db()
    assert (alice.name, alice.email) == ("Alice A", "new@example.com")
    assert client.post("/account/", {"name": "A", "email": "new@example.com"}).status_code == 302


def test_an_open_browser_does_not_help_to_guess_the_password(client: Client, alice: User) -> None:
    client.force_login(alice)
    form = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    codes = [client.post("/password/change/", form).status_code for _ in range(21)]
    assert codes == [200] * 20 + [429]
    email = {"name": "A", "email": "eve@example.com", "current_password": PASSWORD}
    assert client.post("/account/", email).status_code == 429
