"""Settings that would hurt are refused or warned of, each with its id."""

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import run_checks

from chatapp.web import checks
from tests.servers import ROOT

PUBLIC = {"PUBLIC_URL": "https://chat.example.com", "ALLOWED_HOSTS": ["chat.example.com"]}


def found() -> set[str]:
    return {str(message.id) for message in run_checks() if str(message.id).startswith("chatapp.")}


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, set()),
        (PUBLIC | {"PRODUCTION": True}, set()),
        ({"PUBLIC_URL": "chat.example.com"}, {"chatapp.E001"}),
        ({"PUBLIC_URL": "https://127.0.0.1/chat"}, {"chatapp.E001"}),
        (PUBLIC | {"ALLOWED_HOSTS": ["x"], "PRODUCTION": True}, {"chatapp.E002"}),
        ({"PUBLIC_URL": "http://0.0.0.0:8000"}, {"chatapp.E002", "chatapp.E003", "chatapp.W001"}),
        ({"PRODUCTION": True}, {"chatapp.E004"}),
        (PUBLIC | {"ALLOWED_HOSTS": ["*"], "PRODUCTION": True}, {"chatapp.E005"}),
        (PUBLIC, {"chatapp.W001"}),
        ({"DEBUG": True}, set()),
        ({"DEBUG": True, "PRODUCTION": True} | PUBLIC, {"chatapp.E006"}),
        ({"DEBUG": True, "HOST": "0.0.0.0"}, {"chatapp.E006"}),
        ({"ANTHROPIC_BASE_URL": "http://10.0.0.1"}, {"chatapp.E007"}),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:9000"}, set()),
    ],
)
def test_addresses_and_the_rest(
    settings: Any, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], ids: set[str]
) -> None:
    settings.REDIS_URL = ""
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    for name, value in changes.items():
        setattr(settings, name, value)
    assert found() == ids


def test_a_time_zone_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "settings", SimpleNamespace(TIME_ZONE="Mars/Olympus"))
    assert [error.id for error in checks.time_zone(None)] == ["chatapp.E008"]


def manage(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "DATA_DIR")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=kept | {"ENV_FILE": os.devnull, "PORT": "0"} | env,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({"PRODUCTION": "1"}, "SECRET_KEY"),
        ({"PRODUCTION": "1", "SECRET_KEY": "short"}, "security.W009"),
        ({"DEBUG": "1", "ALLOWED_HOSTS": "chat.example.com"}, "chatapp.E006"),
        ({"SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY_FILE"),
    ],
)
def test_the_server_refuses_to_start(env: dict[str, str], why: str) -> None:
    if "PRODUCTION" in env:
        env |= {"PUBLIC_URL": "https://chat.example.com", "ALLOWED_HOSTS": "chat.example.com"}
    done = manage("serve", **env)
    assert done.returncode != 0
    assert why in done.stderr
