"""What people see when something is refused or broken: words, a way on, no traceback."""

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.views.defaults import server_error

pytestmark = pytest.mark.once


def words(response: Any) -> str:
    body = response.content.decode()
    assert "Traceback" not in body
    assert 'href="/"' in body
    return body


def test_nothing_here(client: Client, db: None) -> None:
    response = client.get("/no/such/page/")
    assert response.status_code == 404
    assert "Nothing here" in words(response)


def test_a_form_that_was_open_for_too_long(db: None) -> None:
    response = Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "alice"})
    assert response.status_code == 403
    assert "open for too long" in words(response)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:x", "localhost.evil.example"])
def test_a_strange_host(host: str, db: None) -> None:
    response = Client(headers={"host": host}).get("/sign-in/")
    assert response.status_code == 400
    assert "did not make sense" in words(response)
    assert host not in response.content.decode()


def test_something_broke(rf: RequestFactory) -> None:
    # Without the database and the context processors: what broke may be one of them.
    response = server_error(rf.get("/"))
    assert response.status_code == 500
    assert "Something broke" in words(response)
