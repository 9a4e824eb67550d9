"""What stands around the figures: the days, the filters taken and to be had, the choices of a view."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from django.utils import timezone

from chatapp.accounts.models import Team
from chatapp.dashboard.filters import NO_TEAM, REGIONS, TIERS, Filter, default_source
from chatapp.dashboard.look import BY, UNITS, Look
from chatapp.dashboard.periods import DAY, PRESETS
from chatapp.dashboard.spend import Spend
from chatapp.dashboard.sums import PRICED, Sums
from chatapp.ledger.models import Purpose, Source, Status
from chatapp.pricing.models import Model

REGION_NAMES = dict(zip(REGIONS, ("Global", "US", "Region not told"), strict=True))


@dataclass(frozen=True)
class Choice:
    label: str
    href: str
    current: bool


@dataclass(frozen=True)
class Select:
    """A filter to choose from; `taken` is the value in the address."""

    name: str
    label: str
    any: str
    taken: str
    options: tuple[tuple[str, str], ...]


def frame(asked: Filter, page: str = "spend", look: Look | None = None) -> dict[str, Any]:
    """The context of every page of the room. Links stay on `page` and keep its `look`."""
    kept = look.params(page=1) if look else {}
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
        "pages": {name: asked.link(name) for name in ("spend", "calls", "csv", "json", "focus")},
    }


def choices(asked: Filter, look: Look, name: str, labels: Mapping[str, str]) -> list[Choice]:
    """Links to the same page with one choice of its look taken."""
    return [
        Choice(label, asked.link(**look.params(**{name: value})), getattr(look, name) == value)
        for value, label in labels.items()
    ]


def paging(asked: Filter, look: Look, pages: int) -> dict[str, Any]:
    """Links around a table's page."""
    at = min(look.page, pages)
    return {
        "page": at,
        "pages": pages,
        "before": asked.link(**look.params(page=at - 1)) if at > 1 else "",
        "after": asked.link(**look.params(page=at + 1)) if at < pages else "",
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
    return [
        Part(
            status,
            status.capitalize(),
            spend.figures.by_status.get(status, Sums()),
            spend.asked.link("calls", status=status),
            status in PRICED,
        )
        for status in Status
    ]


def chart_title(spend: Spend, look: Look) -> str:
    """What the chart shows, in words."""
    period = spend.asked.period
    step = "hour" if spend.hourly else period.step
    return f"{UNITS[look.unit]} per {step} by {BY[look.by].lower()}, {period}"


def _selects(asked: Filter) -> list[Select]:
    models = [(model, model) for model in Model.objects.values_list("id", flat=True).order_by("id")]
    if asked.model and (asked.model, asked.model) not in models:
        models.append((asked.model, asked.model))
    teams = [(str(team.pk), team.name) for team in Team.objects.all()] if not asked.personal else []
    found = [
        _select(
            asked, "team", "Team", "All teams", [*teams, (NO_TEAM, "No team")] if teams else []
        ),
        _select(asked, "model", "Model", "All models", models),
        _select(
            asked,
            "status",
            "Certainty",
            "Any certainty",
            [(s.value, s.value.capitalize()) for s in Status],
        ),
        _select(
            asked,
            "purpose",
            "Purpose",
            "Any purpose",
            [(p.value, p.label.capitalize()) for p in Purpose],
        ),
        _select(asked, "tier", "Tier", "Any tier", [(t, t.capitalize()) for t in TIERS]),
        _select(asked, "region", "Region", "Any region", REGION_NAMES.items()),
        _sources(asked),
    ]
    return [select for select in found if select.options]


def opaque(kind: str, uuid: UUID) -> str:
    """A name for what people named themselves: their words are nobody else's."""
    return f"{kind} {uuid.hex[:6]}"


def _parts(asked: Filter) -> dict[str, str]:
    """What is asked for besides what can be chosen from a list, in words."""
    parts = {
        name: opaque(name.capitalize(), uuid)
        for name, uuid in (("project", asked.project), ("conversation", asked.conversation))
        if uuid
    }
    if asked.hour:
        local = asked.hour.astimezone(timezone.get_default_timezone())
        parts["hour"] = f"the hour from {local:%H:%M} ({asked.hour:%H:%M} UTC)"
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
    start, end = first.astimezone(UTC), last.astimezone(UTC)
    return f"{start.day} {start:%b %H:%M} to {end.day} {end:%b %H:%M} UTC"


def _sources(asked: Filter) -> Select:
    """The installation's own source needs no word in the address."""
    usual = default_source()
    others = tuple((s.value, s.label.capitalize()) for s in Source if s != usual)
    taken = "" if asked.source == usual else asked.source
    return Select("source", "Source", Source(usual).label.capitalize(), taken, others)


def _select(
    asked: Filter, name: str, label: str, any_: str, options: Iterable[tuple[str, str]]
) -> Select:
    return Select(name, label, any_, getattr(asked, name), tuple(options))
