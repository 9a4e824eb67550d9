"""Code blocks: highlighted with CSS classes, with a place for the button that copies them."""

from functools import cache
from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import LEXERS, get_lexer_by_name

from chatapp.chat.markdown import words

LONGEST_HIGHLIGHTED = 30_000  # characters; beyond it colour costs more time than it is worth
FORMATTER = HtmlFormatter(nowrap=True)
# Asking Pygments for an unknown name searches installed plugins, slowly, every time.
KNOWN = {alias for _, _, aliases, _, _ in LEXERS.values() for alias in aliases}


def block(source: str, language: str) -> str:
    """A figure with the language's name, a copy button and the code."""
    label = escape(language[:40])
    return (
        f'<figure class="code"><figcaption><span>{label}</span>'
        f'<button class="copy" type="button">{escape(words.spoken("Copy"))}</button></figcaption>'
        f'<pre tabindex="0"><code>{_coloured(source, language)}</code></pre></figure>\n'
    )


def _coloured(source: str, language: str) -> str:
    lexer = _lexer(language.lower()) if language.lower() in KNOWN else None
    if lexer is None or len(source) > LONGEST_HIGHLIGHTED:
        return escape(source)
    return highlight(source, lexer, FORMATTER)


@cache
def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(name, stripnl=False, ensurenl=False)
