"""Which calls a page speaks of: parsed from the address, turned into querysets and back into links."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Any, Self
from urllib.parse import quote_plus
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from chatapp.accounts.models import Team, User
from chatapp.dashboard.periods import HOUR, PRESETS, Period
from chatapp.ledger.choices import WAITING
from chatapp.ledger.models import Charge, Purpose, Source, State, Status
from chatapp.ledger.rollups import Grain, Rollup

EARLIEST = date(2015, 1, 1)
DEFAULT_RANGE = "30d"
# No team, project or conversation.
NONE = "none"
GONE = {
    "project": lazy("There is no such project."),
    "conversation": lazy("There is no such conversation."),
}
TIERS = ["standard", "priority", "batch"]
REGIONS = ["global", "us", "not_available"]
# Parameters that are columns of charges, but of no total.
COLUMN = {
    "tier": "service_tier",
    "region": "inference_geo",
    "project": "project",
    "conversation": "conversation",
}
# The pages that everybody has for their own spend.
PERSONAL = {
    page: f"usage_{page}"
    for page in ("calls", "call", "csv", "json", "focus", "what_if", "earlier")
} | {"spend": "usage"}


class BadFilter(ValueError):
    """An address that asks for something that cannot be; `messages` are for people."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__(" ".join(messages))
        self.messages = messages


def not_one_of(name: str, choices: Iterable[str]) -> str:
    return _("“%(name)s” is one of %(choices)s.") % {"name": name, "choices": ", ".join(choices)}


def business_today() -> date:
    """Today in TIME_ZONE, whatever zone the reader is in."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


@dataclass(frozen=True)
class Filter:
    """A range of business days and what else narrows it. `personal` shows one person their own."""

    period: Period
    today: date
    source: str
    range: str = ""
    personal: bool = False
    user: User | None = None
    team: str = ""
    model: str = ""
    status: str = ""
    purpose: str = ""
    # What only the calls themselves tell. `hour` is one hour of a day, by its beginning.
    tier: str = ""
    region: str = ""
    project: UUID | str | None = None
    conversation: UUID | str | None = None
    hour: datetime | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str], *, today: date, person: User | None = None) -> Self:
        """Read an address' parameters; BadFilter says what is wrong with them.

        Days are clamped to 2015 up to today and to five years. With `person`, the page is that
        person's own, and asking for anybody else changes nothing.
        """
        reader = _Reader(query)
        name, period = reader.period(today)
        found = cls(
            period=period,
            today=today,
            range=name,
            source=reader.choice("source", Source.values) or default_source(),
            personal=person is not None,
            user=person or reader.user(),
            team="" if person else reader.team(),
            model=reader.text("model"),
            status=reader.choice("status", Status.values),
            purpose=reader.choice("purpose", Purpose.values),
            tier=reader.choice("tier", TIERS),
            region=reader.choice("region", REGIONS),
            project=reader.uuid("project"),
            conversation=reader.uuid("conversation"),
            hour=reader.hour(),
        )
        if reader.errors:
            raise BadFilter(reader.errors)
        return found

    @property
    def demo(self) -> bool:
        return self.source == Source.DEMO

    @property
    def narrowed(self) -> bool:
        """Something besides the days and the source is asked for."""
        named = self.team or self.model or self.status or self.purpose
        return bool(named or self.by_call or (self.user and not self.personal))

    @property
    def by_call(self) -> bool:
        """Asks for what daily totals leave out, so that the calls themselves are summed."""
        return bool(self.tier or self.region or self.project or self.conversation or self.hour)

    def before(self) -> Self:
        return replace(self, period=self.period.before())

    @cached_property
    def foreseen(self) -> bool:
        """Calls are stored of days after today: clocks were wrong, or TIME_ZONE was another."""
        ahead = Rollup.objects.filter(grain=Grain.ALL_DAY, source=self.source, calls__gt=0)
        return ahead.filter(day__gt=self.today).exists()

    def charges(self, until: datetime | None = None) -> QuerySet[Charge]:
        """The captured calls behind those totals, newest first; none after a moment, if given."""
        # Times a day wider than any zone's days let the index by time find an old range at once.
        start = datetime.combine(self.period.first, time.min, UTC) - timedelta(days=1)
        end = datetime.combine(self.period.last, time.min, UTC) + timedelta(days=2)
        # One end alone: of two, SQLite would start from the first and pass over all in between.
        end = min(end, until) if until else end
        calls = Charge.objects.filter(
            self._dimensions(),
            **{
                COLUMN[name]: None if value == NONE else value
                for name in COLUMN
                if (value := getattr(self, name))
            },
            state=State.CAPTURED,
            day__range=(self.period.first, self.period.last),
            authorized_at__range=(start, end),
        ).order_by("-authorized_at", "-id")
        if self.status in WAITING:
            calls = calls.filter(amount_pusd=None)  # what the index of the few waiting calls needs
        if self.hour:
            calls = calls.filter(authorized_at__gte=self.hour, authorized_at__lt=self.hour + HOUR)
        return calls

    def _dimensions(self) -> Q:
        asked = Q(source=self.source)
        if self.user:
            asked &= Q(user=self.user)
        if self.team:
            asked &= Q(team=None) if self.team == NONE else Q(team=int(self.team))
        for name in ("model", "status", "purpose"):
            if value := getattr(self, name):
                asked &= Q(**{name: value})
        return asked

    def params(self) -> dict[str, str]:
        """The address' parameters that say the same again."""
        return dict(self._params)

    @cached_property
    def _params(self) -> dict[str, str]:
        days = (
            {"range": self.range}
            if self.range
            else {"from": str(self.period.first), "to": str(self.period.last)}
        )
        shown = {
            "source": self.source if self.source != default_source() else "",
            "user": self.user.username if self.user and not self.personal else "",
            **{name: getattr(self, name) for name in ("team", "model", "status", "purpose")},
            **{name: str(getattr(self, name) or "") for name in COLUMN},
            "hour": f"{self.hour:%Y-%m-%dT%H:%MZ}" if self.hour else "",
        }
        return (days if self.range != DEFAULT_RANGE else {}) | {k: v for k, v in shown.items() if v}

    def link(self, page: str = "spend", /, **changes: Any) -> str:
        """The address of `page`, one of PERSONAL, with this filter, changed.

        `days=Period` narrows the days, `uuid` names a call; an empty value takes a parameter away.
        """
        params = self.params()
        parts = {"uuid": uuid} if (uuid := changes.pop("uuid", None)) else {}
        if days := changes.pop("days", None):
            params.pop("range", None)
            params |= {"from": str(days.first), "to": str(days.last)}
        params = {k: v for k, v in (params | changes).items() if v not in ("", None)}
        path = _path(PERSONAL[page] if self.personal else page, **parts)
        query = "&".join(f"{name}={_quoted(str(value))}" for name, value in params.items())
        return f"{path}?{query}" if query else path


