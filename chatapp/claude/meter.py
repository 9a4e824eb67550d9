"""What one reply says and uses: raw stream events to clean pieces of text and to metered usage."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from chatapp.claude.sources import Sources, asked, cited, found
from chatapp.pricing.usage import CHARACTERS_PER_TOKEN, Accumulator

# START once the model has begun, then ("text", s) and ("thinking", s).
Piece = tuple[str, str]
START: Piece = ("start", "")
# What a delta writes stands under this key; only text and thinking are for people.
KINDS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}

REDACTED = "Part of the thinking is kept hidden by Anthropic."
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def guess_tokens(text: str) -> int:
    """Tokens of `text` when nobody can be asked (pricing/spec: characters / 3.5)."""
    return ceil(len(text) / CHARACTERS_PER_TOKEN)


class Meter(Accumulator):
    """Hears each event once: keeps its usage, hands out its words.

    Searches and what they find are told between the thoughts, and what a text cites is linked
    behind it. `before`: the content of the part of this reply that an earlier call wrote.
    """

    def __init__(self, before: list[Any] | None = None) -> None:
        super().__init__()
        # A block has begun and not ended.
        self.writing = False
        self._kind = "text"
        self._clean = Cleaner()
        self._sources = Sources(before)
        # Kinds that have words already, and those whose next words begin a paragraph.
        self._begun = {"text", "thinking"} if before else set[str]()
        self._apart = {"text"} if before else set[str]()
        self._query = ""
        self._searching = False
        # Of a text that may cite: its links come before the space at its end.
        self._citing = False
        self._marks: list[str] = []
        self._space = ""

    def hear(self, event: Mapping[str, Any]) -> Piece | None:
        """The piece an event carries, if any. ValueError: this cannot be a message's event."""
        try:
            kind = event.get("type")
            if kind == "content_block_delta":  # nearly all: by hand, a fifth of what feed() takes
                return self._written(event["delta"])
            if kind == "content_block_start":
                self.writing = True
                self.feed(event)
                return self._opened(event["content_block"])
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("an event of a strange shape") from error
        begins = kind == "message_start" and not self.started
        self.feed(event)
        if begins and self.started:
            return START
        if kind == "content_block_stop":
            self.writing = False
            return self._closed()
        return None

    @property
    def complete(self) -> bool:
        """The vendor said all, and no block is left open: a cut now loses nothing."""
        return self._stopped or (self.finished and not self.writing)

    def _written(self, delta: Mapping[str, Any]) -> Piece | None:
        if not self.started:
            raise ValueError("content before message_start")
        kind = KINDS.get(delta["type"])
        if kind is None:
            self._cite(delta)
            return None
        text = delta[kind]
        self.characters += len(text)
        if kind == "partial_json":
            self._query += text
            return None
        self._kind = kind
        text = self._clean(text)
        if self._citing:
            text = self._held_back(text)
        if text and (self._apart or kind not in self._begun):
            text = self._paragraph(kind, text)
        return (kind, text) if text else None

    def _opened(self, block: Mapping[str, Any]) -> Piece | None:
        kind = block.get("type")
        self._citing = cited(block)
        self._searching, self._query = kind == "server_tool_use", ""
        if kind == "thinking":
            self._apart.add("thinking")
        if kind in ("text", "thinking") and block.get(kind):
            return self._written({**block, "type": f"{kind}_delta"})
        if kind == "redacted_thinking":
            return self._aside(REDACTED)
        if kind == "web_search_tool_result":
            self._apart.add("text")
            return self._aside(found(block.get("content")), "\n")
        return None

    def _closed(self) -> Piece | None:
        if self._searching:
            self._searching = False
            return self._aside(asked(self._query))
        text = self._clean.rest() + "".join(self._marks) + self._space
        self._citing, self._marks, self._space = False, [], ""
        return (self._kind, text) if text else None

    def _cite(self, delta: Mapping[str, Any]) -> None:
        mark = self._sources.mark(delta.get("citation"))
        if mark and mark not in self._marks:
            self._marks.append(mark)

    def _held_back(self, text: str) -> str:
        text = self._space + text
        said = text.rstrip()
        self._space = text[len(said) :]
        return said

    def _paragraph(self, kind: str, text: str) -> str:
        apart = kind in self._apart and kind in self._begun
        self._apart.discard(kind)
        self._begun.add(kind)
        return f"\n\n{text}" if apart else text

    def _aside(self, words: str, apart: str = "\n\n") -> Piece | None:
        """A line between the thoughts."""
        if not words:
            return None
        begins, self._apart = "thinking" not in self._begun, self._apart | {"thinking"}
        self._begun.add("thinking")
        return "thinking", repaired(words if begins else apart + words)


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
