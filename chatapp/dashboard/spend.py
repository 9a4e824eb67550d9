"""Who spent what: everything a page shows of one filter, each question asked of the database once."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from chatapp.accounts.models import Team, User
from chatapp.dashboard import by_call
from chatapp.dashboard.filters import BadFilter, Filter
from chatapp.dashboard.forecast import Forecast, forecast, history
from chatapp.dashboard.periods import Period
from chatapp.dashboard.rows import rows
from chatapp.dashboard.savings import cache_savings, price_changes
from chatapp.dashboard.sums import (
    Rank,
    Sums,
    count_people,
    days_by,
    ranks,
    regrouped,
    sums_by,
    total,
)
from chatapp.ledger.models import Status
from chatapp.web.numbers import number

# What a page adds up call by call.
MOST_CALLS = 20_000
UNPRICED_BY = ("user", "day", "team", "model", "purpose", "status")


@dataclass(frozen=True)
class Figures:
    """The headline. Amounts in pico-USD; spend is exact and estimated amounts together."""

    all: Sums
    people: int
    before: Sums
    people_before: int
    savings_pusd: int | None

    @property
    def change(self) -> int | None:
        """Percent more (or less) than in the period before; None when nothing is known of either."""
        now, before = self.all.known_pusd, self.before.amount_pusd
        return None if now is None or not before else round(100 * (now - before) / before)

    @property
    def savings_share(self) -> int | None:
        """Percent of what the same tokens would have cost without a cache."""
        if self.savings_pusd is None or not (uncached := self.all.amount_pusd + self.savings_pusd):
            return None
        return round(100 * self.savings_pusd / uncached)


class Spend:
    """The sums behind one page. Dictionaries are keyed as their names say."""

    def __init__(self, asked: Filter) -> None:
        self.asked = asked
        self._of_people: dict[tuple[int, ...], dict[Any, Sums]] = {}

    def sums(
        self, whose: str, *columns: str, widest: str = "year", users: list[int] | None = None
    ) -> dict[tuple[Any, ...], Sums]:
        """Sums for each combination of the columns' values; the rest as for `rows`."""
        if self.asked.by_call:
            calls = self.asked.charges()
            chosen = calls if users is None else calls.filter(user__in=users)
            found = by_call.sums_by(chosen, *columns)
        else:
            found = sums_by(rows(self.asked, whose, widest=widest, users=users), *columns)
        return self._with_unpriced(found, *columns, users=users)

    @cached_property
    def unpriced(self) -> list[tuple[tuple[Any, ...], Sums]]:
        """The tokens of calls that have no price, by UNPRICED_BY: totals hold none of them."""
        if self.asked.status not in ("", Status.UNPRICED):
            return []
        calls = replace(self.asked, status=Status.UNPRICED).charges()
        return by_call.reported(calls, *UNPRICED_BY)

    def _with_unpriced(
        self, found: dict[tuple[Any, ...], Sums], *columns: str, users: list[int] | None = None
    ) -> dict[tuple[Any, ...], Sums]:
        places, user = [UNPRICED_BY.index(column) for column in columns], UNPRICED_BY.index("user")
        parts: dict[tuple[Any, ...], list[Sums]] = defaultdict(list)
        for whose, sums in self.unpriced:
            if users is None or whose[user] in users:
                parts[tuple([whose[place] for place in places])].append(sums)
        for key, more in parts.items():
            found[key] = total([found.get(key, Sums()), *more])
        return found

    def check(self) -> None:
        """BadFilter where single calls would have to be added up, and they are too many for a page.

        What was asked for by conversation or hour is found by an index.
        """
        asked = self.asked
        if not asked.by_call or isinstance(asked.conversation, UUID) or asked.hour:
            return
        around = Spend(
            replace(asked, tier="", region="", project=None, conversation=None)
        ).together.calls
        if around > MOST_CALLS:
            raise BadFilter(
                [
                    _(
                        "Tiers, regions and projects are added up call by call, at most %(most)s. "
                        "There are %(calls)s in these days: choose fewer days, a person, a team "
                        "or a model."
                    )
                    % {
                        "most": number(MOST_CALLS),
                        "calls": number(around),
                    }
                ]
            )

    @property
    def hourly(self) -> bool:
        """Whether the time axis has hours: they are read from the calls, so only of so many."""
        return self.asked.period.hourly and self.all.calls <= MOST_CALLS

    def days(
        self, whose: str, column: str, *, unit: str, users: list[int] | None = None
    ) -> dict[Any, dict[date, int]]:
        """Each value's days (or weeks, or months: the steps of the time axis)."""
        step = self.asked.period.step
        if not self.asked.by_call:
            parts = rows(self.asked, whose, widest=step, users=users)
            days = days_by(parts, column, unit=unit)
            if unit == "tokens":
                for (day, key), sums in self._with_unpriced({}, "day", column, users=users).items():
                    days[key][day] = days[key].get(day, 0) + sums.tokens
            return days
        found: dict[Any, dict[date, int]] = defaultdict(dict)
        for (day, key), sums in self.sums(whose, "day", column, users=users).items():
            found[key][day] = sums.amount_pusd if unit == "usd" else sums.tokens
        return found

    @cached_property
    def buckets(self) -> list[Period]:
        """The steps of the time axis."""
        return self.asked.period.buckets()

    @cached_property
    def _place(self) -> dict[date, int]:
        return {day: at for at, step in enumerate(self.buckets) for day in step}

    def spread(self, amounts: Iterable[tuple[date, int]]) -> list[int]:
        """Days put into the steps of the time axis; midnight may pass while a page is made."""
        values = [0] * len(self.buckets)
        for day, amount in amounts:
            values[self._place.get(day, -1)] += amount
        return values

    @cached_property
    def billed(self) -> dict[tuple[Any, ...], Sums]:
        """By day and model, of what has an amount; steps in which prices changed are in parts."""
        step, changes = self.asked.period.step, price_changes(self.asked.period)
        if self.asked.by_call:
            return by_call.sums_by(self.asked.charges(), "day", "model")
        return sums_by(rows(self.asked, "all", widest=step, cuts=changes), "day", "model")

    @cached_property
    def by_day_model(self) -> dict[tuple[Any, ...], Sums]:
        return self._with_unpriced({**self.billed}, "day", "model")

    @cached_property
    def by_model(self) -> dict[str, Sums]:
        return regrouped(self.by_day_model, lambda day, model: model)

    @cached_property
    def by_day(self) -> dict[date, Sums]:
        return regrouped(self.by_day_model, lambda day, model: day)

    @property
    def by_status(self) -> dict[str, Sums]:
        if self.asked.by_call:
            found = by_call.short_sums_by(self.asked.charges(), "status")
        else:
            found = self.sums("all", "status")
        return {status: sums for (status,), sums in found.items()}

    @cached_property
    def ranks(self) -> dict[int, Rank | Sums]:
        """Everybody who made a call, with what they are put in order by."""
        if self.asked.by_call:
            return {user: sums for (user,), sums in self.sums("rank", "user").items()}
        found = ranks(rows(self.asked, "rank"))
        for (user,), sums in self._with_unpriced({}, "user").items():
            if rank := found.get(user):
                tokens_in, tokens = rank.tokens_in + sums.tokens_in, rank.tokens + sums.tokens
                found[user] = rank._replace(tokens_in=tokens_in, tokens=tokens)
        return dict(found)

    @property
    def active(self) -> int:
        """How many people made a call."""
        return len(self.ranks) if self.asked.by_call else count_people(rows(self.asked, "rank"))

    def of_people(self, users: list[int]) -> dict[tuple[int, str], Sums]:
        """What these people spent on each model."""
        if (known := self._of_people.get(asked := tuple(users))) is None:
            known = self.sums("used", "user", "model", users=users)
            self._of_people[asked] = known
        return known

    @cached_property
    def by_team(self) -> dict[int | None, Sums]:
        return {team: sums for (team,), sums in self.sums("team", "team").items()}

    def days_of_teams(self, unit: str = "usd") -> dict[int | None, dict[date, int]]:
        return self.days("team", "team", unit=unit)

    def days_of_people(self, users: list[int], unit: str = "usd") -> dict[int, dict[date, int]]:
        """Of these people only: nobody asks for everybody's every day."""
        return self.days("rank", "user", unit=unit, users=users)

    @cached_property
    def days_of_models(self) -> dict[str, dict[date, Sums]]:
        days: dict[str, dict[date, Sums]] = defaultdict(dict)
        for (day, model), sums in self.by_day_model.items():
            days[model][day] = sums
        return days

    @cached_property
    def all(self) -> Sums:
        return total([Sums(), *self.by_model.values()])

    @cached_property
    def figures(self) -> Figures:
        before = Spend(self.asked.before())
        return Figures(
            all=self.all,
            people=len(self.ranks) if not self.asked.personal else 0,
            before=before.together,
            people_before=before.active if not self.asked.personal else 0,
            savings_pusd=cache_savings(self.billed),
        )

    @property
    def together(self) -> Sums:
        """All of it and nothing else, read from the fewest rows."""
        return self.sums("all").get((), Sums())

    @cached_property
    def forecast(self) -> Forecast | None:
        """Where the month will end that `asked` shows the beginning of; else None."""
        asked, today = self.asked, self.asked.today
        if asked.range != "month":
            return None
        learned: Counter[date] = Counter()
        past = Spend(replace(asked, period=history(today)))
        for days in past.days("all", "model", unit="usd").values():
            learned.update(days)
        this_month = {day: sums.amount_pusd for day, sums in self.by_day.items()}
        return forecast({**learned, **this_month}, Period.month(today), today)

    def people(self, ids: list[int]) -> dict[int, User]:
        return User.objects.select_related("team").in_bulk(ids)

    @cached_property
    def teams(self) -> dict[int, Team]:
        return Team.objects.in_bulk()
