"""Amounts and counts as a page shows them: short for the eye, exact on hover and for machines."""

from collections.abc import Iterable
from functools import lru_cache

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chatapp.dashboard.charts import Column
from chatapp.dashboard.sums import Sums
from chatapp.dashboard.tables import Cell, Row
from chatapp.dashboard.ticks import compact as compact_count
from chatapp.pricing.money import PUSD, exact
from chatapp.pricing.words import placed, usd
from chatapp.web.numbers import number

register = template.Library()


@register.filter
def amount(pusd: int | None, decimals: int = 0) -> SafeString:
    """pico-USD as <data>, with every digit on hover; None is a dash that says why.

    With `decimals` the amounts below a dollar stand in line in a table; those too small for it
    keep their digits.
    """
    return _amount(pusd, decimals, get_language())


@lru_cache(maxsize=20_000)
def _amount(pusd: int | None, decimals: int, language: str | None) -> SafeString:
    if pusd is None:
        return format_html('<span class="muted" title="{}">—</span>', _("not known"))
    every, shown = exact(pusd), usd(pusd, decimals if fits(pusd, decimals) else "auto")
    # Digits and signs need no escaping, and a page has a thousand of these.
    title = placed(f"${every}")
    return mark_safe(f'<data class="money" value="{every}" title="{title}">{shown}</data>')  # noqa: S308


def fits(pusd: int, decimals: int) -> bool:
    """Below a dollar so many decimals show the amount as two digits at least, or it is nothing."""
    return bool(decimals) and (
        not pusd or 10 * PUSD <= abs(pusd) * 10**decimals < 10**decimals * PUSD
    )


@register.filter
def spent(sums: Sums, decimals: int = 0) -> SafeString:
    """The amount of some calls; those that have none are said, never counted as nothing."""
    return _spent(sums, decimals, get_language())


def _spent(sums: Sums, decimals: int, language: str | None) -> SafeString:
    shown, gap = _amount(sums.known_pusd, decimals, language), sums.unpriced_calls
    return shown + _gap(gap, language) if gap else shown


@lru_cache(maxsize=1000)
def _gap(calls: int, language: str | None) -> SafeString:
    said = _("%(count)s without a known amount") % {"count": number(calls)}
    return format_html('<sup class="gap" title="{}">+{}</sup>', said, calls)


@register.filter
def compact(count: int) -> SafeString:
    """A count in three digits, whole on hover."""
    return _compact(count, get_language())


@lru_cache(maxsize=20_000)
def _compact(count: int, language: str | None) -> SafeString:
    shown, every = compact_count(count), number(count)
    return mark_safe(f'<data class="figure" value="{count}" title="{every}">{shown}</data>')  # noqa: S308


@register.filter
def drawn(column: Column, height: int) -> SafeString:
    """What is seen and said of one column of a chart; its numbers need no escaping."""
    place, said = f'x="{column.x}" width="{column.width}"', escape(column.said)
    bars = "".join(
        f'<rect class="s{bar.slot}" {place} y="{bar.y}" height="{bar.height}"/>'
        for bar in column.bars
    )
    return mark_safe(  # noqa: S308
        f'<title>{said}</title><rect class="hit" x="{column.hit_x}" y="0" '
        f'width="{column.hit_width}" height="{height}"/>{bars}'
    )


@register.filter
def cells(values: Iterable[int], decimals: int | None) -> SafeString:
    """Table cells of amounts, or of counts when `decimals` is None; a template would take its time."""
    language = get_language()
    shown = (
        number(value) if decimals is None else _amount(value, decimals, language)
        for value in values
    )
    return mark_safe("".join(f'<td class="number">{one}</td>' for one in shown))  # noqa: S308


@register.filter
def figure(value: int, decimals: int | None) -> str:
    """pico-USD with so many decimals, or without any a count."""
    return number(value) if decimals is None else amount(value, decimals)


@register.filter
def sums_cells(row: Row, decimals: int) -> SafeString:
    """The figures of one row, the first and the last leading to its calls."""
    sums, language, href = row.sums, get_language(), escape(row.calls_href)
    before, after = (f'<a href="{href}">', "</a>") if href else ("", "")
    return mark_safe(  # noqa: S308
        f'<td class="number">{before}{number(sums.calls)}{after}</td>'
        f'<td class="number">{_compact(sums.tokens_in, language)}</td>'
        f'<td class="number">{_compact(sums.output_tokens, language)}</td>'
        f'<td class="number">{_amount(sums.average_pusd, 0, language)}</td>'
        '<td class="share"><svg width="72" height="6" aria-hidden="true">'
        '<rect class="track" width="100%" height="6" rx="3"/>'
        f'<rect class="part" width="{row.width}" height="6" rx="3"/></svg>'
        f'<span class="figure">{escape(row.share)}</span></td>'
        f'<td class="number">{before}{_spent(sums, decimals, language)}{after}</td>'
    )


@register.filter
def matrix_cells(row: Iterable[Cell], decimals: int) -> SafeString:
    """One person's cells, shaded by what was spent, each leading to its calls."""
    language = get_language()
    return mark_safe("".join(_matrix_cell(cell, decimals, language) for cell in row))  # noqa: S308


def _matrix_cell(cell: Cell, decimals: int, language: str | None) -> str:
    if not cell.href:
        return '<td class="number h0"><span class="nothing">·</span></td>'
    link = f'<a href="{escape(cell.href)}">{_spent(cell.sums, decimals, language)}</a>'
    return f'<td class="number h{cell.heat}">{link}</td>'


register.filter("whole", number)
