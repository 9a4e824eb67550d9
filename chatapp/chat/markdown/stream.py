"""A reply that is still being written: its finished blocks as final HTML, once each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from chatapp.chat.markdown.render import block_tokens, cut, ends, render_block
from chatapp.chat.text import units

ENDED_BY_BLANK_LINE = {"paragraph_open", "table_open", "blockquote_open"}
ENDED_BY_ITSELF = {"heading_open", "hr"}
# While these are open, only such a line is worth parsing for. Freezing late is always right.
LIST_END = re.compile(r"^(?![-*+][ \t\r\n]|\d{1,9}[.)])\S", re.MULTILINE)
TABLE_END = re.compile(r"^[^|]", re.MULTILINE)
ENDS = {
    "bullet_list_open": LIST_END,
    "ordered_list_open": LIST_END,
    "table_open": TABLE_END,
}


@dataclass(frozen=True)
class Block:
    """A finished top-level block; `start` and `upto` count UTF-16 code units of the reply's text."""

    start: int
    upto: int
    html: str


class BlockStream:
    """Cuts finished blocks off a growing text.

    For any way of cutting the text into pieces, the blocks' HTML followed by `render(tail)` is
    `render(text)`. A block is finished when no later line can change it; only whole lines count.
    Where blocks end depends on the text alone, so that another process may go on with it.
    """

    def __init__(self) -> None:
        self.upto = 0  # UTF-16 code units in finished blocks
        self.tail = ""
        self._end: re.Pattern[str] | None = None  # of the block that is open
        self._look_again_at = 0  # characters in the tail

    def feed(self, text: str) -> list[Block]:
        """Take the next piece of text; return the blocks it finished, in order."""
        unseen = self.tail.rfind("\n") + 1
        self.tail += text
        whole = self.tail.rfind("\n") + 1
        if whole <= unseen or not self._worth_a_look(unseen, whole):
            return []
        return self._freeze(self.tail[:whole])

    def _worth_a_look(self, unseen: int, whole: int) -> bool:
        """Whether parsing the tail may finish a block: keeps the work linear in the text."""
        if self._end and not self._end.search(self.tail, unseen, whole):
            return False
        return whole >= self._look_again_at

    def _freeze(self, lines: str) -> list[Block]:
        tokens = block_tokens(lines)
        *sources, rest = cut(lines, ends(tokens))
        if sources and not _finished(tokens[-1], sources[-1], rest):
            sources.pop()
        blocks = [self._block(source) for source in sources]
        self._remember(tokens, finished=len(blocks), size=len(lines))
        return blocks

    def _block(self, source: str) -> Block:
        start = self.upto
        self.upto += units(source)
        self.tail = self.tail[len(source) :]
        return Block(start, self.upto, render_block(source))

    def _remember(self, tokens: Sequence[Token], *, finished: int, size: int) -> None:
        last = tokens[-1] if len(tokens) > finished else None
        self._end = _end(last) if last else None
        self._look_again_at = 0 if finished or not last or last.type == "fence" else size * 17 // 16


def _finished(token: Token, source: str, rest: str) -> bool:
    """Whether the last block of some whole lines can no longer grow or change."""
    if token.type in ENDED_BY_BLANK_LINE:
        return bool(rest)
    if token.type == "fence":
        body = source.lstrip().split("\n", 1)[1]
        return bool(_closing(token).search(body))
    return token.type in ENDED_BY_ITSELF or (token.type == "math_block" and token.meta["closed"])


def _end(token: Token) -> re.Pattern[str] | None:
    return _closing(token) if token.type == "fence" else ENDS.get(token.type)


def _closing(fence: Token) -> re.Pattern[str]:
    mark = re.escape(fence.markup[0])
    return re.compile(rf"^ {{0,3}}{mark}{{{len(fence.markup)},}}[ \t]*\r?$", re.MULTILINE)
