"""The list of conversations: the pinned ones, then the rest by age, newest first, page by page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from chatapp.chat.models import Conversation

PAGE = 60
PINNED = _("Pinned")

Group = tuple[str, list[Conversation]]
Place = tuple[datetime, UUID]


@dataclass(frozen=True)
class Listing:
    """One page; `after` is where the next one begins, "" at the end."""

    groups: list[Group]
    after: str


def listing(conversations: QuerySet[Conversation], after: str = "") -> Listing:
    """The page that begins after this place; all that is pinned stands on the first.

    Found by keyset: the last page takes no longer than the first.
    """
    place = _place(after)
    pinned = [] if place else list(conversations.filter(pinned=True))
    rest = conversations.filter(pinned=False)
    if place:
        at, id = place
        rest = rest.filter(Q(active_at__lt=at) | Q(id__lt=id), active_at__lte=at)
    found = list(rest[: PAGE + 1])
    page = found[:PAGE]
    groups = [(label, list(members)) for label, members in groupby([*pinned, *page], group)]
    return Listing(groups, _name(page[-1]) if len(found) > PAGE else "")


def group(conversation: Conversation) -> str:
    """The heading it stands under, in English: pages translate it."""
    if conversation.pinned:
        return PINNED
    age = timezone.localdate() - timezone.localdate(conversation.active_at)
    if age <= timedelta(0):
        return _("Today")
    if age == timedelta(days=1):
        return _("Yesterday")
    return _("Previous 7 days") if age <= timedelta(days=7) else _("Older")


def _name(last: Conversation) -> str:
    return f"{last.active_at.isoformat()}~{last.id.hex}"


def _place(name: str) -> Place | None:
    """Where a page ended; None, the beginning, for what was never a name."""
    try:
        at, _, id = name.partition("~")
        place = datetime.fromisoformat(at), UUID(id)
    except ValueError:
        return None
    return place if timezone.is_aware(place[0]) else None
