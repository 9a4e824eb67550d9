"""What the fake vendor says to one request: the Messages API's events, bent by the faults a prompt names.

A prompt's last text (or the server's default) may hold directives in double brackets, several joined by `+`:
`[[cut_after:20]]`, `[[slow:5000+words:5000]]`, `[[429x2]]` (the first two calls with this prompt only),
`[[text:any words]]`. tests/upstream.py plays them; tests/claude/test_upstream.py lists them all.
"""

import base64
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]

DIRECTIVE = re.compile(r"\[\[(.+?)\]\]", re.S)
FAULT = re.compile(r"(?P<name>[a-z_]+?\d*|\d{3})(?:x(?P<times>\d+))?(?::(?P<arg>.*))?", re.S)
SERVED = {"claude-haiku-4-5": "claude-haiku-4-5-20251001"}
UNICODE = "Zażółć 👩‍👩‍👧‍👦 é שלום \u202eRTL\u202c 你好 🏳️‍🌈 ﷽ \U0001d11e e\u0301 \u2028 end. "
PICTURES = {"image": 1_500, "document": 9_000}
STOP_REASONS = {
    "context_exceeded": "model_context_window_exceeded",
    "max_tokens": "max_tokens",
    "pause_turn": "pause_turn",
    "refusal": "refusal",
    "refusal_mid": "refusal",
    "unknown_stop": "something_new",
}
REFUSALS: dict[str, tuple[int, str, str]] = {
    "400": (400, "invalid_request_error", "messages: text content blocks must be non-empty"),
    "401": (401, "authentication_error", "invalid x-api-key"),
    "402": (402, "billing_error", "Your payment method was declined."),
    "403": (403, "permission_error", "Your API key does not have permission to use this resource."),
    "404": (404, "not_found_error", "model: claude-missing"),
    "408": (408, "timeout_error", "Request timed out"),
    "409": (409, "conflict_error", "Conflict"),
    "413": (413, "request_too_large", "Request exceeds the maximum size"),
    "429": (429, "rate_limit_error", "This request would exceed your organization's rate limit"),
    "500": (500, "api_error", "Internal server error"),
    "503": (503, "api_error", "Service unavailable"),
    "504": (504, "timeout_error", "Gateway timeout"),
    "529": (529, "overloaded_error", "Overloaded"),
    "credit": (
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. "
        "Please go to Plans & Billing to upgrade or purchase credits.",
    ),
    "limit": (
        400,
        "invalid_request_error",
        "You have reached your specified API usage limits. "
        "You will regain access on 2026-12-01 at 00:00 UTC.",
    ),
    "spend_limit": (429, "rate_limit_error", "This workspace has reached its spend limit."),
    "many_images": (
        400,
        "invalid_request_error",
        "messages.0.content.0.image.source.base64.data: At least one of the image dimensions exceed "
        "max allowed size for many-image requests: 2000 pixels",
    ),
    "toolong": (400, "invalid_request_error", "prompt is too long: 250000 tokens > 200000 maximum"),
}


