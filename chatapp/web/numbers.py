"""Numbers as people read them, in the language of the moment."""

from functools import lru_cache

from django.utils.formats import get_format
from django.utils.translation import get_language


def number(value: int) -> str:
    """Every digit: "1,234,567", in German "1.234.567"."""
    return localized(f"{value:,}")


def localized(figure: str) -> str:
    """An English figure, like "1,234.56", with the language's separators."""
    return figure.translate(_separators(get_language()))


@lru_cache
def _separators(language: str | None) -> dict[int, str]:
    """Kept by language: Django takes its time, and a page has a thousand figures."""
    separators = {",": get_format("THOUSAND_SEPARATOR"), ".": get_format("DECIMAL_SEPARATOR")}
    return str.maketrans(separators)


def mb(size: int) -> str:
    """Bytes in whole megabytes: "10"."""
    return number(round(size / 10**6))
