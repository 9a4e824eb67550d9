"""What one reply says and uses: raw stream events to clean pieces of text and to metered usage."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from chatapp.pricing.usage import CHARACTERS_PER_TOKEN, Accumulator

# START once the model has begun, then ("text", s) and ("thinking", s).
Piece = tuple[str, str]
START: Piece = ("start", "")

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
        self.feed(event)
        match event:
            case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str(s)}}:
                return self._piece("text", s)
            case {
                "type": "content_block_delta",
                "delta": {"type": "thinking_delta", "thinking": str(s)},
            }:
                return self._piece("thinking", s)
            case {"type": "message_start"} if self.started:
                return START
            case {"type": "content_block_stop"} if self._clean.held:
                return self._kind, self._clean.rest()
        return None

    def _piece(self, kind: str, text: str) -> Piece | None:
        if not self.started:
            raise ValueError("text before message_start")
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
