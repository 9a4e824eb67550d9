"""How the budgets that matter on a page stand today."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from chatapp.dashboard.charts import percent
from chatapp.dashboard.filters import NONE, Filter
from chatapp.ledger.budgets import Standing
from chatapp.ledger.models import Budget, Charge, business_day
from chatapp.ledger.rollups import Rollup

MOST = 12


@dataclass(frozen=True)
class Progress:
    """One budget as a bar. Money is pico-USD, widths are shares of the bar."""

    budget: Budget
    whose: str
    shared: bool
    period: str
    hard: bool
    percent: int
    limit_pusd: int
    spent_pusd: int
    held_pusd: int
    width: str
    held: str
    resets_on: date

    @property
    def full(self) -> bool:
        return self.percent >= 100

    @property
    def near(self) -> bool:
        return self.percent >= 80


def budgets(asked: Filter) -> list[Progress]:
    """The person's budgets where one person is shown; else everyone's and the teams', fullest first."""
    if asked.user:
        found = Budget.objects.applying_to(asked.user)
        return fullest([progress(budget, asked.source) for budget in found])[:MOST]
    found = Budget.objects.exclude(scope=Budget.Scope.PERSON).select_related("team")
    if asked.team and asked.team != NONE:
        found = found.filter(team=int(asked.team))
    return all_bars(found, asked.source)[:MOST]


def fullest(bars: list[Progress]) -> list[Progress]:
    return sorted(bars, key=lambda bar: (-bar.percent, bar.whose))


def progress(budget: Budget, source: str) -> Progress:
    """How a budget stands today with the money of one source."""
    return _bar(Charge.objects.standing(budget, source=source))


def all_bars(budgets: Iterable[Budget], source: str) -> list[Progress]:
    """How budgets stand today, the fullest first; two questions a period, however many there are."""
    today = business_day(timezone.now())
    budgets = list(budgets)
    used = {
        period: _used(period, today, source, {budget.scope for budget in budgets})
        for period in {budget.period for budget in budgets}
    }
    bars = []
    for budget in budgets:
        spent, held = used[budget.period]
        key = (budget.person_id, budget.team_id)
        bars.append(_bar(Standing(budget, today, spent[key], held[key])))
    return fullest(bars)


Money = Counter[tuple[int | None, int | None]]
WHOSE = {"person": "rank", "team": "team", "everyone": "all"}


def _used(period: str, today: date, source: str, scopes: set[str]) -> tuple[Money, Money]:
    """pico-USD spent and held by (person, None), (None, team), and (None, None): everyone."""
    first, last = Budget(period=period).period_of(today)
    spent, held = Money(), Money()
    grains = [f"{WHOSE[scope]}-{period}" for scope in scopes]
    rows = Rollup.objects.filter(grain__in=grains, day=first, source=source).order_by()
    summed = rows.values_list("grain", "user", "team").annotate(
        sum=Sum(F("amount_pusd") + F("held_pusd"))
    )
    for grain, user, team, pusd in summed:
        if not grain.startswith("team") or team:
            spent[user, None if user else team] += int(pusd)
    calls = Charge.objects.open().filter(source=source).between(first, last).order_by()
    for user, team, pusd in calls.values_list("user", "team", "held_pusd"):
        for key in {(user, None), (None, team), (None, None)}:
            held[key] += pusd
    return spent, held


def _bar(standing: Standing) -> Progress:
    budget = standing.budget
    limit = max(budget.limit_pusd, 1)
    spent = min(standing.spent_pusd, limit)
    whose = {
        Budget.Scope.PERSON: budget.person.label if budget.person else "",
        Budget.Scope.TEAM: budget.team.name if budget.team else "",
        Budget.Scope.EVERYONE: _("Everyone"),
    }
    return Progress(
        budget=budget,
        whose=whose[Budget.Scope(budget.scope)],
        shared=budget.scope != Budget.Scope.PERSON,
        period=budget.per,
        hard=budget.hard,
        percent=standing.percent,
        limit_pusd=budget.limit_pusd,
        spent_pusd=standing.spent_pusd,
        held_pusd=standing.held_pusd,
        width=percent(spent, limit),
        held=percent(min(standing.held_pusd, limit - spent), limit),
        resets_on=standing.resets_on,
    )
