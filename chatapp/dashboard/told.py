"""What a chart says, in the reader's language."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chatapp.dashboard.charts import Words
from chatapp.dashboard.ticks import count_tick, usd_tick
from chatapp.pricing.words import usd
from chatapp.web.numbers import number


def words(unit: str) -> Words:
    """Of a chart of dollars ("usd") or of "tokens"."""
    tokens = unit == "tokens"
    return Words(
        others=_("Others (%(count)d)"),
        so_far=_("%(when)s, so far"),
        nothing=_("Nothing was spent in these days."),
        summary=_("%(all)s in all; most on %(when)s: %(most)s."),
        say=_tokens if tokens else usd,
        step_label=count_tick if tokens else usd_tick,
    )


def _tokens(count: int) -> str:
    return ngettext("%(count)s token", "%(count)s tokens", count) % {"count": number(count)}
