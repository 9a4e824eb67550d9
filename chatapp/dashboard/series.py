"""Spend through time: the page's sums as a chart of stacked bars."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from chatapp.dashboard.by_call import hours_by, reported_by_hour
from chatapp.dashboard.charts import MOST_SERIES, Bucket, Chart, Series, fold, stacked
from chatapp.dashboard.filters import NONE
from chatapp.dashboard.look import Look
from chatapp.dashboard.periods import HOUR, Period
from chatapp.dashboard.spend import Spend
from chatapp.dashboard.sums import Sums
from chatapp.dashboard.told import words
from chatapp.ledger.choices import TOKENS
from chatapp.ledger.models import Kind

Measure = Callable[[Any], int]
MEASURES: dict[str, Measure] = {
    "usd": attrgetter("amount_pusd"),
    "tokens": attrgetter("tokens"),
}
# Where those that a chart shows as one are listed, on the same page.
TABLE = {"model": "#models", "user": "#people", "team": "#teams"}


def spend_chart(spend: Spend, look: Look) -> Chart:
    """Dollars or tokens per hour, day, week or month, stacked as `look` asks."""
    plot = _HourPlot if spend.hourly else _Plot
    return plot(spend, look).chart()


class _Plot:
    """One chart in the making: its bars, and what their parts are."""

    def __init__(self, spend: Spend, look: Look) -> None:
        self.spend, self.look = spend, look
        self.measure = MEASURES[look.unit]
        self.words = words(look.unit)

    def chart(self) -> Chart:
        return stacked(self.buckets(), self.parts(), self.words)

    def buckets(self) -> list[Bucket]:
        return [self.bucket(period) for period in self.spend.buckets]

    def parts(self) -> tuple[Series, ...]:
        stack = {"model": self.models, "user": self.people, "team": self.teams, "kind": self.kinds}
        return stack[self.look.by]()

    def models(self) -> tuple[Series, ...]:
        return fold(
            [
                self.series(name, days.items(), model=name)
                for name, days in self.spend.days_of_models.items()
            ],
            self.words,
            TABLE["model"],
        )

    def teams(self) -> tuple[Series, ...]:
        teams = self.spend.teams
        return fold(
            [
                self.series(
                    teams[team].name if team else _("No team"),
                    days.items(),
                    team=team or NONE,
                )
                for team, days in self.spend.days_of_teams(self.look.unit).items()
            ],
            self.words,
            TABLE["team"],
        )

    def kinds(self) -> tuple[Series, ...]:
        """In the order of a receipt: the colours of kinds never change places."""
        by_day = self.spend.by_day.items()
        tokens = self.look.unit == "tokens"
        found = (
            self.series(
                Kind(kind).head,
                ((day, s.tokens_of(kind) if tokens else s.amount_of(kind)) for day, s in by_day),
                slot=slot,
            )
            for slot, kind in enumerate(Kind)
        )
        return tuple(series for series in found if series.total)

    def people(self) -> tuple[Series, ...]:
        """The largest by name; the rest are what is left of each day, so nobody's days are read."""
        ranks = self.spend.ranks
        ranked = sorted(ranks, key=lambda user: -self.measure(ranks[user]))
        shown = ranked[: MOST_SERIES if len(ranked) > MOST_SERIES + 1 else None]
        people = self.spend.people(shown)
        days = self.spend.days_of_people(shown, self.look.unit)
        series = [
            self.series(
                people[user].label, days[user].items(), slot=slot, user=people[user].username
            )
            for slot, user in enumerate(shown)
        ]
        if len(shown) < len(ranked):
            whole = self.spend.spread(
                (day, self.measure(sums)) for day, sums in self.spend.by_day.items()
            )
            named = [sum(values) for values in zip(*(one.values for one in series), strict=True)]
            rest = tuple(every - some for every, some in zip(whole, named, strict=True))
            others = self.words.others % {"count": len(ranked) - len(shown)}
            series.append(Series(others, rest, MOST_SERIES, TABLE["user"]))
        return tuple(one for one in series if one.total)

    def series(
        self,
        name: str,
        days: Iterable[tuple[date, Sums | int]],
        *,
        slot: int = 0,
        **narrow: object,
    ) -> Series:
        amounts = (
            (day, self.measure(value) if isinstance(value, Sums) else value) for day, value in days
        )
        href = self.spend.asked.link(**self.look.start(), **narrow) if narrow else ""
        return Series(name, tuple(self.spend.spread(amounts)), slot, href)

    def bucket(self, period: Period) -> Bucket:
        if self.spend.asked.period.days > 400:
            short = "M Y" if period.first.month == 1 else "M"
        else:
            short = _("j M")
        return Bucket(
            label=str(period),
            short=date_format(period.first, short),
            href=self.spend.asked.link("calls", days=period),
            partial=period.first <= self.spend.asked.today <= period.last,
        )


