"""Numbers as people read them, in the language of the moment."""

from django.utils.formats import get_format


def number(value: int) -> str:
    """Every digit: "1,234,567", in German "1.234.567"."""
    return localized(f"{value:,}")


def localized(figure: str) -> str:
    """An English figure, like "1,234.56", with the language's separators."""
    separators = {",": get_format("THOUSAND_SEPARATOR"), ".": get_format("DECIMAL_SEPARATOR")}
    return figure.translate(str.maketrans(separators))


def mb(size: int) -> str:
    """Bytes in whole megabytes: "10"."""
    return number(round(size / 10**6))
