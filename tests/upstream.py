"""A fake vendor over real HTTP that speaks the Messages API, breaks on request and keeps its own bill.

In a test: the fixture `upstream`, which points the settings at it. As a process:
`python -m tests.upstream --port 0 --faults pace:20` prints its address. A prompt chooses its fault:
tests/vendor_script.py. GET /_bill is what the vendor charges, GET /_open the streams still open,
POST /_faults {"faults": "[[…]]"} sets what prompts without a directive get, DELETE /_bill starts anew.
"""

import argparse
import asyncio
import contextlib
import itertools
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest
from aiohttp import web

from tests.vendor_script import (
    REFUSALS,
    Script,
    directives,
    last_text,
    prompt_tokens,
    too_large_together,
    wire,
)

NO_LINGER = struct.pack("ii", 1, 0)


class BrokenOffError(Exception):
    """The script ends the connection here."""


@dataclass
class Call:
    """One request to /v1/messages as the vendor books it."""

    request_id: str
    model: str
    prompt: str
    max_tokens: int
    status: int = 200
    message_id: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    usage: dict[str, Any] | None = None
    stop_reason: str = ""
    finished: bool = False
    closed_early: bool = False
    text: str = ""
    events: int = 0
    deltas: int = 0
    bytes: int = 0
    began: float = 0.0
    ended: float = 0.0


