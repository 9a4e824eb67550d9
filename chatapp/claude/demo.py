"""A stand-in for Anthropic on loopback, so that the product works, and shows all, without a key."""

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as noop

from chatapp.claude.demo_model import Model, RefusedError, Request
from chatapp.web.notices import Notice

if TYPE_CHECKING:
    from aiohttp import web

DEMONSTRATION = noop(
    "Demonstration: replies come from a script, not from Claude, and no money is spent. "
    "Set ANTHROPIC_API_KEY and restart to talk to Claude."
)
PAUSE = 0.025  # seconds between two pieces, as Claude writes
FIRST_PAUSE = 0.35  # seconds until the first

_servers: dict[asyncio.AbstractEventLoop, tuple[AsyncGenerator[str, None], asyncio.Task[str]]] = {}


def demonstration(request: HttpRequest) -> list[Notice]:
    """The line on every page while the stand-in answers."""
    return [Notice("demo", gettext(DEMONSTRATION))] if settings.DEMO else []


def greeting(**kwargs: Any) -> list[str]:
    """The same for the operator, when the server starts."""
    return [DEMONSTRATION] if settings.DEMO else []


async def base_url() -> str:
    """The stand-in's address; it starts once for each event loop and ends with it."""
    loop = asyncio.get_running_loop()
    if loop not in _servers:
        generator = _serve(loop)
        _servers[loop] = generator, loop.create_task(_first(generator))
    return await asyncio.shield(_servers[loop][1])


async def _first(generator: AsyncGenerator[str, None]) -> str:
    return await anext(generator)


async def _serve(loop: asyncio.AbstractEventLoop) -> AsyncGenerator[str, None]:
    from aiohttp import web

    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/v1/messages", partial(messages, model=Model()))
    app.router.add_post("/v1/messages/count_tokens", count_tokens)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        _servers.pop(loop, None)
        await runner.cleanup()


async def count_tokens(http: "web.Request") -> "web.StreamResponse":
    """POST /v1/messages/count_tokens"""
    try:
        return answered({"input_tokens": (await read(http)).tokens})
    except RefusedError as refusal:
        return refused(refusal)


async def messages(http: "web.Request", model: Model) -> "web.StreamResponse":
    """POST /v1/messages, always streamed"""
    from aiohttp import web

    try:
        events = [*model.reply(await read(http))]
    except RefusedError as refusal:
        return refused(refusal)
    streamed = {"content-type": "text/event-stream; charset=utf-8", **identity()}
    response = web.StreamResponse(headers=streamed)
    await response.prepare(http)
    pause = FIRST_PAUSE
    for event in events:
        if event["type"] == "content_block_delta":
            await asyncio.sleep(pause / settings.DEMO_SPEED)
            pause = PAUSE
        data = json.dumps(event, ensure_ascii=False)
        await response.write(f"event: {event['type']}\ndata: {data}\n\n".encode())
    await response.write_eof()
    return response


async def read(http: "web.Request") -> Request:
    if not http.headers.keys() & {"Authorization", "X-Api-Key"}:
        raise RefusedError("x-api-key: required", status=401, kind="authentication_error")
    try:
        return Request.read(await http.json())
    except ValueError as error:
        raise RefusedError("The request body is not valid JSON") from error


def refused(refusal: RefusedError) -> "web.Response":
    error = {"type": refusal.kind, "message": str(refusal)}
    return answered({"type": "error", "error": error}, status=refusal.status)


def answered(body: dict[str, Any], *, status: int = 200) -> "web.Response":
    from aiohttp import web

    return web.json_response(body, status=status, headers=identity())


def identity() -> dict[str, str]:
    return {
        "request-id": f"req_demo_{uuid.uuid4().hex[:20]}",
        "anthropic-ratelimit-requests-limit": "1000",
        "anthropic-ratelimit-requests-remaining": "999",
    }
