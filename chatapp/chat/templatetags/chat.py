"""How the chat page words numbers, and the examples of its empty state."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chatapp.chat.listing import group
from chatapp.chat.models.share import OFF
from chatapp.chat.wishes import CHOICES, offers, usual_of
from chatapp.pricing.book import Tier, Version
from chatapp.pricing.models import Model, Speed, price_book
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


@register.filter
def prices(model: Model) -> dict[str, Version]:
    """A model's prices in force now, by speed; without those at which it is not sold."""
    book, now = price_book(), timezone.now()
    versions = {speed: book.version(model.id, speed, now) for speed in Speed.values}
    return {speed: version for speed, version in versions.items() if version and version.tiers}


@register.filter
def rates(prices: dict[str, Version]) -> str:
    """ "standard=0:1000000:100000:5000000": over how many tokens of prompt a token of input, one read
    from the cache and one of output cost how many pico-USD, for rates.js.
    """
    return " ".join(f"{speed}={','.join(map(_tier, prices[speed].tiers))}" for speed in prices)


def _tier(tier: Tier) -> str:
    return f"{tier.over}:{tier.input}:{tier.cache_read}:{tier.output}"


@register.simple_tag
def example_usd(example: Example, prices: dict[str, Version], speed: str) -> str:
    """What an example costs at a speed, or at the usual one; "" when unpriced."""
    version = prices.get(speed) or prices.get(Speed.STANDARD)
    if not version:
        return ""
    price = version.tiers[0]
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
