"""What the room adds to Django: its checks, the line on every page, an early start, a late import."""

import subprocess
import sys
from typing import Any

import pytest
from django.core.checks import run_checks

from chatapp.claude import connection
from chatapp.claude.demo import demonstration, greeting


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
