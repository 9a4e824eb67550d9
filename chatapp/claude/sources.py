"""What a reply found in the web: words for its searches, and numbered links for what it cites."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from chatapp.pricing.marking import noop

SHOWN = 10  # results of one search
LONGEST = 160  # characters of a title
# Stored in English, a line each; captions.worded says them in a reader's language.
SEARCHED, SEARCHED_FOR = noop("Searched the web"), noop("Searched the web for “%(words)s”")
FAILED = noop("The search failed.")
TROUBLE = {
    "max_uses_exceeded": noop("No search is left for this reply."),
    "too_many_requests": noop("The search had too much to do."),
    "unavailable": noop("The search was not available."),
}


class Sources:
    """Addresses are numbered in the order in which a reply cites them, over all its calls."""

    def __init__(self, before: list[Any] | None = None) -> None:
        """`before`: the content blocks of the part of this reply that was written already."""
        self._numbers: dict[str, int] = {}
        for block in before or []:
            for citation in block.get("citations") or []:
                self.mark(citation)

    def mark(self, citation: Any) -> str:
        """Markdown of the link to a cited page, "" for what can be none."""
        match citation:
            case {"type": "web_search_result_location", "url": str(url)} if host(url):
                number = self._numbers.setdefault(url, len(self._numbers) + 1)
                return f"[\\[{number}\\]](<{quote(url, safe=SAFE)}>)"
        return ""


# Everything an address may have, but nothing that ends or bends a Markdown link in brackets.
SAFE = "!#$%&'()*+,/:;=?@[]~"


def asked(query: str) -> str:
    """The line for a search, from the JSON that the model wrote for it."""
    try:
        words = json.loads(query)["query"]
    except (ValueError, KeyError, TypeError, RecursionError):
        words = ""
    return SEARCHED_FOR % {"words": _line(words)} if words else SEARCHED


def found(content: Any) -> str:
    """A line for each result, or what went wrong."""
    match content:
        case {"error_code": str(code)}:
            return TROUBLE.get(code, FAILED)
        case list():
            return "\n".join(line for result in content[:SHOWN] if (line := _result(result)))
    return ""


def host(url: str) -> str:
    """Of a web address; "" for anything else."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "") if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _result(result: Any) -> str:
    match result:
        case {"title": str(title), "url": str(url)} if host(url):
            return f"- {_line(title)} ({host(url)})"
    return ""


def _line(words: Any) -> str:
    return " ".join(str(words).split())[:LONGEST]


def cited(block: Mapping[str, Any]) -> bool:
    """Whether a block of content is text that may cite something."""
    return block.get("type") == "text" and "citations" in block
