r"""Math as MathML: \( \), \[ \], $$ $$, and $ $ where it cannot be money.

A block of math ends with its closing mark or before a blank line, whichever comes first, so that
one stray `$$` never swallows a reply.
"""

import re
from functools import lru_cache
from html import escape, unescape
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

LONGEST = 4_000  # characters of one formula
BLOCK_MARKS = {"$$": "$$", r"\[": r"\]"}
INLINE = [
    (re.compile(r"\\\((.{1,2000}?)\\\)", re.DOTALL), False),
    (re.compile(r"\\\[(.{1,2000}?)\\\]", re.DOTALL), True),
    (re.compile(r"\$\$([^$]{1,2000})\$\$", re.DOTALL), True),
    # As in pandoc: no space inside the marks, no digit after; and see _is_math.
    (re.compile(r"(?<![\w$\\])\$(?![\s$])([^$\n]{0,400}?[^\s$\\])\$(?![\w$])"), False),
]
MATHEMATICAL = re.compile(r"[\\^_={}<>+]")
# What the converter does not know, as what it does.
SYNONYMS = {"{aligned}": "{split}", "{align}": "{align*}", "{equation}": "{equation*}"}


def plugin(md: MarkdownIt) -> None:
    interrupts: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    md.block.ruler.before("fence", "math_block", _block, interrupts)
    md.inline.ruler.before("escape", "math", _inline)


@lru_cache(maxsize=256)
def html(latex: str, *, display: bool) -> str:
    """MathML, or the source as code when it is not understood."""
    try:
        if len(latex) > LONGEST:
            raise ValueError("too long")
        return _mathml(latex, "block" if display else "inline")
    except Exception:  # the converter raises whatever it stumbles over
        return f'<code class="math">{escape(latex)}</code>'


def _mathml(latex: str, display: str) -> str:
    for known, word in SYNONYMS.items():
        latex = latex.replace(known, word)
    root = convert_to_element(latex, display=display)
    # Its texts hold character references, and its own serializer lets "<" through unescaped.
    for element in root.iter():
        element.text = unescape(element.text or "")
    return ElementTree.tostring(root, encoding="unicode")


def _is_math(content: str) -> bool:
    """`$x$` and `$a + b$` are; `$5 or 6$` is money."""
    return bool(MATHEMATICAL.search(content)) or not re.search(r"\s|^\d[\d.,]*$", content)


def _inline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    for pattern, display in INLINE:
        found = pattern.match(state.src, state.pos, state.posMax)
        if found and (pattern is INLINE[0][0] or _is_math(found[1])):
            if not silent:
                token = state.push("math", "math", 0)
                token.content, token.block = found[1].strip(), display
            state.pos = found.end()
            return True
    return False


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    first = _line(state, start)
    mark = first[:2]
    if mark not in BLOCK_MARKS or state.is_code_block(start):
        return False
    close = BLOCK_MARKS[mark]
    rest = first[2:].rstrip()
    if close in rest:
        if not rest.endswith(close) or close in rest[:-2] or not _is_math(rest[:-2]):
            return False
        lines, last, closed = [rest[:-2]], start, True
    else:
        lines, last, closed = _until(state, start, end, close)
    if silent:
        return True
    state.line = last + 1
    token = state.push("math_block" if closed else "code_block", "math", 0)
    token.content = "\n".join(lines).strip() if closed else "\n".join([first, *lines[1:]])
    token.map, token.meta = [start, state.line], {"closed": closed}
    return True


def _until(state: StateBlock, start: int, end: int, close: str) -> tuple[list[str], int, bool]:
    """The lines up to the closing mark or before a blank one, the last line, and which it was."""
    lines = [_line(state, start)[2:]]
    for number in range(start + 1, end):
        if state.isEmpty(number) or state.sCount[number] < state.blkIndent:
            return lines, number - 1, False
        line = _line(state, number).rstrip()
        if line.endswith(close):
            return [*lines, line[: -len(close)]], number, True
        lines.append(line)
    return lines, end - 1, False


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]
