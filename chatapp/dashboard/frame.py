"""What stands around the figures: the days, the filters taken and to be had, the choices of a view."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from chatapp.accounts.models import Team
from chatapp.dashboard.filters import (
    NONE,
    PERSONAL,
    REGIONS,
    TIERS,
    Filter,
    default_source,
)
from chatapp.dashboard.look import UNITS, Look
from chatapp.dashboard.periods import DAY, PRESETS
from chatapp.dashboard.spend import Spend
from chatapp.dashboard.sums import PRICED, Sums
from chatapp.ledger.models import Purpose, Source, Status
from chatapp.pricing.models import Model

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

TIER_NAMES = dict(zip(TIERS, (lazy("Standard"), lazy("Priority"), lazy("Batch")), strict=True))
REGION_NAMES = dict(
    zip(REGIONS, (lazy("Global"), lazy("US"), lazy("Region not told")), strict=True)
)
NOWHERE = {"project": lazy("No project"), "conversation": lazy("No conversation")}
OPAQUE = {"project": lazy("Project %(number)s"), "conversation": lazy("Conversation %(number)s")}
# Of a chart's title.
STEPS = {"hour": lazy("hour"), "day": lazy("day"), "week": lazy("week"), "month": lazy("month")}
PARTS = {
    "model": lazy("model"),
    "user": lazy("person"),
    "team": lazy("team"),
    "kind": lazy("token kind"),
}


@dataclass(frozen=True)
class Choice:
    label: "StrOrPromise"
    href: str
    current: bool


@dataclass(frozen=True)
class Select:
    """A filter to choose from; `taken` is the value in the address."""

    name: str
    label: str
    any: str
    taken: str
    options: "tuple[tuple[str, StrOrPromise], ...]"


def frame(asked: Filter, page: str = "spend", look: Look | None = None) -> dict[str, Any]:
    """The context of every page of the room. Links stay on `page` and keep its `look`."""
    kept = look.start() if look else {}
    source = Source(asked.source)
    days = {"range", "from", "to"}
    params = asked.params() | {name: value for name, value in kept.items() if value}
    selects = _selects(asked)
    narrowing = {"user", *(select.name for select in selects)}
    parts = _parts(asked)
    return {
        "asked": asked,
        "section": "usage" if asked.personal else "spend",
        "page": page,
        "action": asked.link(page).partition("?")[0],
        "presets": [
            Choice(
                label,
                asked.link(page, **kept, range=name, **{"from": "", "to": ""}),
                name == asked.range,
            )
            for name, label in PRESETS.items()
        ],
        "kept_by_days": [item for item in params.items() if item[0] not in days],
        "kept_by_selects": [item for item in params.items() if item[0] not in narrowing],
        "selects": selects,
        "cleared": asked.link(page, **kept, **dict.fromkeys({*narrowing, *parts} - {"source"}, "")),
        "parts": parts.values(),
        "source": source,
        "zone": timezone.get_default_timezone_name(),
        "utc": _in_utc(asked),
        "pages": {name: asked.link(name) for name in PERSONAL if name != "call"},
    }


def choices(
    asked: Filter, look: Look, name: str, labels: "Mapping[str, StrOrPromise]"
) -> list[Choice]:
    """Links to the same page with one choice of its look taken."""
    return [
        Choice(label, asked.link(**look.params(**{name: value})), getattr(look, name) == value)
        for value, label in labels.items()
    ]


def paging(asked: Filter, look: Look, pages: int, name: str = "page") -> dict[str, Any]:
    """Links around a table's page, which the parameter `name` says."""
    at = min(getattr(look, name), pages)
    return {
        "page": at,
        "pages": pages,
        "before": asked.link(**look.params(**{name: at - 1})) if at > 1 else "",
        "after": asked.link(**look.params(**{name: at + 1})) if at < pages else "",
    }


