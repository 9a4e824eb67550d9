"""The calls behind a figure, newest first, page by page from a known call on."""

from dataclasses import dataclass
from datetime import UTC
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from chatapp.dashboard.filters import BadFilter, Filter
from chatapp.ledger.models import Charge

PAGE = 50


@dataclass(frozen=True)
class Page:
    calls: list[Charge]
    # The last call shown, when others follow.
    next: UUID | None


def page(asked: Filter, *, after: str = "", size: int = PAGE) -> Page:
    """The `size` calls that follow the call with the id `after`; costs the same on any page."""
    calls = _older_than(asked, after) if after else asked.charges()
    found = list(calls.select_related("user", "team")[: size + 1])
    return Page(found[:size], found[size - 1].uuid if len(found) > size else None)


@dataclass(frozen=True)
class Row:
    """A call as a page shows it: its time in TIME_ZONE, in UTC, and its receipt's address."""

    charge: Charge
    when: str
    utc: str
    href: str


def row(charge: Charge, asked: Filter) -> Row:
    local = charge.authorized_at.astimezone(timezone.get_default_timezone())
    return Row(
        charge,
        date_format(local, _("j M Y, H:i:s")),
        f"{charge.authorized_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        asked.link("call", uuid=charge.uuid),
    )


def _older_than(asked: Filter, uuid: str) -> QuerySet[Charge]:
    try:
        time, pk = asked.charges().values_list("authorized_at", "pk").get(uuid=UUID(uuid))
    except (ValueError, Charge.DoesNotExist):
        raise BadFilter([_("This page of calls is not there any more.")]) from None
    return asked.charges(until=time).filter(Q(authorized_at__lt=time) | Q(pk__lt=pk))
