"""The first admin: a signed link, once, one winner."""

import threading
from datetime import timedelta
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from chatapp.accounts import links
from chatapp.accounts.apps import greet
from chatapp.accounts.models import User, setup_link

pytestmark = pytest.mark.once

FORM = {
    "username": "ada",
    "name": "Ada",
    "email": "ada@example.com",
    "password1": "correct horse battery",
    "password2": "correct horse battery",
}


def path() -> str:
    link = setup_link()
    assert link
    return urlsplit(link).path


def test_the_link_makes_an_admin_and_signs_them_in(client: Client, db: None) -> None:
    assert client.get(path()).status_code == 200
    response = client.post(path(), FORM)
    assert response.status_code == 302
    assert response["Location"] == "/"
    ada = User.objects.get()
    assert ada.is_superuser
    assert ada.is_staff
    assert client.get("/account/").status_code == 200


def test_the_link_is_over_once_there_is_an_admin(client: Client, db: None) -> None:
    old = path()
    client.post(old, FORM)
    assert setup_link() is None
    assert greet() == []
    for answer in (Client().get(old), Client().post(old, FORM | {"username": "eve"})):
        assert answer.status_code == 404
        assert "used up" in answer.content.decode()
    assert User.objects.count() == 1


def test_the_link_is_over_after_a_day_and_cannot_be_made_up(client: Client, db: None) -> None:
    with patch("time.time", return_value=(timezone.now() - timedelta(days=1, hours=1)).timestamp()):
        old = path()
    for wrong in (old, "/setup/admin/", "/setup/x.y.z/", path()[:-2] + "/"):
        assert client.get(wrong).status_code == 404
        assert client.post(wrong, FORM).status_code == 404
    assert not User.objects.exists()


def test_an_operator_reads_the_link_when_the_server_starts(db: None) -> None:
    (line,) = greet()
    assert "http://127.0.0.1:8000/setup/" in line


def test_a_refused_form_makes_nobody(client: Client, db: None) -> None:
    answer = client.post(path(), FORM | {"password1": "123", "password2": "123"})
    assert answer.status_code == 200
    assert "too short" in answer.content.decode()
    assert not User.objects.exists()


def test_an_ordinary_person_does_not_close_the_link(client: Client, alice: User) -> None:
    assert client.get(path()).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_racing_forms_one_wins() -> None:
    address = path()
    assert links.opens_setup(address.split("/")[2])
    start = threading.Barrier(2)
    codes = []

    def post(username: str) -> None:
        form = FORM | {"username": username, "email": f"{username}@example.com"}
        start.wait()
        codes.append(Client().post(address, form).status_code)
        connection.close()

    racers = [threading.Thread(target=post, args=(name,)) for name in ("ada", "eve")]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(codes) == [302, 404]
    assert User.objects.count() == 1


def test_createsuperuser_asks_nothing(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse battery")
    call_command(
        "createsuperuser", interactive=False, username="ada", email="a@example.com", verbosity=0
    )
    assert User.objects.get(username="ada").is_superuser
    assert setup_link() is None
