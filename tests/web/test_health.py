"""Alive and well, for machines: quick, cached, and silent about anything else."""

import asyncio
import time
from typing import Any

import pytest
from django.db import OperationalError
from django.test import AsyncClient

from chatapp.web import health

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.REDIS_URL = ""
    monkeypatch.setattr(health, "health", health.Health({"database": False}))


async def ask() -> tuple[int, Any]:
    answer = await AsyncClient().get("/healthz")
    return answer.status_code, answer.json()


def broken() -> None:
    raise OperationalError("no")


async def test_alive() -> None:
    assert (await AsyncClient().get("/livez")).content == b"ok\n"


async def test_well() -> None:
    assert await ask() == (200, {"status": "ok", "database": "ok"})


async def test_without_its_database_it_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "select", broken)
    assert await ask() == (503, {"status": "down", "database": "down"})


async def test_a_silent_database_is_down_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "select", lambda: time.sleep(5))
    began = time.monotonic()
    status, _ = await ask()
    assert status == 503
    assert time.monotonic() - began < 4


async def test_without_redis_it_is_degraded(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert await ask() == (200, {"status": "degraded", "database": "ok", "redis": "down"})


async def test_with_redis(settings: Any, redis_url: str) -> None:
    settings.REDIS_URL = redis_url
    assert await ask() == (200, {"status": "ok", "database": "ok", "redis": "ok"})


async def test_many_questions_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(health, "select", lambda: asked.append(1))
    await asyncio.gather(*(ask() for _ in range(10)))
    assert len(asked) == 1


async def test_while_draining_it_takes_no_traffic() -> None:
    health.drains()
    status, body = await ask()
    assert (status, body["status"]) == (503, "draining")
