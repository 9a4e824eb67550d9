"""Spend through time: the page's sums as a chart of stacked bars."""

from collections.abc import Callable, Iterable
from datetime import date
from operator import attrgetter

from chatapp.dashboard.charts import MOST_SERIES, OTHERS, Bucket, Chart, Series, fold, stacked
from chatapp.dashboard.filters import NO_TEAM
from chatapp.dashboard.look import Look
from chatapp.dashboard.periods import Period
from chatapp.dashboard.spend import Spend
from chatapp.dashboard.sums import Sums
from chatapp.dashboard.ticks import count_tick, usd_tick
from chatapp.ledger.models import Kind
from chatapp.pricing.money import format_usd

Measure = Callable[[Sums], int]
MEASURES: dict[str, Measure] = {
    "usd": attrgetter("amount_pusd"),
    "tokens": attrgetter("tokens"),
}


def spend_chart(spend: Spend, look: Look) -> Chart:
    """Dollars or tokens per day (week, month), stacked as `look` asks."""
    return _Plot(spend, look).chart()


class _Plot:
    """One chart in the making: where each day stands, and what its parts are."""

    def __init__(self, spend: Spend, look: Look) -> None:
        self.spend, self.look = spend, look
        self.periods = spend.asked.period.buckets()
        self.place = {day: at for at, period in enumerate(self.periods) for day in period}
        self.measure = MEASURES[look.unit]

    def chart(self) -> Chart:
        tokens = self.look.unit == "tokens"
        stack = {"model": self.models, "user": self.people, "team": self.teams, "kind": self.kinds}
        return stacked(
            [self.bucket(period) for period in self.periods],
            stack[self.look.by](),
            say=_say_tokens if tokens else format_usd,
            step_label=count_tick if tokens else usd_tick,
        )

    def models(self) -> tuple[Series, ...]:
        return fold(
            [
                self.series(name, days.items(), model=name)
                for name, days in self.spend.days_of_models.items()
            ]
        )

    def teams(self) -> tuple[Series, ...]:
        teams = self.spend.teams
        return fold(
            [
                self.series(
                    teams[team].name if team else "No team",
                    days.items(),
                    team=team or NO_TEAM,
                )
                for team, days in self.spend.days_of_teams(self.look.unit).items()
            ]
        )

    def kinds(self) -> tuple[Series, ...]:
        """In the order of a receipt: the colours of kinds never change places."""
        by_day = self.spend.by_day.items()
        tokens = self.look.unit == "tokens"
        found = (
            self.series(
                Kind(kind).label.capitalize(),
                ((day, s.tokens_of(kind) if tokens else s.amount_of(kind)) for day, s in by_day),
                slot=slot,
            )
            for slot, kind in enumerate(Kind)
        )
        return tuple(series for series in found if series.total)

    def people(self) -> tuple[Series, ...]:
        """The largest by name; the rest are what is left of each day, so nobody's days are read."""
        ranked = sorted(self.spend.by_user.items(), key=lambda item: -self.measure(item[1]))
        shown = [
            user for user, _ in ranked[: MOST_SERIES if len(ranked) > MOST_SERIES + 1 else None]
        ]
        people = self.spend.people(shown)
        days = self.spend.days_of_people(shown, self.look.unit)
        series = [
            self.series(
                people[user].label, days[user].items(), slot=slot, user=people[user].username
            )
            for slot, user in enumerate(shown)
        ]
        if len(shown) < len(ranked):
            whole = self.spread(
                (day, self.measure(sums)) for day, sums in self.spend.by_day.items()
            )
            named = [sum(values) for values in zip(*(one.values for one in series), strict=True)]
            rest = tuple(every - some for every, some in zip(whole, named, strict=True))
            series.append(Series(f"{OTHERS} ({len(ranked) - len(shown)})", rest, MOST_SERIES))
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
        href = self.spend.asked.link(**self.look.params(page=1), **narrow) if narrow else ""
        return Series(name, tuple(self.spread(amounts)), slot, href)

    def spread(self, amounts: Iterable[tuple[date, int]]) -> list[int]:
        """Days put into their buckets."""
        values = [0] * len(self.periods)
        for day, amount in amounts:
            values[self.place[day]] += amount
        return values

    def bucket(self, period: Period) -> Bucket:
        first = period.first
        if self.spend.asked.period.days > 400:
            short = f"{first:%b} {first.year}" if first.month == 1 else f"{first:%b}"
        else:
            short = f"{first.day} {first:%b}"
        return Bucket(
            label=str(period),
            short=short,
            href=self.spend.asked.link("calls", days=period),
            partial=period.first <= self.spend.asked.today <= period.last,
        )


def _say_tokens(count: int) -> str:
    return f"{count:,} tokens"
