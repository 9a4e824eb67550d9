"""What the API reports of a message: raw stream events gathered into one usage, and how sure it is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil
from typing import Any

MOST = 2**63 - 1  # tokens: what a BIGINT holds
CHARACTERS_PER_TOKEN = 3.5  # of partial text that could not be counted


class UsageError(ValueError):
    """What was given is not a usage: a negative, fractional or absurd count, or a wrong shape."""


class Certainty(StrEnum):
    EXACT = "exact"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Metered:
    """What one call used, as far as its stream told. All counts are tokens.

    `usage` is the merged raw usage and None when no message_start was seen; `response` holds
    stop_reason, stop_details and the fallback blocks of content. ESTIMATED: the output lies between
    `reported_output` and the request's max_tokens, and `estimated_output` is the best guess.
    """

    model: str
    usage: dict[str, Any] | None
    response: dict[str, Any]
    certainty: Certainty
    estimated_output: int | None = None
    reported_output: int = 0

    def with_output(self, tokens: int) -> dict[str, Any]:
        """The usage as if `tokens` had been written; with iterations the last one wrote the rest."""
        usage = {**(self.usage or {}), "output_tokens": tokens}
        match usage.get("iterations"):
            case [*earlier, {"output_tokens": int(written)} as last]:
                more = tokens - self.reported_output
                usage["iterations"] = [*earlier, {**last, "output_tokens": written + more}]
        return usage


class Accumulator:
    """Gathers the usage of one message from its raw events; any mapping may be fed, none raises.

    Per key the last non-null value wins, nested objects merge, `iterations` is replaced whole, and
    the model follows a fallback block. What the SDK's own accumulation drops is kept.
    """

    def __init__(self) -> None:
        self.model = ""
        self.message_id = ""
        self.usage: dict[str, Any] | None = None
        self.response: dict[str, Any] = {"stop_reason": None, "stop_details": None, "content": []}
        self.characters = 0
        self._stopped = False
        self._output_reported = False

    @property
    def started(self) -> bool:
        """A message_start was seen, so the call may be billed."""
        return self.usage is not None

    @property
    def finished(self) -> bool:
        """The vendor said all: message_stop or a stop_reason; a cut after that loses nothing."""
        return self._stopped or self.response["stop_reason"] is not None

    def feed(self, event: Mapping[str, Any]) -> None:
        match event:
            case {"type": "content_block_delta", "delta": {**delta}}:
                self._hear_delta(delta)
            # A message starts once: a second start would pass for a final report.
            case {"type": "message_start", "message": {**message}} if not self.started:
                self._start(message)
            case {"type": "content_block_start", "content_block": {"type": "fallback"} as block}:
                self._fall_back(block)
            # And it ends after that, or nothing is known of it.
            case {"type": "message_delta"} if self.started:
                self._hear_end(event)
            case {"type": "message_stop"} if self.started:
                self._stopped = True

    def metered(self, max_tokens: int | None, estimated_output: int | None = None) -> Metered:
        """What is known now. EXACT only when the message ended and its final output was reported.

        `estimated_output` is the count of the partial text, when it could be had; else it is
        guessed from the characters. It is clamped to what was reported and to `max_tokens`.
        """
        if self.usage is None:
            return Metered(self.model, None, self.response, Certainty.UNKNOWN)
        if self.finished and self._output_reported:
            return Metered(self.model, self.usage, self.response, Certainty.EXACT)
        reported = self.usage.get("output_tokens")
        metered = Metered(self.model, self.usage, self.response, Certainty.ESTIMATED)
        if not (type(reported) is int and 0 <= reported <= MOST):
            reported = 0
        if estimated_output is None:
            estimated_output = ceil(self.characters / CHARACTERS_PER_TOKEN)
        if max_tokens is not None:
            estimated_output = min(estimated_output, max_tokens)
        return replace(
            metered,
            estimated_output=max(estimated_output, reported),
            reported_output=reported,
        )

    def _hear_delta(self, delta: Mapping[Any, Any]) -> None:
        for key in ("text", "thinking", "partial_json"):
            if isinstance(written := delta.get(key), str):
                self.characters += len(written)

    def _start(self, message: Mapping[Any, Any]) -> None:
        if isinstance(model := message.get("model"), str):
            self.model = model
        if isinstance(identifier := message.get("id"), str):
            self.message_id = identifier
        self._merge(message.get("usage"))

    def _hear_end(self, event: Mapping[str, Any]) -> None:
        match event.get("delta"):
            case {**delta}:
                self._hear_stop(delta)
        match event.get("usage"):
            case {"output_tokens": written, **_rest} if written is not None:
                self._output_reported = True
        self._merge(event.get("usage"))

    def _hear_stop(self, told: Mapping[Any, Any]) -> None:
        for key in ("stop_reason", "stop_details"):
            if told.get(key) is not None:
                self.response[key] = told[key]

    def _fall_back(self, block: dict[str, Any]) -> None:
        self.response["content"].append(block)
        match block:
            case {"to": {"model": str(model)}}:
                self.model = model

    def _merge(self, reported: object) -> None:
        self.usage = (
            merged(self.usage or {}, reported)
            if isinstance(reported, Mapping)
            else (self.usage or {})
        )


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Cumulative usage: non-null values replace, nested objects merge."""
    result = dict(old)
    for key, value in new.items():
        if isinstance(value, Mapping):
            before = result.get(key)
            result[key] = merged(before if isinstance(before, Mapping) else {}, value)
        elif value is not None:
            result[key] = value
    return result
