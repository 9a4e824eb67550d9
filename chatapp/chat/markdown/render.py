"""What Markdown means here: CommonMark and tables, tasks, math; no HTML, no images, no references.

A text is the sequence of its top-level blocks, each rendered on its own. That is what lets a reply
be shown in final form block by block while it is written: nothing later changes what is finished.
So link reference definitions are off: `[1]: https://…` stays readable text with a working link.
"""

import re
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from chatapp.chat.markdown import code, gate, links, maths, tasks, words

NEWLINE = re.compile(r"\r\n?|\n")
LISTS = {"bullet_list_open", "ordered_list_open"}


class Renderer(RendererHTML):
    """HTML for people: headings below the page's own, code that can be copied, tables that scroll."""

    def fence(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        info = tokens[idx].info.split(maxsplit=1)
        return code.block(tokens[idx].content, info[0] if info else "")

    def code_block(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return code.block(tokens[idx].content, "")

    def table_open(self, *_: Any) -> str:
        label = escape(words.spoken("Table"))
        return (
            f'<div class="table-scroll" role="region" aria-label="{label}" tabindex="0"><table>\n'
        )

    def table_close(self, *_: Any) -> str:
        return "</table></div>\n"

    def math(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return maths.html(tokens[idx].content, display=tokens[idx].block)

    def math_block(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f'<div class="math">{maths.html(tokens[idx].content, display=True)}</div>\n'

    def task(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return tasks.html(done=tokens[idx].content == "x")

    def heading_open(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f"<{_below_the_page(tokens[idx].tag)}>"

    def heading_close(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f"</{_below_the_page(tokens[idx].tag)}>\n"

    def _cell_open(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        token = tokens[idx]
        align = str(token.attrGet("style") or "").removeprefix("text-align:")
        return f'<{token.tag} class="align-{align}">' if align else f"<{token.tag}>"

    td_open = th_open = _cell_open


def _below_the_page(tag: str) -> str:
    """The page has its title as h1 and each message as h2."""
    return f"h{min(int(tag[1]) + 2, 6)}"


def _parser() -> MarkdownIt:
    options = {"html": False, "breaks": True, "maxNesting": 40}
    parser = MarkdownIt("commonmark", options, renderer_cls=Renderer)
    parser.enable(["table", "strikethrough"]).disable(["reference", "html_block", "html_inline"])
    for plugin in (maths.plugin, links.plugin, tasks.plugin):
        parser.use(plugin)
    return parser


MARKDOWN = _parser()


def render(text: str) -> str:
    """The safe HTML of a whole text."""
    return "".join(map(render_block, blocks(text)))


def render_block(source: str) -> str:
    return gate.clean(MARKDOWN.render(source))


def blocks(text: str) -> list[str]:
    """The text cut where its top-level blocks end; together they are the text."""
    return cut(text, ends(block_tokens(text))[:-1])


def ends(tokens: Sequence[Token]) -> list[int]:
    """The number of the line after each block, whatever follows the last one.

    Blank lines between blocks belong to the later one; only a list keeps those after it, since an
    unclosed fence in it may own them.
    """
    spans = [token.map for token in tokens if token.map]
    starts = [start for start, _ in spans[1:]] + [span[1] for span in spans[-1:]]
    return [
        start if token.type in LISTS else span[1]
        for token, span, start in zip(tokens, spans, starts, strict=True)
    ]


def cut(text: str, lines: Sequence[int]) -> list[str]:
    """The text cut before each of these line numbers."""
    line_ends = [0, *(match.end() for match in NEWLINE.finditer(text)), len(text)]
    offsets = [0, *(line_ends[line] for line in lines), len(text)]
    return [text[a:b] for a, b in pairwise(offsets)]


def block_tokens(text: str) -> list[Token]:
    """The tokens that open top-level blocks, without looking inside lines."""
    tokens: list[Token] = []
    source = NEWLINE.sub("\n", text).replace("\0", "\ufffd")
    MARKDOWN.block.parse(source, MARKDOWN, {}, tokens)
    return [token for token in tokens if token.level == 0 and token.nesting >= 0]
