"""Who spent what: everything a page shows of one filter, each question asked of the database once."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from django.db.models import Count

from chatapp.accounts.models import Team, User
from chatapp.dashboard.filters import Filter
from chatapp.dashboard.forecast import Forecast, forecast, history
from chatapp.dashboard.periods import Period
from chatapp.dashboard.savings import cache_savings
from chatapp.dashboard.sums import Sums, days_by, regrouped, sums_by, sums_of, total


@dataclass(frozen=True)
class Figures:
    """The headline. Amounts in pico-USD; spend is exact and estimated amounts together."""

    all: Sums
    by_status: dict[str, Sums]
    people: int
    before: Sums
    people_before: int
    savings_pusd: int | None

    @property
    def change(self) -> int | None:
        """Percent more (or less) than in the period before; None when nothing was spent then."""
        before = self.before.amount_pusd
        return round(100 * (self.all.amount_pusd - before) / before) if before else None

    @property
    def savings_share(self) -> int | None:
        """Percent of what the same tokens would have cost without a cache."""
        if self.savings_pusd is None or not (uncached := self.all.amount_pusd + self.savings_pusd):
            return None
        return round(100 * self.savings_pusd / uncached)

    def status(self, status: str) -> Sums:
        return self.by_status.get(status, Sums())


class Spend:
    """The sums behind one page. Dictionaries are keyed as their names say."""

    def __init__(self, asked: Filter) -> None:
        self.asked = asked

    @cached_property
    def buckets(self) -> list[list[date]]:
        """The days of each step of the time axis."""
        return [list(step) for step in self.asked.period.buckets()]

    @cached_property
    def _fine(self) -> dict[tuple[date, str, str], Sums]:
        return sums_by(self.asked.totals(), "day", "model", "status")

    @cached_property
    def by_day_model(self) -> dict[tuple[date, str], Sums]:
        return regrouped(self._fine, lambda day, model, status: (day, model))

    @cached_property
    def by_model(self) -> dict[str, Sums]:
        return regrouped(self._fine, lambda day, model, status: model)

    @cached_property
    def by_day(self) -> dict[date, Sums]:
        return regrouped(self._fine, lambda day, model, status: day)

    @cached_property
    def by_user_model(self) -> dict[tuple[int, str], Sums]:
        return sums_by(self.asked.totals(), "user", "model")

    @cached_property
    def by_user(self) -> dict[int, Sums]:
        return regrouped(self.by_user_model, lambda user, model: user)

    @cached_property
    def by_team(self) -> dict[int | None, Sums]:
        return {team: sums for (team,), sums in sums_by(self.asked.totals(), "team").items()}

    def days_of_teams(self, unit: str = "usd") -> dict[int | None, dict[date, int]]:
        return days_by(self.asked.totals(), "team", unit=unit)

    def days_of_people(self, users: list[int], unit: str = "usd") -> dict[int, dict[date, int]]:
        """Of these people only: nobody asks for everybody's every day."""
        return days_by(self.asked.totals().filter(user__in=users), "user", unit=unit)

    @cached_property
    def days_of_models(self) -> dict[str, dict[date, Sums]]:
        days: dict[str, dict[date, Sums]] = defaultdict(dict)
        for (day, model), sums in self.by_day_model.items():
            days[model][day] = sums
        return days

    @cached_property
    def all(self) -> Sums:
        return total(self._fine.values())

    @cached_property
    def figures(self) -> Figures:
        before = self.asked.before().totals()
        return Figures(
            all=self.all,
            by_status=regrouped(self._fine, lambda day, model, status: status),
            people=len(self.by_user),
            before=sums_of(before),
            people_before=before.aggregate(people=Count("user", distinct=True))["people"],
            savings_pusd=cache_savings(self.by_day_model),
        )

    @cached_property
    def forecast(self) -> Forecast | None:
        """Where the month will end that `asked` shows the beginning of; else None."""
        asked, today = self.asked, self.asked.today
        if asked.range != "month":
            return None
        learned = replace(asked, period=history(today)).totals()
        days = {day: sums for (day,), sums in sums_by(learned, "day").items()} | self.by_day
        spent = {day: sums.amount_pusd for day, sums in days.items()}
        return forecast(spent, Period.month(today), today)

    def people(self, ids: list[int]) -> dict[int, User]:
        return User.objects.select_related("team").in_bulk(ids)

    @cached_property
    def teams(self) -> dict[int, Team]:
        return Team.objects.in_bulk()
