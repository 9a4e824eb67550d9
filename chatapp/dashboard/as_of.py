"""What the ledger said of some calls at an earlier moment, beside what it says now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from chatapp.dashboard.filters import Filter
from chatapp.ledger.models import ChargeLine, Purpose

BY = {
    "day": "charge__day",
    "model": "charge__model",
    "user": "charge__user__username",
    "team": "charge__team__name",
    "purpose": "charge__purpose",
}


@dataclass(frozen=True)
class Known:
    """Calls that had lines at the moment, their amount then and the amount now, in pico-USD."""

    name: str
    calls: int
    then_pusd: int
    now_pusd: int
    label: str = ""

    @property
    def difference_pusd(self) -> int:
        return self.now_pusd - self.then_pusd


def known(asked: Filter, moment: datetime, by: str) -> list[Known]:
    """The filter's calls by one of BY; days in order, all else the dearest first.

    Lines are only ever added, so those recorded up to the moment are the report of that moment.
    """
    lines = ChargeLine.objects.filter(charge__in=asked.charges().order_by().values("pk"))
    then = Q(recorded_at__lte=moment)
    sums: Any = lines.order_by().values(BY[by])
    sums = sums.annotate(
        calls=Count("charge", filter=then, distinct=True),
        then=Sum("amount_pusd", filter=then),
        now=Sum("amount_pusd"),
    )
    found = [
        Known(str(name or "none"), calls, int(before or 0), int(now), _label(by, name))
        for name, calls, before, now in sums.values_list(BY[by], "calls", "then", "now")
    ]
    if by == "day":
        return sorted(found, key=lambda one: one.name)
    return sorted(found, key=lambda one: (-max(one.then_pusd, one.now_pusd), one.name))


def _label(by: str, name: Any) -> str:
    """The name for people."""
    return str(Purpose(name).label) if by == "purpose" else str(name or _("none"))


def together(parts: Iterable[Known]) -> Known:
    found = list(parts)
    return Known(
        "",
        sum(one.calls for one in found),
        sum(one.then_pusd for one in found),
        sum(one.now_pusd for one in found),
    )