class Upstream:
    """The server, in a thread and loop of its own, so that any kind of test can use it."""

    def __init__(self, *, port: int = 0, faults: str = "") -> None:
        self.port = port
        self.faults = faults
        self.bill: list[Call] = []
        self.counts: list[dict[str, Any]] = []
        self.bodies: list[dict[str, Any]] = []
        self.seen: Counter[tuple[str, str]] = Counter()
        self.open: set[str] = set()
        self.numbers = itertools.count(1)
        self.events: list[dict[str, Any]] | None = None

    def reply_with(self, events: list[dict[str, Any]] | None) -> None:
        """From now on say just these events, whatever is asked; the stream ends after the last."""
        self.events = events

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self, faults: str = "") -> None:
        self.bill, self.counts, self.seen, self.faults = [], [], Counter(), faults
        self.bodies = []
        self.events = None

    def __enter__(self) -> "Upstream":
        ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, args=[ready], daemon=True)
        self.thread.start()
        assert ready.wait(10), "the fake vendor did not start"
        return self

    def __exit__(self, *exc: object) -> None:
        self.loop.call_soon_threadsafe(self.done.set)
        self.thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        with contextlib.closing(self.loop):
            self.loop.run_until_complete(self.serve(ready.set))

    async def serve(self, ready: Any) -> None:
        """Serve until `done` is set; `ready()` is called when the port is known."""
        self.done = asyncio.Event()
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes(
            [
                web.post("/v1/messages", self.messages),
                web.post("/v1/messages/count_tokens", self.count_tokens),
                web.get("/_bill", self.show_bill),
                web.delete("/_bill", self.clear_bill),
                web.get("/_open", self.show_open),
                web.post("/_faults", self.set_faults),
            ]
        )
        runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = runner.addresses[0][1]
        ready()
        await self.done.wait()
        await runner.cleanup()

    async def asked(self, calls: int = 1) -> None:
        """Wait until so many calls have come."""
        deadline = time.monotonic() + 10
        while len(self.bill) < calls:
            assert time.monotonic() < deadline, f"only {len(self.bill)} calls came"
            await asyncio.sleep(0.005)

    async def idle(self) -> None:
        """Wait until no stream is open."""
        deadline = time.monotonic() + 10
        while self.open:
            assert time.monotonic() < deadline, f"streams still open: {self.open}"
            await asyncio.sleep(0.005)

    async def show_bill(self, request: web.Request) -> web.Response:
        return web.json_response([asdict(call) for call in self.bill])

    async def clear_bill(self, request: web.Request) -> web.Response:
        self.reset(self.faults)
        return web.json_response({})

    async def show_open(self, request: web.Request) -> web.Response:
        return web.json_response(len(self.open))

    async def set_faults(self, request: web.Request) -> web.Response:
        self.reset((await request.json())["faults"])
        return web.json_response({})

    def active(self, prompt: str, defaults: str) -> dict[str, str]:
        """The faults of this call: the prompt's own over the defaults, less those used up."""
        faults = {}
        for name, (arg, times) in {**directives(defaults), **directives(prompt)}.items():
            self.seen[name, prompt] += times is not None
            if times is None or self.seen[name, prompt] <= times:
                faults[name] = arg
        return faults

    async def count_tokens(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.counts.append(body)
        request_id = f"req_count{next(self.numbers)}"
        if refusal := unacceptable(request, body, {"model", "messages"}):
            return error(*refusal, request_id)
        faults = {name: arg for name, (arg, _) in directives(last_text(body)).items()}
        await asyncio.sleep(int(faults.get("count_slow", 0)) / 1000)
        if "count_fails" in faults:
            return error(*REFUSALS["529"], request_id)
        counted = int(faults.get("count", prompt_tokens(body)))
        return web.json_response({"input_tokens": counted}, headers=headers(request_id))

    async def messages(self, request: web.Request) -> web.StreamResponse:
        request_id = f"req_{next(self.numbers):06}"
        try:
            body = await request.json()
        except ValueError:
            return error(400, "invalid_request_error", "The request body is not JSON", request_id)
        if refusal := unacceptable(request, body, {"model", "messages", "max_tokens"}):
            return error(*refusal, request_id)
        prompt = last_text(body)
        faults = self.active(prompt, self.faults)
        script = Script(body, faults, message_id=f"msg_{request_id[4:]}", given=self.events)
        call = Call(request_id, script.model, prompt, body["max_tokens"], began=time.time())
        call.headers = {
            name: value for name, value in request.headers.items() if name != "Authorization"
        }
        call.message_id = script.message_id
        self.bill.append(call)
        self.bodies.append(body)
        self.open.add(request_id)
        try:
            return await self.answer(request, script, call)
        except (ConnectionResetError, asyncio.CancelledError):
            call.closed_early = not call.finished
            raise
        finally:
            self.open.discard(request_id)
            call.ended = time.time()
            if script.usage and call.usage is None:
                call.usage = {**script.usage, "output_tokens": max(script.output, 1)}

    async def answer(self, request: web.Request, script: Script, call: Call) -> web.StreamResponse:
        for name, arg in script.faults.items():
            if name in REFUSALS:
                status, kind, message = REFUSALS[name]
                call.status = status
                return error(status, kind, message, call.request_id, fault=name, retry_after=arg)
        if "redirect" in script.faults:
            call.status = 307
            location = {"location": script.faults["redirect"]}
            return web.Response(status=307, headers=headers(call.request_id) | location)
        if "html200" in script.faults:
            return web.Response(
                text="<html>Sign in to the network</html>", content_type="text/html"
            )
        if "stall_headers" in script.faults:
            await asyncio.sleep(3600)
        await asyncio.sleep(script.number("first") / 1000)
        if not script.body.get("stream"):
            return self.whole(script, call)
        response = web.StreamResponse(
            headers=headers(call.request_id) | {"content-type": "text/event-stream; charset=utf-8"}
        )
        response.enable_chunked_encoding()
        await response.prepare(request)
        with contextlib.suppress(BrokenOffError):
            await self.play(request, response, script, call)
            await response.write_eof()
        return response

    def whole(self, script: Script, call: Call) -> web.Response:
        """The reply in one piece, for a request without `stream`."""
        for event in script.events():
            match event:
                case {"type": "message_start", "message": dict(start)}:
                    message = start
                case {"delta": {"type": "text_delta", "text": str(text)}}:
                    call.text += text
                case {"type": "message_delta", "delta": dict(delta)}:
                    message |= delta
        call.usage, call.stop_reason, call.finished = script.usage, message["stop_reason"], True
        content = [{"type": "text", "text": call.text}]
        return web.json_response(
            {**message, "content": content, "usage": script.usage}, headers=headers(call.request_id)
        )

    async def play(
        self, request: web.Request, response: web.StreamResponse, script: Script, call: Call
    ) -> None:
        """Write the events at the script's pace, breaking where it says."""
        faults = script.faults
        if "cut_before_start" in faults:
            cut(request)
        for event in script.events():
            kind, data = event["type"], wire(event)
            if kind == "content_block_delta":
                await self.break_off(request, response, script, call, data)
                await asyncio.sleep(script.pace)
                call.deltas += 1
                call.text += event["delta"].get("text", "")
            elif kind == "message_delta":
                call.usage, call.stop_reason = script.usage, event["delta"]["stop_reason"]
            elif kind == "message_stop":
                if "cut_before_stop" in faults:
                    cut(request)
                call.finished = True
            call.events += 1
            await send(response, call, data, one_by_one="onebyte" in faults)

    async def break_off(
        self,
        request: web.Request,
        response: web.StreamResponse,
        script: Script,
        call: Call,
        data: bytes,
    ) -> None:
        """What goes wrong before the next delta."""
        for name, arg in script.faults.items():
            if not name.endswith(("_after", "_mid_event", "malformed", "badutf8")):
                continue
            if call.deltas != int(arg or 5):
                continue
            match name:
                case "cut_after":
                    cut(request)
                case "rst_after":
                    await asyncio.sleep(0.02)
                    transport(request).get_extra_info("socket").setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER
                    )
                    transport(request).abort()
                    raise BrokenOffError
                case "eof_after":
                    await response.write_eof()
                    raise BrokenOffError
                case "cut_mid_event":
                    await send(response, call, data[: len(data) // 2])
                    cut(request)
                case "error_event_after":
                    kind = script.faults.get("error_type", "overloaded_error")
                    await send(
                        response, call, wire(error_body(kind, "Overloaded", call.request_id))
                    )
                    await response.write_eof()
                    raise BrokenOffError
                case "stall_after":
                    await asyncio.sleep(3600)
                case "ping_stall_after":
                    while True:
                        await send(response, call, wire({"type": "ping"}))
                        await asyncio.sleep(0.05)
                case "malformed":
                    event = b'event: content_block_delta\ndata: {"type": "content_bl\n\n'
                    await send(response, call, event)
                case "badutf8":
                    event = data.replace(b'"text": "', b'"text": "\xff\xfe')
                    await send(response, call, event)


async def send(
    response: web.StreamResponse, call: Call, data: bytes, *, one_by_one: bool = False
) -> None:
    call.bytes += len(data)
    for part in [bytes([b]) for b in data] if one_by_one else [data]:
        await response.write(part)


def transport(request: web.Request) -> Any:
    assert request.transport is not None
    return request.transport


def cut(request: web.Request) -> None:
    """Close with FIN after what was written."""
    transport(request).close()
    raise BrokenOffError


def unacceptable(
    request: web.Request, body: Any, required: set[str]
) -> tuple[int, str, str] | None:
    """Why the vendor refuses this request before looking at its content, or None."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    key = request.headers.get("x-api-key", bearer)
    if not key or key.startswith(("wrong", "sk-wrong")):
        return REFUSALS["401"]
    if "anthropic-version" not in request.headers:
        return 400, "invalid_request_error", "anthropic-version: header is required"
    if not isinstance(body, dict) or (missing := required - body.keys()):
        return 400, "invalid_request_error", f"{', '.join(sorted(missing))}: Field required"
    if not body["messages"] or body["messages"][0]["role"] != "user":
        return 400, "invalid_request_error", "messages: first message must use the user role"
    limit = body.get("max_tokens", 1)
    if not isinstance(limit, int) or limit < 0:
        return 400, "invalid_request_error", "max_tokens: must be a natural number"
    if body["model"].startswith("claude-missing"):
        return REFUSALS["404"]
    if too_large_together(body):
        return REFUSALS["many_images"]
    return None


def headers(request_id: str) -> dict[str, str]:
    return {
        "request-id": request_id,
        "anthropic-organization-id": "org_test",
        "anthropic-ratelimit-requests-limit": "1000",
        "anthropic-ratelimit-requests-remaining": "999",
        "anthropic-ratelimit-requests-reset": "2026-11-22T00:00:00Z",
        "anthropic-ratelimit-tokens-remaining": "100000",
    }


def error_body(
    kind: str, message: str, request_id: str, details: dict[str, Any] | None = None
) -> dict[str, Any]:
    body: dict[str, Any] = {"type": kind, "message": message}
    if details:
        body["details"] = details
    return {"type": "error", "error": body, "request_id": request_id}


def error(
    status: int,
    kind: str,
    message: str,
    request_id: str,
    *,
    fault: str = "",
    retry_after: str = "",
) -> web.Response:
    details = {"error_code": "enforced_spend_limit_reached"} if fault == "spend_limit" else None
    more = {"retry-after": retry_after or "0"} if status == 429 and not details else {}
    return web.json_response(
        error_body(kind, message, request_id, details),
        status=status,
        headers=headers(request_id) | more,
    )


@pytest.fixture(scope="session")
def upstream_server() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture
def upstream(upstream_server: Upstream, settings: Any) -> Upstream:
    """The fake vendor with an empty bill, and the settings of this test pointed at it."""
    upstream_server.reset()
    settings.DEMO = False
    settings.ANTHROPIC_API_KEY = "sk-test-key"
    settings.ANTHROPIC_BASE_URL = upstream_server.url
    return upstream_server


async def main(port: int, faults: str) -> None:
    server = Upstream(port=port, faults=faults)
    await server.serve(lambda: print(server.url, flush=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--faults", default="", help="for prompts without a directive, e.g. [[pace:20]]"
    )
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(arguments.port, arguments.faults))
