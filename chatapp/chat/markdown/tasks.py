"""Task lists: `- [ ]` and `- [x]` become boxes that show, and cannot be ticked."""

import re
from html import escape

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from chatapp.chat.markdown import words

MARK = re.compile(r"\[([ xX])\][ \t]")


def plugin(md: MarkdownIt) -> None:
    md.core.ruler.after("inline", "tasks", _tasks)


def html(*, done: bool) -> str:
    label = escape(words.spoken("done") if done else words.spoken("to do"))
    return f'<input type="checkbox" disabled aria-label="{label}"{" checked" if done else ""}> '


def _tasks(state: StateCore) -> None:
    before = zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False)
    for item, paragraph, inline in before:
        if (item.type, paragraph.type) == ("list_item_open", "paragraph_open"):
            _mark(item, inline.children or [])


def _mark(item: Token, children: list[Token]) -> None:
    if children and children[0].type == "text" and (mark := MARK.match(children[0].content)):
        children[0].content = children[0].content[mark.end() :]
        children.insert(0, Token("task", "input", 0, content=mark[1].lower()))
        item.attrSet("class", "task")
