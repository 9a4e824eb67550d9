"""What one reply says and uses: raw stream events to clean pieces of text and to metered usage."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from chatapp.pricing.usage import CHARACTERS_PER_TOKEN, Accumulator

# START once the model has begun, then ("text", s) and ("thinking", s).
Piece = tuple[str, str]
START: Piece = ("start", "")
# What a delta writes stands under this key; only text and thinking are for people.
KINDS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def guess_tokens(text: str) -> int:
    """Tokens of `text` when nobody can be asked (pricing/spec: characters / 3.5)."""
    return ceil(len(text) / CHARACTERS_PER_TOKEN)


class Meter(Accumulator):
    """Hears each event once: keeps its usage, hands out its text."""

    def __init__(self) -> None:
        super().__init__()
        self._kind = "text"
        self._clean = Cleaner()

    def hear(self, event: Mapping[str, Any]) -> Piece | None:
        """The piece an event carries, if any. ValueError: this cannot be a message's event."""
        try:
            kind = event.get("type")
            if kind == "content_block_delta":  # nearly all: by hand, a fifth of what feed() takes
                return self._written(event["delta"])
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("an event of a strange shape") from error
        self.feed(event)
        if kind == "message_start" and self.started:
            return START
        if kind == "content_block_stop" and self._clean.held:
            return self._kind, self._clean.rest()
        return None

    def _written(self, delta: Mapping[str, Any]) -> Piece | None:
        if not self.started:
            raise ValueError("content before message_start")
        kind = KINDS.get(delta["type"])
        if kind is None:
            return None
        text = delta[kind]
        self.characters += len(text)
        if kind == "partial_json":
            return None
        self._kind = kind
        text = self._clean(text)
        return (kind, text) if text else None


class Cleaner:
    """Text as databases and sockets can hold it: NUL and lone surrogates become U+FFFD.

    A surrogate pair may be split over two pieces: its first half is held until the second comes.
    """

    def __init__(self) -> None:
        self.held = ""

    def __call__(self, text: str) -> str:
        if text.isascii() and not self.held:
            return text.replace("\0", REPLACEMENT)
        text = self.held + text
        self.held = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return repaired(text.removesuffix(self.held))

    def rest(self) -> str:
        """What stands for a first half that stayed alone."""
        rest, self.held = REPLACEMENT if self.held else "", ""
        return rest


def repaired(text: str) -> str:
    """`text` with its surrogate pairs joined, lone ones and NUL replaced."""
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\0", REPLACEMENT)