def tokens(text: str) -> int:
    """The vendor's tokenizer: four characters make one."""
    return -(-len(text) // 4)


def wire(event: Event) -> bytes:
    """One server-sent event, as the vendor frames it."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def texts(content: Any) -> Iterator[str]:
    """Every piece of text in a `system` or `content` parameter."""
    match content:
        case str():
            yield content
        case list():
            for item in content:
                yield from texts(item)
        case {"text": str(text)} | {"thinking": str(text)}:
            yield text
        case {"source": {"type": "text", "data": str(text)}}:
            yield text
        case {"content": inner} | {"input": inner}:
            yield from texts(inner)


def pictures(content: Any) -> int:
    """Tokens of the images and PDFs in a message."""
    blocks = content if isinstance(content, list) else []
    sources = [(block["type"], block["source"]) for block in blocks if "source" in block]
    return sum(PICTURES[kind] for kind, source in sources if source["type"] == "base64")


def prompt_tokens(body: dict[str, Any]) -> int:
    """Tokens of the whole prompt: its texts and pictures, three a message, and the tools."""
    parts = [*texts(body.get("system", ""))]
    for message in body["messages"]:
        parts += texts(message["content"])
    extra = 3 * len(body["messages"]) + 100 * len(body.get("tools") or [])
    extra += sum(pictures(message["content"]) for message in body["messages"])
    return extra + sum(map(tokens, parts))


def too_large_together(body: dict[str, Any]) -> bool:
    """More than twenty images, and a PNG among them with an edge over 2,000 pixels."""
    contents = [message["content"] for message in body["messages"]]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    images = [block["source"] for block in blocks if block["type"] == "image"]
    heads = [base64.b64decode(image["data"][:32]) for image in images]
    return len(heads) > 20 and any(
        max(struct.unpack_from(">II", head, 16)) > 2000 for head in heads
    )


def last_text(body: dict[str, Any]) -> str:
    """The text of the last message the person wrote."""
    for message in reversed(body["messages"]):
        if message["role"] == "user":
            return " ".join(texts(message["content"]))
    return ""


def directives(text: str) -> dict[str, tuple[str, int | None]]:
    """Fault name -> (argument, how many times or None for always)."""
    found = {}
    for inside in DIRECTIVE.findall(text):
        for part in [inside] if inside.startswith("text:") else re.split(r"[+\s]+", inside):
            if match := FAULT.fullmatch(part):
                times = match["times"]
                found[match["name"]] = (match["arg"] or "", int(times) if times else None)
    return found


@dataclass
class Script:
    """The events of one reply. `faults`: name -> argument."""

    body: dict[str, Any]
    faults: dict[str, str]
    message_id: str = "msg_test"
    output: int = 0
    thinking: int = 0
    index: int = -1
    usage: dict[str, Any] = field(default_factory=dict)
    given: list[Event] | None = None

    def number(self, name: str, default: int = 0) -> int:
        return int(self.faults.get(name) or default)

    @property
    def model(self) -> str:
        return SERVED.get(self.body["model"], self.body["model"])

    @property
    def pace(self) -> float:
        """Seconds between two deltas."""
        return (self.number("slow") or self.number("pace")) / 1000

    def pieces(self) -> list[str]:
        """The reply's text as it will be cut into deltas."""
        faults = self.faults
        if faults.keys() & {"empty", "refusal"}:
            return []
        if "text" in faults or "b64" in faults or "big" in faults:
            text = faults.get("text") or base64.urlsafe_b64decode(faults.get("b64", "")).decode()
            text = text or ("word " * self.number("big"))[: self.number("big")]
            size = self.number("chunk", 7)
            return [text[i : i + size] for i in range(0, len(text), size)]
        pieces = [f"w{i} " for i in range(self.number("words", 40))]
        if "unicode" in faults:
            pieces = list(UNICODE * 3)
        if "hugedelta" in faults:
            pieces.insert(1, "x" * self.number("hugedelta"))
        if "nul" in faults:
            pieces[self.number("nul")] += "\0"
        if "surrogate" in faults:
            pieces[self.number("surrogate")] += "\ud83d"
        if "split_surrogate" in faults:
            at = self.number("split_surrogate")
            pieces[at] += "\ud83d"
            pieces[at + 1] = "\ude00" + pieces[at + 1]
        return pieces

    def events(self) -> Iterator[Event]:
        """The whole reply in order, from message_start to message_stop, or what was given."""
        if self.given is not None:
            yield from self.given
            return
        if "no_start" not in self.faults:
            yield self.start()
        yield {"type": "ping"}
        if "unknown_event" in self.faults:
            yield {"type": "something_new", "note": "ignore me"}
        if "fallback" in self.faults:
            yield from self.fallback()
        if "thinking" in self.faults or (self.body.get("thinking") or {}).get("type") in (
            "adaptive",
            "enabled",
        ):
            yield from self.think()
        for query in range(self.number("web_search")):
            yield from self.search(query)
        pieces = self.pieces()
        if pieces:
            yield from self.block({"type": "text", "text": ""}, map(self.spoken, pieces))
        yield self.end(len(pieces))
        yield {"type": "message_stop"}

    def spoken(self, text: str) -> Event:
        self.output += tokens(text)
        return {"type": "text_delta", "text": text}

    def block(self, start: Event, deltas: Any = ()) -> Iterator[Event]:
        self.index += 1
        index = self.index + 3 if "index_gap" in self.faults else self.index
        yield {"type": "content_block_start", "index": index, "content_block": start}
        if "unknown_block" in self.faults:
            yield {"type": "content_block_start", "index": 90, "content_block": {"type": "novel"}}
            yield {"type": "content_block_stop", "index": 90}
        if "unknown_delta" in self.faults:
            delta = {"type": "novel_delta", "novelty": 1}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        for delta in deltas:
            if self.output > self.body["max_tokens"]:
                break
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}

    def think(self) -> Iterator[Event]:
        thoughts = ["Let me ", "think about ", "this."]
        deltas = [{"type": "thinking_delta", "thinking": text} for text in thoughts]
        self.thinking = 12
        self.output += 12
        signature = {"type": "signature_delta", "signature": "c2lnbmF0dXJl"}
        yield from self.block(
            {"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signature]
        )

    def search(self, query: int) -> Iterator[Event]:
        ident = f"srvtoolu_{query}"
        use = {"type": "server_tool_use", "id": ident, "name": "web_search", "input": {}}
        asked = [
            {"type": "input_json_delta", "partial_json": '{"query": '},
            {"type": "input_json_delta", "partial_json": f'"question {query}"}}'},
        ]
        yield from self.block(use, asked)
        url = self.faults.get("citations") or f"https://example.com/{query}"
        found = {
            "type": "web_search_result",
            "url": url,
            "title": f"Result {query}",
            "page_age": None,
            "encrypted_content": "eA==",
        }
        result = {"type": "web_search_tool_result", "tool_use_id": ident, "content": [found]}
        yield from self.block(result)
        cited = {
            "type": "web_search_result_location",
            "url": url,
            "title": f"Result {query}",
            "cited_text": "It is so.",
            "encrypted_index": "eA==",
        }
        text = self.spoken("As found. ")
        yield from self.block(
            {"type": "text", "text": "", "citations": []},
            [text, {"type": "citations_delta", "citation": cited}],
        )

    def fallback(self) -> Iterator[Event]:
        trigger = {"type": "refusal", "category": self.faults["fallback"] or "bio"}
        yield from self.block(
            {
                "type": "fallback",
                "from": {"model": self.body["model"]},
                "to": {"model": "claude-opus-4-8"},
                "trigger": trigger,
            }
        )

    def start(self) -> Event:
        prompt = prompt_tokens(self.body)
        cached = {"1h": (0, 2000, 0), "5m": (2000, 0, 0), "read": (0, 0, 5000)}
        short, long, read = cached.get(self.faults.get("cache", ""), (0, 0, 0))
        self.usage = {
            "input_tokens": prompt,
            "cache_creation_input_tokens": short + long,
            "cache_read_input_tokens": read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": short,
                "ephemeral_1h_input_tokens": long,
            },
            "output_tokens": 1,
            "service_tier": self.faults.get("tier", "standard"),
            "inference_geo": self.faults.get("geo", "not_available"),
            "speed": self.body.get("speed") or "standard",
        }
        message: dict[str, Any] = {
            "id": self.message_id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": self.usage,
        }
        if "no_usage" in self.faults:
            del message["usage"]
        return {"type": "message_start", "message": message}

    def end(self, pieces: int) -> Event:
        reason = next((STOP_REASONS[f] for f in self.faults if f in STOP_REASONS), "end_turn")
        if self.output > self.body["max_tokens"]:
            self.output, reason = self.body["max_tokens"], "max_tokens"
        self.output = max(self.output, 1)
        delta: dict[str, Any] = {"stop_reason": reason, "stop_sequence": None}
        if reason == "refusal":
            category = self.faults.get("refusal") or self.faults.get("refusal_mid") or None
            delta["stop_details"] = {"type": "refusal", "category": category, "explanation": None}
        odd = {"neg_usage": -5, "huge_usage": 10**12, "zero_usage": 0}
        output = next((odd[f] for f in self.faults if f in odd), self.output)
        usage: dict[str, Any] = {
            key: self.usage[key]
            for key in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
            if key in self.usage
        }
        usage["output_tokens"] = output
        if self.thinking:
            usage["output_tokens_details"] = {"thinking_tokens": self.thinking}
        if searches := self.number("web_search"):
            usage["input_tokens"] += 500 * searches
            usage["server_tool_use"] = {
                "web_search_requests": searches,
                "web_fetch_requests": 0,
            }
        if "fallback" in self.faults:
            usage["iterations"] = [
                self.iteration("message", self.body["model"], output=0),
                self.iteration("fallback_message", "claude-opus-4-8", output=output),
            ]
        self.usage = {**self.usage, **usage}
        return {"type": "message_delta", "delta": delta, "usage": usage}

    def iteration(self, kind: str, model: str, *, output: int) -> dict[str, Any]:
        return {
            "type": kind,
            "model": model,
            "input_tokens": self.usage["input_tokens"],
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output,
        }


AT_START = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "service_tier",
    "inference_geo",
    "speed",
)


def reporting(
    usage: dict[str, Any], *, model: str, response: dict[str, Any] | None = None
) -> list[Event]:
    """A stream that reports this usage as the vendor would: prompt and kind first, the rest last."""
    response = response or {}
    start = {name: value for name, value in usage.items() if name in AT_START}
    end = {name: value for name, value in usage.items() if name not in AT_START}
    message = {"id": "msg_given", "type": "message", "role": "assistant", "content": []}
    message |= {"model": model, "stop_reason": None, "usage": {**start, "output_tokens": 1}}
    blocks = response.get("content") or [{"type": "text", "text": ""}]
    delta = {"stop_reason": response.get("stop_reason") or "end_turn"}
    delta |= {"stop_details": response.get("stop_details"), "stop_sequence": None}
    return [
        {"type": "message_start", "message": message},
        *(
            {"type": "content_block_start", "index": i, "content_block": b}
            for i, b in enumerate(blocks)
        ),
        *({"type": "content_block_stop", "index": i} for i, _ in enumerate(blocks)),
        {"type": "message_delta", "delta": delta, "usage": end},
        {"type": "message_stop"},
    ]
