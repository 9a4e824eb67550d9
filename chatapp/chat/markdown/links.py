"""Links that say where they lead, bare addresses made links, and images made links.

An image would tell its host that it was looked at, and when: it is never loaded.
"""

import re
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

SCHEMES = {"http", "https", "mailto"}
BARE_SCHEME = re.compile(r"(?:^|[^a-z0-9.+-])(https?)$", re.IGNORECASE)
BARE_ADDRESS = re.compile(r"://[^\s<>\"`\\*\u3000-\u303f\uff00-\uffef]+")


def plugin(md: MarkdownIt) -> None:
    md.validateLink = allowed  # type: ignore[method-assign]
    md.inline.ruler.after("text", "bare_address", _bare_address)
    md.core.ruler.after("inline", "links", _links)


def allowed(url: str) -> bool:
    return bool(target(url))


def target(url: str) -> str:
    """The host or mail address a link leads to; "" for anything that is not a link to follow."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme not in SCHEMES:
        return ""
    return parts.path if parts.scheme == "mailto" else host


def _bare_address(state: StateInline, silent: bool) -> bool:
    rest = BARE_ADDRESS.match(state.src, state.pos, state.posMax)
    scheme = BARE_SCHEME.search(state.pending[-6:])
    if state.linkLevel or not scheme or not rest:
        return False
    text = scheme[1] + _without_trailing_punctuation(rest[0])
    href = state.md.normalizeLink(text)
    if not allowed(href):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[1])]
        state.push("link_open", "a", 1).attrSet("href", href)
        state.push("text", "", 0).content = text
        state.push("link_close", "a", -1)
    state.pos += len(text) - len(scheme[1])
    return True


def _without_trailing_punctuation(url: str) -> str:
    """As in GitHub's Markdown: a closing bracket belongs to the address when it was opened there."""
    while url and (
        url[-1] in "?!.,:;'_~|"
        or (url[-1] == ")" and url.count(")") > url.count("("))
        or (url[-1] == "]" and url.count("]") > url.count("["))
    ):
        url = url[:-1]
    return url


def _links(state: StateCore) -> None:
    for token in state.tokens:
        if token.children:
            token.children = _rewritten(token.children)


def _rewritten(tokens: list[Token]) -> list[Token]:
    result: list[Token] = []
    inside = False
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        match token.type:
            case "link_open" | "link_close":
                inside = token.type == "link_open"
                text = following.content if following else ""
                result.append(_link(str(token.attrGet("href")), text) if inside else token)
            case "image":
                result.extend(_image(token, inside=inside))
            case _:
                result.append(token)
    return result


def _link(href: str, text: str = "") -> Token:
    """An address that stands there as it is says itself where it leads."""
    title = {} if text == href else {"title": target(href)}
    return Token("link_open", "a", 1, attrs={"href": href, **title, "target": "_blank"})


def _image(token: Token, *, inside: bool) -> list[Token]:
    text = Token("text", "", 0, content=token.content or "image")
    if inside:
        return [text]
    return [_link(str(token.attrGet("src"))), text, Token("link_close", "a", -1)]
