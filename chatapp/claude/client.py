"""Asking Claude: a streamed reply in pieces, and how many tokens a prompt has."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from django.conf import settings

from chatapp.claude.breaker import breaker
from chatapp.claude.connection import connection
from chatapp.claude.content import Content
from chatapp.claude.deadlines import Patience
from chatapp.claude.errors import Fault
from chatapp.claude.meter import Meter, Piece, guess_tokens
from chatapp.claude.prompt import Prompt
from chatapp.claude.translation import failed_midway, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from httpx2 import Response

logger = logging.getLogger(__name__)

COUNT_TIMEOUT = 5.0  # seconds, for a quote while somebody types
UPLOAD_TIMEOUT = 30.0  # seconds, when files go with it
WORTHWHILE = 256  # tokens: a paused reply with fewer left is not continued
ESTIMATE_TIMEOUT = 1.0  # seconds, while a settlement waits

_limits: dict[str, str] = {}


def source() -> str:
    """Where replies come from: "anthropic", or "demo" for the bundled stand-in."""
    return "demo" if settings.DEMO else "anthropic"


def door_state() -> dict[str, Any]:
    """For health pages: the source, what is open, and the rate limits of the last answer."""
    circuits = {"": breaker.account, **breaker.models}
    return {
        "source": source(),
        "open": {model: circuit.code for model, circuit in circuits.items() if circuit.open_until},
        "rate_limits": dict(_limits),
    }


def reply(prompt: Prompt) -> "Reply":
    """The reply to `prompt`, asked for when it is entered."""
    return Reply(prompt)


class Reply:
    """One call to the model: `async with client.reply(prompt) as reply`, then `async for` its pieces.

    Entering sends the request. Entering and iterating raise Fault; iterating ends without one only
    when the vendor said all. Leaving closes the connection at once: that is how a reply is stopped.
    `meter` is there from the start and knows what was used, whatever happens.
    """

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt
        self.meter = Meter(prompt.begun)
        self.meter.model = prompt.model  # until it is told which one writes
        # Only a reply that may search can be paused, and then needs what it said.
        self.content = Content() if prompt.options.get("web_search") else None
        self.request_id = ""
        self._exits = AsyncExitStack()
        self._patience: Patience
        self._response: Response

    @property
    def message_id(self) -> str:
        return self.meter.message_id

    @property
    def rest(self) -> Prompt | None:
        """The request that goes on where the model paused; None when it did not, or may not."""
        usage = self.meter.usage or {}
        if self.content is None or self.meter.response["stop_reason"] != "pause_turn":
            return None
        written = usage.get("output_tokens") or 0
        if self.prompt.max_tokens - written < WORTHWHILE or not self.content.blocks:
            return None
        searches = (usage.get("server_tool_use") or {}).get("web_search_requests") or 0
        return self.prompt.going_on(self.content.blocks, written=written, searches=searches)

    async def __aenter__(self) -> "Reply":
        breaker.check(self.prompt.model)
        self._patience = Patience(
            first=settings.FIRST_BYTE_TIMEOUT,
            idle=settings.IDLE_TIMEOUT,
            total=settings.TOTAL_TIMEOUT,
        )
        try:
            with self._patience:
                await self._ask()
            return self
        except (Exception, asyncio.CancelledError) as error:
            await self._exits.aclose()
            if (fault := self._fault(error)) is None:
                raise
        # Outside the handler: what the SDK raised holds the key and the prompt, and must not follow.
        raise fault

    async def __aexit__(self, *exc: object) -> None:
        await self._exits.aclose()

    async def __aiter__(self) -> AsyncGenerator[Piece, None]:
        fault: Fault | None = None
        try:
            with self._patience as patience:
                async for event in self._events():
                    piece = self.meter.hear(event)
                    if self.content:
                        self.content.hear(event)
                    if piece or tells(event):
                        patience.heard()
                    if piece:
                        patience.leave()
                        yield piece
                        patience.wait()
                    elif self.meter.complete:
                        patience.last_call()
            if not self.meter.complete:
                fault = self._broken("stream_ended_early")
        except (Exception, asyncio.CancelledError) as error:
            if (fault := self._fault(error)) is None:
                raise
        if fault and not self.meter.complete:
            raise fault

    async def _ask(self) -> None:
        messages = (await connection()).beta.messages
        asked = messages.with_streaming_response.create(**await read(self.prompt, Prompt.sent))
        response = await self._exits.enter_async_context(asked)
        self.request_id = response.headers.get("request-id", "")
        keep_limits(response.headers)
        # Only a page is surely not Anthropic's; whatever else comes with 200 may have been billed.
        if "html" in response.headers.get("content-type", ""):
            raise Fault("unexpected_answer", unbilled=True, request_id=self.request_id)
        self._response = response.http_response

    async def _events(self) -> AsyncIterator[dict[str, Any]]:
        """The stream's events but pings. The SDK's models of them would double the work."""
        from anthropic import AsyncStream

        async for sse in AsyncStream.raw_events(self._response):
            if sse.event == "ping" or not sse.data:
                continue
            event = json.loads(sse.data)
            # Its name stands twice, and a relay may lose the first.
            kind = event.get("type") if isinstance(event, dict) else sse.event
            if "error" in (kind, sse.event):
                raise failed_midway(event, started=self.meter.started, request_id=self.request_id)
            if kind == "message_start":
                breaker.succeeded(self.prompt.model)
            if kind != "ping":
                yield event

    def _fault(self, error: BaseException) -> Fault | None:
        """What `error` means, logged and told to the breaker; None when it is not the call's."""
        if isinstance(error, asyncio.CancelledError):
            fault = self._broken(self._patience.expired) if self._patience.ended() else None
        else:
            fault = translated(error, started=self.meter.started, request_id=self.request_id)
        if fault:
            breaker.failed(fault.code, self.prompt.model)
            logger.warning("A reply of %s failed: %s", self.prompt.model, fault)
        return fault

    def _broken(self, code: str) -> Fault:
        return Fault(code, started=self.meter.started, request_id=self.request_id)


