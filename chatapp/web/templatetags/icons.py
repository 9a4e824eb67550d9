"""The icon tag: our drawings, inlined, so that they take the text's colour and need no request."""

import re
from functools import cache

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
# They point along the line, and turn where it runs from the right.
ALONG = {"arrow-left", "arrow-right", "chevron-left", "chevron-right", "sign-out"}
SYMBOL = re.compile(r'<symbol id="([\w-]+)"[^>]*>(.*?)</symbol>', re.DOTALL)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """The drawing `name` of static/img/icons.svg; `label` is read aloud, without one it is hidden."""
    drawing = mark_safe(_drawings()[name])  # noqa: S308  a file of this repository
    kind = "icon turns" if name in ALONG else "icon"
    if label:
        return format_html(
            '<svg class="{}" viewBox="0 0 24 24" role="img" aria-label="{}">{}</svg>',
            kind,
            label,
            drawing,
        )
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>', kind, drawing
    )


@cache
def _drawings() -> dict[str, str]:
    source = (settings.BASE_DIR / "static/img/icons.svg").read_text(encoding="utf-8")
    return dict(SYMBOL.findall(source))
