"""Notices shown on top of every page, from whichever room has something to say."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject


@dataclass(frozen=True)
class Notice:
    """One line for this reader; `url` leads to where something can be done about it."""

    level: Literal["info", "warning", "error", "demo"]
    text: str
    url: str = ""


Source = Callable[[HttpRequest], Iterable[Notice]]
_sources: list[Source] = []


def register(source: Source) -> Source:
    """Ask `source` on every page; call it from AppConfig.ready. Usable as a decorator."""
    _sources.append(source)
    return source


def context(request: HttpRequest) -> dict[str, object]:
    """Context processor: `notices`, gathered only when a template shows them."""
    return {
        "notices": SimpleLazyObject(
            lambda: [notice for source in _sources for notice in source(request)]
        )
    }
