"""Money for people, in the language of the moment; static/js/money.js says the same in browsers."""

from functools import lru_cache

from django.utils.translation import get_language, gettext, pgettext

from chatapp.pricing import money
from chatapp.pricing.money import PUSD
from chatapp.web.numbers import localized, number


def usd(pusd: int | None, digits: int | str = "auto") -> str:
    """Pico-USD as money.format_usd says it, "$1,234.56", in German "1.234,56 $"."""
    return gettext("unpriced") if pusd is None else _usd(pusd, digits, get_language())


@lru_cache(maxsize=20_000)
def _usd(pusd: int, digits: int | str, language: str | None) -> str:
    return placed(money.format_usd(pusd, digits))


def per_mtok(pusd_per_token: int) -> str:
    """Pico-USD per token as dollars per million tokens: "$5", "$0.10"."""
    return placed(money.format_per_mtok(pusd_per_token))


def calls_like_this(pusd: int | None) -> str:
    """A call's price in a sentence, and how many such calls a dollar buys."""
    if pusd is None:
        return gettext("What a call like this costs is not known.")
    if pusd <= 0:
        return gettext("A call like this costs nothing.")
    if (calls := PUSD // pusd) < 2:
        return gettext("A call like this costs %(price)s.") % {"price": usd(pusd)}
    words = gettext("A call like this costs %(price)s; %(calls)s of them cost a dollar.")
    return words % {"price": usd(pusd), "calls": number(calls)}


def placed(price: str) -> str:
    """An English price with the language's separators, and the sign where it has it."""
    minus, _, amount = price.partition("$")
    return minus + signed(localized(amount))


def signed(amount: str) -> str:
    """An amount in the language's own figures, with the sign where it has it."""
    return _pattern(get_language()) % {"amount": amount}


@lru_cache
def _pattern(language: str | None) -> str:
    return pgettext("money", "$%(amount)s")
