"""The page of an earlier report: the days and filters of the dashboard, as they were known then."""

from datetime import UTC, datetime, time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from chatapp.dashboard import as_of, views
from chatapp.dashboard.filters import BadFilter, Filter, not_one_of

MOST = 20_000  # calls
SHOWN = 100  # rows
NAMES = {
    "day": lazy("Day"),
    "model": lazy("Model"),
    "user": lazy("Person"),
    "team": lazy("Team"),
    "purpose": lazy("Purpose"),
}
OWN_NAMES = {name: NAMES[name] for name in ("day", "model", "purpose")}


@views.page
def earlier(request: HttpRequest, asked: Filter) -> HttpResponse:
    """At most MOST calls, so that a page answers; more have to be narrowed down."""
    moment, by = _moment(request, asked), request.GET.get("by") or "day"
    names = OWN_NAMES if asked.personal else NAMES
    if by not in names:
        raise BadFilter([not_one_of("by", names)])
    context: dict[str, Any] = {
        "section": "usage" if asked.personal else "spend",
        "asked": asked,
        "moment": timezone.localtime(moment, timezone.get_default_timezone()),
        "utc": moment.astimezone(UTC),
        "by": by,
        "names": names.items(),
        "kept": asked.params().items(),
        "back": asked.link(),
        "most": MOST,
        "too_many": asked.charges()[MOST : MOST + 1].exists(),
    }
    if not context["too_many"]:
        found = as_of.known(asked, moment, by)
        context |= {
            "rows": found[:SHOWN],
            "others": as_of.together(found[SHOWN:]),
            "others_count": len(found[SHOWN:]),
            "together": as_of.together(found),
            "head": names[by],
        }
    return render(request, "dashboard/earlier.html", context)


def _moment(request: HttpRequest, asked: Filter) -> datetime:
    """The moment asked for, in TIME_ZONE unless it says its own; else the end of the last day."""
    zone = timezone.get_default_timezone()
    if not (text := request.GET.get("at", "")):
        return datetime.combine(asked.period.last, time(23, 59), zone)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadFilter([_("“at” is a time like 2026-11-08T09:00.")]) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