class _HourPlot(_Plot):
    """A day or two by the hour, from the calls themselves."""

    def __init__(self, spend: Spend, look: Look) -> None:
        super().__init__(spend, look)
        self.zone = timezone.get_default_timezone()
        self.hours = spend.asked.period.hours(self.zone)

    def buckets(self) -> list[Bucket]:
        return [self.hour(at) for at in self.hours]

    def parts(self) -> tuple[Series, ...]:
        calls, by = self.spend.asked.charges(), self.look.by
        found = hours_by(calls, by, self.hours[0], unit=self.look.unit)
        if by == "kind":
            if self.look.unit == "tokens":
                for (hour,), sums in reported_by_hour(calls, self.hours[0]):
                    for kind in TOKENS:
                        found[kind][hour] = found[kind].get(hour, 0) + sums.tokens_of(kind)
            named = [(kind, Kind(kind).head, slot) for slot, kind in enumerate(Kind)]
            return tuple(
                Series(name, self.each(found[kind]), slot)
                for kind, name, slot in named
                if any(found[kind].values())
            )
        ranked = sorted(found, key=lambda key: -sum(found[key].values()))
        shown = ranked[: MOST_SERIES if len(ranked) > MOST_SERIES + 1 else None]
        rest = [self.each(found[key]) for key in ranked[len(shown) :]]
        series = [self.named(key, self.each(found[key])) for key in shown]
        if rest:
            together = tuple(map(sum, zip(*rest, strict=True)))
            others = self.words.others % {"count": len(rest)}
            series.append(Series(others, together, href=TABLE[by]))
        return tuple(replace(one, slot=slot) for slot, one in enumerate(series) if one.total)

    def each(self, values: Mapping[int, int]) -> tuple[int, ...]:
        return tuple(values.get(n, 0) for n in range(len(self.hours)))

    def named(self, key: Any, values: tuple[int, ...]) -> Series:
        narrow: dict[str, object] = {self.look.by: key}
        name = key
        if self.look.by == "team":
            name = self.spend.teams[key].name if key else _("No team")
            narrow = {"team": key or NONE}
        if self.look.by == "user":
            person = self.spend.people([key])[key]
            name, narrow = person.label, {"user": person.username}
        return Series(name, values, 0, self.spend.asked.link(**self.look.start(), **narrow))

    def hour(self, at: datetime) -> Bucket:
        start, end = at.astimezone(self.zone), (at + HOUR).astimezone(self.zone)
        utc = "" if not start.utcoffset() else f" ({at:%H:%M} UTC)"
        when = {"start": date_format(start, _("D j M, H:i")), "end": f"{end:%H:%M}"}
        return Bucket(
            label=_("%(start)s to %(end)s") % when + utc,
            short=f"{start:%H:%M}",
            href=self.spend.asked.link(
                "calls",
                days=Period(start.date(), start.date()),
                hour=f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}",
            ),
            partial=at <= timezone.now() < at + HOUR,
        )
