"""The SDK's client: one for each process and event loop, imported late, deaf to the environment."""

import asyncio
import os
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from django.conf import settings

from chatapp.claude import demo
from chatapp.claude.translation import read_refusal

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

Place = tuple[asyncio.AbstractEventLoop, str, str]

CONNECT_TIMEOUT = 3.0  # seconds
# Anthropic's keep-alive is longer; a connection that we drop first cannot die under a request.
KEEPALIVE = 20.0

_connections: dict[Place, tuple[AsyncGenerator["AsyncAnthropic", None], "AsyncAnthropic"]] = {}


def import_sdk() -> None:
    """Import anthropic (1.5 s, 67 MB). Its variables must not add headers, logs or traces of ours."""
    for name in ("CUSTOM_HEADERS", "LOG", "OPEN_TELEMETRY_TRACES_CONTENT_MODE"):
        os.environ.pop(f"ANTHROPIC_{name}", None)
    import anthropic  # noqa: F401


async def open_early(**kwargs: Any) -> None:
    """At the server's start, so that nobody's first message waits for the import."""
    await asyncio.to_thread(import_sdk)
    # The SDK imports its parts at their first use.
    _ = (await connection()).beta.messages.with_streaming_response


async def connection() -> "AsyncAnthropic":
    """This loop's client for the address and key of the settings, or for the demo stand-in."""
    if settings.DEMO:
        url, key = await demo.base_url(), "demo"
    else:
        url, key = settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_API_KEY
    place = asyncio.get_running_loop(), url, key
    if place not in _connections:
        generator = _connect(place)
        _connections[place] = generator, await anext(generator)
    return _connections[place][1]


async def _connect(place: Place) -> AsyncGenerator["AsyncAnthropic", None]:
    """A client that closes with its loop, since loops close the generators begun in them."""
    import_sdk()
    from anthropic import AsyncAnthropic, DefaultAioHttpClient
    from httpx2 import Limits, Timeout

    _, url, key = place
    # The deadlines that count are in deadlines.py. This one is held open by pings, and is due before
    # its socket was read when the process stood still.
    silence = settings.TOTAL_TIMEOUT
    transport = DefaultAioHttpClient(
        base_url=url,
        follow_redirects=False,
        trust_env=False,
        event_hooks={"response": [read_refusal]},
        timeout=Timeout(silence, connect=CONNECT_TIMEOUT, pool=CONNECT_TIMEOUT),
        limits=Limits(
            max_connections=1000, max_keepalive_connections=100, keepalive_expiry=KEEPALIVE
        ),
    )
    try:
        async with AsyncAnthropic(
            api_key=key,
            base_url=url,
            http_client=transport,
            timeout=transport.timeout,
            max_retries=0,
            open_telemetry=False,
        ) as client:
            yield client
    finally:
        _connections.pop(place, None)
