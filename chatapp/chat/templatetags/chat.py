"""How the chat page words numbers, and the examples of its empty state."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chatapp.chat.listing import group
from chatapp.chat.models.share import OFF
from chatapp.chat.wishes import CHOICES, offers, usual_of
from chatapp.pricing.words import usd
from chatapp.web.numbers import localized

register = template.Library()
register.filter("group", group)


@dataclass(frozen=True)
class Example:
    """A first message to try, and about how many tokens it takes."""

    title: Any
    text: Any
    tokens_in: int
    tokens_out: int


EXAMPLES = (
    Example(
        _("Explain an idea"),
        _("Explain how compound interest works, with one worked example and the formula."),
        25,
        450,
    ),
    Example(
        _("Write some code"),
        _("Write a Python function that merges overlapping date ranges, with tests."),
        25,
        900,
    ),
    Example(
        _("Compare options"),
        _("Compare SQLite and PostgreSQL for a small team's web app, in a table."),
        25,
        600,
    ),
    Example(
        _("Polish a text"),
        _(
            "Make this friendlier and half as long: We regret to inform you that your request "
            "could not be processed within the designated period."
        ),
        45,
        80,
    ),
)


@register.simple_tag
def sharing() -> bool:
    """Whether chats may be shared here."""
    return bool(settings.SHARE_LINKS != OFF)


@register.simple_tag
def examples() -> tuple[Example, ...]:
    return EXAMPLES


@register.simple_tag
def example_usd(example: Example, price: Any) -> str:
    """What an example costs at a price tier's rates; "" when unpriced."""
    if not price:
        return ""
    return about_usd(example.tokens_in * price.input + example.tokens_out * price.output)


@register.filter
def about_usd(pusd: int | None) -> str:
    """An estimate in pico-USD, rounded to two digits."""
    return "" if pusd is None else usd(round(pusd, 2 - len(str(pusd))))


@register.simple_tag
def wish_choices(name: str) -> Any:
    """The values of one of wishes.py's settings, with their words."""
    return CHOICES[name].items()


register.filter("offers", offers)
register.filter("usual", usual_of)


@register.filter
def compact(tokens: int) -> str:
    """200000 as "200k", 1000000 as "1M"."""
    for size, unit in (1_000_000, "M"), (1_000, "k"):
        if tokens >= size:
            return f"{localized(f'{tokens / size:.3g}')}{unit}"
    return str(tokens)


@dataclass(frozen=True)
class Place:
    """Where a message stands among its siblings; `before` and `after` are ids or None."""

    number: int
    before: Any
    after: Any


@register.simple_tag
def branches(message: Any) -> Place:
    ids = [None, *message.siblings, None]
    number = ids.index(message.id)
    return Place(number, ids[number - 1], ids[number + 1])