# A page has hundreds of links, whose parts are few.
_quoted = lru_cache(maxsize=5000)(quote_plus)


@lru_cache(maxsize=1000)
def _path(page: str, **parts: Any) -> str:
    return reverse(f"dashboard:{page}", kwargs=parts)


def default_source() -> str:
    return Source.DEMO if settings.DEMO else Source.ANTHROPIC


class _Reader:
    """Reads parameters one by one and gathers what is wrong with them."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self.query = query
        self.errors: list[str] = []

    def text(self, name: str, longest: int = 150) -> str:
        value = self.query.get(name, "").strip()
        if len(value) > longest or "\x00" in value:
            self.errors.append(_("“%(name)s” is not one that can be looked up.") % {"name": name})
            return ""
        return value

    def choice(self, name: str, choices: list[str]) -> str:
        value = self.text(name)
        if value and value not in choices:
            self.errors.append(not_one_of(name, choices))
        return value

    def user(self) -> User | None:
        if not (name := self.text("user")):
            return None
        found = User.objects.filter(username=name).select_related("team").first()
        if not found:
            self.errors.append(_("Nobody has the user name “%(name)s”.") % {"name": name})
        return found

    def team(self) -> str:
        value = self.text("team", 9)
        if value in ("", NONE):
            return value
        if value.isascii() and value.isdigit() and Team.objects.filter(id=int(value)).exists():
            return value
        self.errors.append(_("There is no such team."))
        return ""

    def uuid(self, name: str) -> UUID | str | None:
        value = self.text(name)
        try:
            return UUID(value) if value not in ("", NONE) else value or None
        except ValueError:
            self.errors.append(str(GONE[name]))
            return None

    def hour(self) -> datetime | None:
        if not (value := self.text("hour")):
            return None
        try:
            return datetime.strptime(value, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
        except ValueError:
            self.errors.append(_("“hour” is the beginning of one in UTC, like 2026-11-21T13:00Z."))
            return None

    def day(self, name: str) -> date | None:
        if not (value := self.text(name)):
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.errors.append(_("“%(name)s” is a day like 2026-11-21.") % {"name": name})
            return None

    def period(self, today: date) -> tuple[str, Period]:
        """A preset's name and days; or "" and the custom days, which win over a preset."""
        first, last = self.day("from"), self.day("to")
        if not first and not last:
            name = self.choice("range", list(PRESETS)) or DEFAULT_RANGE
            return name, Period.preset(name if name in PRESETS else DEFAULT_RANGE, today)
        last = min(max(last or today, EARLIEST), today)
        first = min(max(first or last, EARLIEST), today)
        if first > last:
            self.errors.append(_("The first day comes after the last."))
            first = last
        return "", Period(first, last).clamped()
