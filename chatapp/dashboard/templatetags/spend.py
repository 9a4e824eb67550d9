"""Amounts and counts as a page shows them: short for the eye, exact on hover and for machines."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from chatapp.dashboard.sums import Sums
from chatapp.dashboard.ticks import compact as compact_count
from chatapp.pricing.money import PUSD, exact, format_usd

register = template.Library()


@register.filter
def amount(pusd: int | None, decimals: int = 0) -> SafeString:
    """pico-USD as <data>, with every digit on hover; None is a dash that says why.

    With `decimals` the amounts of a table stand in line; those too small for it keep their digits.
    """
    if pusd is None:
        return format_html('<span class="muted" title="{}">—</span>', "not known")
    every, shown = exact(pusd), format_usd(pusd, decimals if fits(pusd, decimals) else "auto")
    # Digits and points need no escaping, and a page has a thousand of these.
    return mark_safe(f'<data class="money" value="{every}" title="${every}">{shown}</data>')  # noqa: S308


def fits(pusd: int, decimals: int) -> bool:
    """So many decimals show the amount at least as two digits, or it is nothing."""
    return bool(decimals) and (not pusd or abs(pusd) * 10**decimals >= 10 * PUSD)


@register.filter
def spent(sums: Sums, decimals: int = 0) -> SafeString:
    """The amount of some calls; those that have none are said, never counted as nothing."""
    shown = amount(sums.known_pusd, decimals)
    if not sums.unpriced_calls:
        return shown
    said = f"{sums.unpriced_calls:,} without a known amount"
    return format_html('{}<sup class="gap" title="{}">+{}</sup>', shown, said, sums.unpriced_calls)


@register.filter
def compact(count: int) -> SafeString:
    """A count in three digits, whole on hover."""
    shown = compact_count(count)
    return mark_safe(f'<data class="figure" value="{count}" title="{count:,}">{shown}</data>')  # noqa: S308


@register.filter
def whole(count: int) -> str:
    return f"{count:,}"


@register.filter
def status_of(by_status: dict[str, Sums], status: str) -> Sums:
    return by_status.get(status, Sums())
