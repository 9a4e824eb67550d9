"""Words for the numbers beside an axis and in tight cells."""

from decimal import Decimal

from django.utils.translation import pgettext

from chatapp.pricing.words import placed, signed
from chatapp.web.numbers import localized, number

PUSD = Decimal(10**12)
COMPACT = ((10**9, "B"), (10**6, "M"), (10**3, "k"))


def usd_tick(pusd: int, step_pusd: int) -> str:
    """Dollars with as many decimals as the step needs: ticks never read alike, nor $0.00.

    Large ones are short, "$1.5M": a phone has little room beside its chart.
    """
    if not pusd:
        return placed("$0")
    if step_pusd >= 100_000 * PUSD:
        return signed(count_tick(int(pusd // PUSD), int(step_pusd // PUSD)))
    step = (Decimal(step_pusd) / PUSD).normalize()
    decimals = max(0, -int(step.as_tuple().exponent))
    return placed(f"${Decimal(pusd) / PUSD:,.{max(2, decimals) if decimals else 0}f}")


def count_tick(count: int, step: int = 0) -> str:
    """1,500 as 1.5k, to the digits that the step needs."""
    for size, letter in COMPACT:
        if count >= size and (not step or step * 20 >= size):
            return _short(f"{Decimal(count) / size:.3f}".rstrip("0").rstrip("."), letter)
    return number(count)


def compact(count: int) -> str:
    """Three digits and a letter: 1,234,567 as 1.23M."""
    for size, letter in COMPACT:
        if count >= size:
            value = Decimal(count) / size
            digits = 2 if value < Decimal("9.995") else 1 if value < Decimal("99.95") else 0
            return _short(f"{value:.{digits}f}", letter)
    return number(count)


def _short(figure: str, letter: str) -> str:
    """ "1.23M", in German "1,23 Mio."."""
    patterns = {
        "B": pgettext("number", "%(figure)sB"),
        "M": pgettext("number", "%(figure)sM"),
        "k": pgettext("number", "%(figure)sk"),
    }
    return patterns[letter] % {"figure": localized(figure)}
