"""The stand-in's model: reads a request as the API would and writes its reply as events."""

import hashlib
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chatapp.claude import demo_search
from chatapp.claude.demo_script import answer

Event = dict[str, Any]

CONTEXT_WINDOW = 200_000  # tokens
CACHEABLE = 1024  # tokens; shorter prompts are not cached
UNCACHED = 3  # tokens at the prompt's end that are never cached
CACHE_SECONDS = {"5m": 300.0, "1h": 3600.0}
# Stands for an image or a PDF: about as many words as it has tokens.
PICTURE = {"image": " seen" * 1500, "document": " read" * 4500}
FILE_ENDS = "\x1c"
TOKEN = re.compile(r"[A-Za-z]{1,6}|\d{1,3}|\n+|[^\sA-Za-z\d]")
PIECE = re.compile(r"\s*\S+|\s+")


class RefusedError(Exception):
    """What the API answers with an error."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "invalid_request_error"):
        super().__init__(message)
        self.status = status
        self.kind = kind


def tokens(text: str) -> int:
    """A plausible count: short words, three digits, single signs."""
    return len(TOKEN.findall(text))


def texts(content: object) -> Iterator[str]:
    """Every piece of text in a `system` or `content` parameter."""
    match content:
        case str():
            yield content
        case list():
            for block in content:
                yield from texts(block)
        case {"text": str(text)} | {"thinking": str(text)}:
            yield text
        case {"source": {"type": "text", "data": str(text)}}:
            yield text + FILE_ENDS
        case {"type": "image" | "document" as kind, "source": {"data": str(data)}}:
            yield hashlib.sha256(data.encode()).hexdigest() + PICTURE[kind] + FILE_ENDS


@dataclass(frozen=True)
class Request:
    """The body of a request, once it has been found acceptable."""

    model: str
    system: str
    turns: list[tuple[str, str]]
    more: Mapping[Any, Any]

    @classmethod
    def read(cls, body: object) -> "Request":
        """The request in `body`; RefusedError as the API would refuse it."""
        match body:
            case {"model": str(model), "messages": [_, *_] as messages, **more}:
                turns = [(str(m.get("role")), "".join(texts(m.get("content")))) for m in messages]
            case _:
                raise RefusedError("model, messages: Field required")
        if not model.startswith("claude-"):
            raise RefusedError(f"model: {model}", status=404, kind="not_found_error")
        if turns[0][0] != "user" or not {role for role, _ in turns} <= {"user", "assistant"}:
            raise RefusedError("messages: roles are user and assistant, and the user begins")
        if not all(text.strip() for _, text in turns):
            raise RefusedError("messages: text content blocks must be non-empty")
        request = cls(model, "".join(texts(more.get("system"))), turns, more)
        if request.tokens > CONTEXT_WINDOW:
            size = f"{request.tokens} tokens > {CONTEXT_WINDOW} maximum"
            raise RefusedError(f"prompt is too long: {size}")
        return request

    @property
    def question(self) -> str:
        """The last that the person wrote, without the files that go with it."""
        asked = next(text for role, text in reversed(self.turns) if role == "user")
        return asked.rpartition(FILE_ENDS)[2] or "What is in this file?"

    @property
    def thinks(self) -> bool:
        return (self.more.get("thinking") or {}).get("type") in ("adaptive", "enabled")

    @property
    def tokens(self) -> int:
        return self.prefixes()[-1][1]

    def prefixes(self) -> list[tuple[str, int]]:
        """Digest and tokens of the prompt up to and with each turn."""
        digest = hashlib.sha256(f"{self.model}\0{self.system}".encode(errors="replace"))
        total = tokens(self.system) + 40 * len(self.more.get("tools") or [])
        found = []
        for role, text in self.turns:
            digest.update(f"\0{role}\0{text}".encode(errors="replace"))
            total += tokens(text) + 4
            found.append((digest.hexdigest(), total))
        return found

    def limited(self, text: str, *, spent: int) -> tuple[str, str, str | None]:
        """What of `text` may be said, the stop_reason and the stop sequence met."""
        left = self.more["max_tokens"] - spent
        ends = list(TOKEN.finditer(text))
        reason, said = "end_turn", text
        if len(ends) > left:
            reason, said = "max_tokens", text[: ends[left].start()] if left > 0 else ""
        for sequence in self.more.get("stop_sequences") or []:
            before, met, _ = said.partition(sequence)
            if met:
                return before, "stop_sequence", sequence
        return said, reason, None


@dataclass
class Model:
    """Remembers prompts as the prompt cache does: digest -> when it is forgotten."""

    cache: dict[str, float] = field(default_factory=dict)

    def reply(self, request: Request) -> Iterator[Event]:
        """Every event of the reply, from message_start to message_stop."""
        limit = request.more.get("max_tokens")
        if not isinstance(limit, int) or limit < 0:
            raise RefusedError("max_tokens: Field required")
        usage = self.usage(request)
        prepared = answer(request.question)
        thinking = prepared.thinking if request.thinks else ""
        text, reason, met = request.limited(prepared.text, spent=tokens(thinking))
        yield started(request, usage)
        yield {"type": "ping"}
        searches = demo_search.wanted(request.more.get("tools"))
        found = demo_search.blocks(request.question) if searches else ()
        text = f"\n\n{text}" if searches else text
        blocks = [*thinking_block(thinking), *found, *text_block(text)]
        for index, (block, deltas) in enumerate(blocks):
            yield {"type": "content_block_start", "index": index, "content_block": block}
            for delta in deltas:
                yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "content_block_stop", "index": index}
        yield {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": met},
            "usage": {
                **{key: usage[key] for key in usage if key.endswith("input_tokens")},
                "output_tokens": tokens(thinking) + tokens(text),
                "output_tokens_details": {"thinking_tokens": tokens(thinking)},
                **({"server_tool_use": {"web_search_requests": 1}} if searches else {}),
            },
        }
        yield {"type": "message_stop"}

    def usage(self, request: Request) -> dict[str, Any]:
        """The prompt's tokens: read from the cache, written to it, and the rest."""
        read, written, ttl = 0, 0, "5m"
        if (control := request.more.get("cache_control")) and request.tokens >= CACHEABLE:
            ttl = control.get("ttl", "5m")
            read = self.recall(request, CACHE_SECONDS[ttl])
            written = max(request.tokens - UNCACHED - read, 0)
        return {
            "input_tokens": request.tokens - read - written,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "cache_creation": {
                f"ephemeral_{kind}_input_tokens": written if kind == ttl else 0
                for kind in CACHE_SECONDS
            },
            "output_tokens": 1,
            "service_tier": "standard",
            "inference_geo": "not_available",
            "speed": request.more.get("speed") or "standard",
        }

    def recall(self, request: Request, seconds: float) -> int:
        """Tokens of the longest beginning asked before; remembers this prompt for `seconds`."""
        now = time.monotonic()
        self.cache = {digest: until for digest, until in self.cache.items() if until > now}
        prefixes = [(digest, n) for digest, n in request.prefixes() if n >= CACHEABLE]
        read = max((n - UNCACHED for digest, n in prefixes if digest in self.cache), default=0)
        self.cache |= {digest: now + seconds for digest, _ in prefixes}
        return read


def started(request: Request, usage: dict[str, Any]) -> Event:
    message: dict[str, Any] = {
        "id": f"msg_demo_{uuid.uuid4().hex[:20]}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    return {"type": "message_start", "message": message}


def thinking_block(thinking: str) -> Iterator[tuple[Event, list[Event]]]:
    if thinking:
        deltas = [{"type": "thinking_delta", "thinking": s} for s in PIECE.findall(thinking)]
        signature = {"type": "signature_delta", "signature": "ZGVtb25zdHJhdGlvbg=="}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signature]


def text_block(text: str) -> Iterator[tuple[Event, list[Event]]]:
    if text:
        deltas = [{"type": "text_delta", "text": piece} for piece in PIECE.findall(text)]
        yield {"type": "text", "text": ""}, deltas
