"""Is it alive, is it well: for load balancers and supervisors; says no versions and no counts."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, JsonResponse

from chatapp.web.database import db
from chatapp.web.signals import server_draining

# Seconds a part has to answer, and for which an answer is repeated to whoever asks.
PATIENCE = 1.0
KEPT = 1.0


_parts: dict[str, Callable[[], bool]] = {}


def register(name: str, well: Callable[[], bool]) -> None:
    """Name another room's part while it is not `well`; call it from AppConfig.ready."""
    _parts[name] = well


@dataclass
class Health:
    """The state of this process and what it leans on, asked at most once a second."""

    parts: dict[str, bool]
    until: float = 0.0
    draining: bool = False

    async def ask(self) -> None:
        if time.monotonic() < self.until:
            return
        self.until = time.monotonic() + PATIENCE + KEPT  # others do not ask meanwhile
        checks = {"database": answers(db(select))}
        if settings.REDIS_URL:
            checks["redis"] = answers(ping())
        self.parts = dict(zip(checks, await asyncio.gather(*checks.values()), strict=True))
        self.parts |= {name: False for name, well in _parts.items() if not well()}
        self.until = time.monotonic() + KEPT

    @property
    def word(self) -> str:
        if self.draining or not self.parts["database"]:
            return "draining" if self.draining else "down"
        # Without Redis text still flows: the database is the truth, only bells ring late. And
        # whatever is wrong in other rooms, pages are served.
        return "ok" if all(self.parts.values()) else "degraded"


health = Health({"database": False})


async def answers(question: Awaitable[Any]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await question
    except Exception:
        return False
    return True


def select() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def ping() -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(settings.REDIS_URL) as redis:
        await redis.ping()


async def healthz(request: HttpRequest) -> JsonResponse:
    """200 while it should get traffic, 503 otherwise; answers within about a second."""
    await health.ask()
    well = health.word in ("ok", "degraded")
    parts = {name: "ok" if fine else "down" for name, fine in health.parts.items()}
    return JsonResponse({"status": health.word} | parts, status=200 if well else 503)


async def livez(request: HttpRequest) -> HttpResponse:
    """200 while the event loop turns."""
    return HttpResponse("ok\n", content_type="text/plain")


@receiver(server_draining)
def drains(**kwargs: Any) -> None:
    health.draining = True
