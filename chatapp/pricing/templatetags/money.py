"""Money in templates: `{{ charge.amount_pusd|usd }}`, `{{ tier.input|per_mtok }}`."""

from django import template

from chatapp.pricing import words

register = template.Library()


@register.filter
def usd(pusd: int | None, digits: int | str = "auto") -> str:
    """Pico-USD as "$0.000406"; `|usd:"exact"` shows every digit; None is "unpriced"."""
    return words.usd(pusd, digits)


@register.filter
def per_mtok(pusd_per_token: int) -> str:
    """Pico-USD per token as dollars per million tokens: "$5"."""
    return words.per_mtok(pusd_per_token)
