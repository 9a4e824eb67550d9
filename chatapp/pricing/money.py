"""Integer pico-USD at the edges: to and from exact dollars, and written out in English."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction

from chatapp.pricing.marking import noop

PUSD = 10**12  # pico-USD in a dollar
PER_MTOK = 10**6  # pico-USD per token of $1 per million tokens


def pusd(dollars: Decimal | str) -> int:
    """Exact dollars as pico-USD. Raises ValueError for what is no number or finer than 1e-12."""
    return whole(dollars, PUSD)


def rate(dollars_per_mtok: Decimal | str) -> int:
    """Dollars per million tokens as pico-USD per token. Raises ValueError as `pusd` does."""
    return whole(dollars_per_mtok, PER_MTOK)


def whole(amount: Decimal | str, unit: int) -> int:
    """`amount` x `unit`, exactly. Raises ValueError unless it is a finite number and comes out whole."""
    try:
        value = Decimal(amount)
    except InvalidOperation:
        raise ValueError(noop("Not a number.")) from None
    if not value.is_finite():
        raise ValueError(noop("Not a finite number."))
    # Before any arithmetic: 1e999999999 is quick to write and never finished.
    if value and not -30 <= value.adjusted() <= 30:
        raise ValueError(noop("Far too large or too small."))
    scaled = Fraction(value) * unit
    if scaled.denominator != 1:
        raise ValueError(noop("Too fine: this has more digits than can be kept."))
    return scaled.numerator


def exact(pusd: int) -> str:
    """Pico-USD as a plain decimal of dollars without a trailing zero: "0.000406", "8", "-0.5"."""
    whole, rest = divmod(abs(pusd), PUSD)
    fraction = f".{rest:012}".rstrip("0").rstrip(".")
    return f"{'-' if pusd < 0 else ''}{whole}{fraction}"


def dollars(pusd: int) -> Decimal:
    """Pico-USD as exact dollars."""
    return Decimal(exact(pusd))


def format_usd(pusd: int | None, digits: int | str = "auto") -> str:
    """Pico-USD in English (words.py has others): "$12.34", "$0.000406"; None is "unpriced".

    "auto": cents from a dollar up, below it three significant digits; "exact": every digit; a
    number: so many decimals, or "auto" when they would show a price as nothing.
    """
    if pusd is None:
        return "unpriced"
    sign = "-$" if pusd < 0 else "$"
    amount = dollars(abs(pusd))
    if isinstance(digits, int) and (_rounded(amount, digits) or not pusd):
        return f"{sign}{_rounded(amount, digits):,f}"
    if digits != "exact":
        amount = _rounded(amount, 2 if amount >= 1 or not amount else 2 - amount.adjusted())
    whole, _, fraction = f"{amount:,f}".partition(".")
    return f"{sign}{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def format_per_mtok(pusd_per_token: int) -> str:
    """Pico-USD per token as dollars per million tokens: "$5", "$0.10", "$0.125"."""
    price = format_usd(pusd_per_token * 10**6, "exact")
    return price.removesuffix(".00")


def _rounded(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