@dataclass(frozen=True)
class Part:
    """The calls of one certainty. Exact and estimated ones make the spend; the others have none."""

    status: str
    label: str
    sums: Sums
    href: str
    priced: bool


def certainty(spend: Spend) -> list[Part]:
    by_status = spend.by_status
    return [
        Part(
            status,
            capfirst(status.word),
            by_status.get(status, Sums()),
            spend.asked.link("calls", status=status),
            status in PRICED,
        )
        for status in Status
    ]


def chart_title(spend: Spend, look: Look) -> str:
    """What the chart shows, in words."""
    period = spend.asked.period
    step = "hour" if spend.hourly else period.step
    return _("%(unit)s per %(step)s by %(part)s, %(days)s") % {
        "unit": UNITS[look.unit],
        "step": STEPS[step],
        "part": PARTS[look.by],
        "days": period,
    }


def _selects(asked: Filter) -> list[Select]:
    models = [(model, model) for model in Model.objects.values_list("id", flat=True).order_by("id")]
    if asked.model and (asked.model, asked.model) not in models:
        models.append((asked.model, asked.model))
    teams = [(str(team.pk), team.name) for team in Team.objects.all()] if not asked.personal else []
    found = [
        _select(
            asked,
            "team",
            _("Team"),
            _("All teams"),
            [*teams, (NONE, _("No team"))] if teams else [],
        ),
        _select(asked, "model", _("Model"), _("All models"), models),
        _select(
            asked,
            "status",
            _("Certainty"),
            _("Any certainty"),
            [(s.value, capfirst(s.word)) for s in Status],
        ),
        _select(
            asked,
            "purpose",
            _("Purpose"),
            _("Any purpose"),
            [(p.value, capfirst(str(p.label))) for p in Purpose],
        ),
        _select(asked, "tier", _("Tier"), _("Any tier"), TIER_NAMES.items()),
        _select(asked, "region", _("Region"), _("Any region"), REGION_NAMES.items()),
        _sources(asked),
    ]
    return [select for select in found if select.options]


def opaque(kind: str, uuid: UUID | str | None) -> str:
    """A name for what people named themselves: their words are nobody else's."""
    if not isinstance(uuid, UUID):
        return str(NOWHERE[kind])
    return OPAQUE[kind] % {"number": uuid.hex[:6]}


def _parts(asked: Filter) -> dict[str, str]:
    """What is asked for besides what can be chosen from a list, in words."""
    parts = {
        name: opaque(name, uuid)
        for name, uuid in (("project", asked.project), ("conversation", asked.conversation))
        if uuid
    }
    if asked.hour:
        local = asked.hour.astimezone(timezone.get_default_timezone())
        hour = {"local": f"{local:%H:%M}", "utc": f"{asked.hour:%H:%M}"}
        parts["hour"] = _("the hour from %(local)s (%(utc)s UTC)") % hour
    return parts


def _in_utc(asked: Filter) -> str:
    """When the days begin and end in UTC; empty where that is the same."""
    zone = timezone.get_default_timezone()
    first, last = (
        datetime.combine(day, time(0), zone)
        for day in (asked.period.first, asked.period.last + DAY)
    )
    if not first.utcoffset() and not last.utcoffset():
        return ""
    start, end = (date_format(one.astimezone(UTC), _("j M H:i")) for one in (first, last))
    return _("%(start)s to %(end)s") % {"start": start, "end": end} + " UTC"


def _sources(asked: Filter) -> Select:
    """The installation's own source needs no word in the address."""
    usual = default_source()
    others = tuple((s.value, capfirst(str(s.label))) for s in Source if s != usual)
    taken = "" if asked.source == usual else asked.source
    return Select("source", _("Source"), capfirst(str(Source(usual).label)), taken, others)


def _select(
    asked: Filter, name: str, label: str, any_: str, options: "Iterable[tuple[str, StrOrPromise]]"
) -> Select:
    return Select(name, label, any_, getattr(asked, name), tuple(options))