def tells(event: "Mapping[str, Any]") -> bool:
    """Whether an event without words for people says anything: else a stream could hang for long."""
    match event:
        case {"type": "content_block_delta", "delta": {"text": ""} | {"thinking": ""}}:
            return False
        case {"type": str(kind)}:
            return kind.startswith(("message_", "content_block_"))
    return False


async def read(prompt: Prompt, how: "Callable[[Prompt], dict[str, Any]]") -> dict[str, Any]:
    """The prompt's parameters; its files are read off the event loop."""
    return await asyncio.to_thread(how, prompt) if prompt.has_files else how(prompt)


async def count_tokens(prompt: Prompt) -> int:
    """Tokens of the whole prompt by Anthropic's own free count; an estimate (section 7). Fault."""
    try:
        async with asyncio.timeout(UPLOAD_TIMEOUT if prompt.has_files else COUNT_TIMEOUT):
            messages = (await connection()).beta.messages
            counted = await messages.count_tokens(**await read(prompt, Prompt.counted))
        match getattr(counted, "input_tokens", None):
            case int(tokens):
                return tokens
        fault = Fault("unexpected_answer", unbilled=True)
    except Exception as error:
        found = translated(error, unbilled=True)
        if found is None:
            raise
        fault = found
    raise fault


async def estimate_output(prompt: Prompt, text: str, thinking: str = "") -> int:
    """Tokens of a partial reply: counted if that is to be had within a second, else guessed.

    Counted as a question of its own, since the vendor refuses some replies as a last message.
    """
    written = thinking + text
    if not written.strip():
        return guess_tokens(written)
    alone = [
        Prompt(model=prompt.model, messages=[{"role": "user", "content": content}])
        for content in (written, ".")
    ]
    try:
        async with asyncio.timeout(ESTIMATE_TIMEOUT):
            with_text, without = await asyncio.gather(*map(count_tokens, alone))
    except (Fault, TimeoutError):
        return guess_tokens(written)
    return max(with_text - without + 1, 1)


def keep_limits(headers: "Mapping[str, str]") -> None:
    prefix = "anthropic-ratelimit-"
    found = {k.removeprefix(prefix): v for k, v in headers.items() if k.startswith(prefix)}
    _limits.update(found)
