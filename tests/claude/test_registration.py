"""What the room adds to Django: its checks, the line on every page, an early start, a late import."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import AsyncClient
from django.utils import timezone

from chatapp.claude import connection
from chatapp.claude.breaker import breaker
from chatapp.claude.demo import demonstration, greeting
from chatapp.claude.notices import well
from chatapp.web import health

HAIKU = "claude-haiku-4-5"


@pytest.fixture
def closed() -> Iterator[None]:
    """The breaker, before and after."""
    breaker.clear()
    yield
    breaker.clear()


@pytest.mark.parametrize(
    ("address", "errors"),
    [
        ("https://api.anthropic.com", 0),
        ("http://127.0.0.1:8001", 0),
        ("http://[::1]:8001", 0),
        ("http://proxy.example.com", 1),
        ("ftp://127.0.0.1", 1),
        ("", 1),
    ],
)
def test_the_address_is_private(settings: Any, address: str, errors: int) -> None:
    settings.ANTHROPIC_BASE_URL = address
    assert sum(error.id == "claude.E001" for error in run_checks(tags=["security"])) == errors


def test_every_page_says_that_it_is_a_demonstration(settings: Any, rf: Any) -> None:
    settings.DEMO = True
    [notice] = demonstration(rf.get("/"))
    assert "ANTHROPIC_API_KEY" in notice.text
    assert greeting() == [notice.text]
    settings.DEMO = False
    assert demonstration(rf.get("/")) == greeting() == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("unauthorized", "Check ANTHROPIC_API_KEY"),
        ("billing", "Check credit and payment"),
        ("forbidden", "API key use claude-haiku-4-5"),
    ],
)
def test_every_page_tells_admins_what_anthropic_refuses(
    client: Any, admin: Any, alice: Any, closed: None, code: str, words: str
) -> None:
    breaker.failed(code, HAIKU)
    shown = f"Since {timezone.localtime():%Y-%m-%d}"
    for url in "/", "/admin/":
        client.force_login(admin)
        page = client.get(url).content.decode()
        assert shown in page
        assert words in page
    client.force_login(alice)
    assert words not in client.get("/").content.decode()
    breaker.succeeded(HAIKU)
    client.force_login(admin)
    assert words not in client.get("/").content.decode()


def test_a_refusal_lasts_since_the_first_until_a_call_succeeds(closed: None) -> None:
    breaker.failed("unauthorized", HAIKU)
    since = breaker.account.since
    breaker.account.open_until = 1.0  # long ago: the next call may try
    assert breaker.account.refusal == "unauthorized"
    breaker.failed("unauthorized", HAIKU)
    assert since == breaker.account.since is not None
    breaker.failed("billing", HAIKU)
    assert breaker.account.refusal == "billing"


def test_being_overloaded_concerns_no_admin(closed: None) -> None:
    for _ in range(6):
        breaker.failed("overloaded", HAIKU)
    assert (breaker.models[HAIKU].state, [*breaker.refusals()]) == ("open", [])


@pytest.mark.django_db(transaction=True)
async def test_health_names_a_refusal(closed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "health", health.Health({"database": False}))
    breaker.failed("forbidden", HAIKU)
    assert well()
    breaker.failed("billing", HAIKU)
    answer = await AsyncClient().get("/healthz")
    assert answer.status_code == 200
    told = json.loads(answer.content)
    assert (told["status"], told["claude"]) == ("degraded", "down")


async def test_opens_early(settings: Any) -> None:
    settings.DEMO = True
    await connection.open_early()
    assert len(connection._connections) == 1


def test_the_sdk_is_imported_late() -> None:
    program = (
        "import sys, django; django.setup(); from chatapp.claude import client; "
        "sys.exit(bool({'anthropic', 'aiohttp', 'httpx2'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
