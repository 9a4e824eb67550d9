"""A chat room with prices, a fake vendor, an engine, and tabs that talk to the consumer."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.contrib.auth import login
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from chatapp.chat import lifetime
from chatapp.chat.broadcast import broadcast
from chatapp.chat.draft import Ask
from chatapp.chat.routing import websocket_application
from chatapp.chat.running import engine
from chatapp.claude.connection import connection
from chatapp.pricing.models import Model
from chatapp.web.database import db as in_database
from tests.ledger.conftest import price_version

Frame = dict[str, Any]


MODELS = {"claude-haiku-4-5": ("Claude Haiku 4.5", 1), "claude-opus-4-5": ("Claude Opus 4.5", 5)}


@pytest.fixture
def prices(db: None) -> None:
    """Two models at $1 and $5 per million input tokens, the rest in the usual proportions."""
    since = datetime(2026, 1, 1, tzinfo=UTC)
    for id, (name, dollars) in MODELS.items():
        Model.objects.create(
            id=id,
            name=name,
            aliases=[f"{id}-20251001"],
            launched=since.date(),
            context_window=200_000,
            max_output=64_000,
        )
        price_version(id, dollars=dollars, valid_from=since)


def ask(text: str = "Hello", **fields: Any) -> Ask:
    return Ask(key=uuid4(), text=text, **fields)


def sign_in(user: Any) -> str:
    """A session key of this person."""
    request = HttpRequest()
    request.session = SessionStore()
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session.save()
    return str(request.session.session_key)


async def eventually(condition: Callable[[], Any], within: float = 30) -> Any:
    """What `condition`, awaited if need be, says once it says something."""
    async with asyncio.timeout(within):
        while True:
            found = condition()
            if found := await found if inspect.isawaitable(found) else found:
                return found
            await asyncio.sleep(0.03)


class Closed(Exception):
    """The server closed the socket; the argument is its code."""


class Tab:
    """One open page: a websocket, and what came over it."""

    def __init__(self, session: str, origin: str | None = None, path: str = "/ws/chat/") -> None:
        origin = django_settings.ALLOWED_ORIGINS[0] if origin is None else origin
        headers = [(b"cookie", f"{django_settings.SESSION_COOKIE_NAME}={session}".encode())]
        if origin:
            headers.append((b"origin", origin.encode()))
        self.socket = WebsocketCommunicator(websocket_application, path, headers)
        self.frames: list[Frame] = []

    async def open(self) -> "Tab":
        connected, code = await self.socket.connect()
        assert connected, code
        await self.until("welcome")
        return self

    async def say(self, type: str, **fields: Any) -> None:
        await self.socket.send_to(text_data=json.dumps({"type": type, **fields}))

    async def next(self) -> Frame:
        """The next frame. The communicator's own receive would end the consumer when it is late."""
        message = await self.socket.output_queue.get()
        if message["type"] == "websocket.close":
            raise Closed(message.get("code"))
        frame: Frame = json.loads(message["text"])
        self.frames.append(frame)
        return frame

    async def until(self, type: str, within: float = 30, **fields: Any) -> Frame:
        """The next frame of this type and with these fields."""
        async with asyncio.timeout(within):
            while True:
                frame = await self.next()
                if frame["type"] == type and fields.items() <= frame.items():
                    return frame

    async def ask(self, text: str, **fields: Any) -> Frame:
        """Send, and watch the conversation it went to; the acknowledgement."""
        key = str(uuid4())
        await self.say(
            "send", **{"key": key, "conversation": None, "parent": None, "text": text} | fields
        )
        ack = await self.until("ack", key=key)
        await self.say("watch", conversation=ack["conversation"])
        await self.until("watching")
        return ack

    async def finish(self, gen: str, within: float = 30) -> Frame:
        """The frame that ends this reply; asked for when it came before we watched."""
        async with asyncio.timeout(within):
            while True:
                try:
                    return await self.until("done", 1, gen=gen)
                except TimeoutError:
                    await self.say("resume", gen=gen, epoch=0, upto=0)

    async def close(self) -> None:
        await self.socket.disconnect()


@pytest.fixture
async def running(transactional_db: None, prices: None, upstream: Any) -> AsyncIterator[None]:
    """The engine of this process, as the server would have started it."""
    engine.draining = False
    await connection()  # its import takes seconds, as the server's start does
    await lifetime.start()
    yield
    await engine.drain(0)
    await engine.close()
    await broadcast.close()


@pytest.fixture
async def tab(running: None) -> AsyncIterator[Callable[..., Any]]:
    """Opens a tab of a person: `await tab(alice)`."""
    tabs: list[Tab] = []

    async def open(user: Any, session: str = "") -> Tab:
        tabs.append(Tab(session or await in_database(sign_in, user)))
        return await tabs[-1].open()

    yield open
    for tab in tabs:
        await tab.close()
