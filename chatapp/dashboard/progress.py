"""How the budgets that matter on a page stand today."""

from dataclasses import dataclass
from datetime import date

from chatapp.dashboard.charts import percent
from chatapp.dashboard.filters import NO_TEAM, Filter
from chatapp.ledger.models import Budget, Charge

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
    else:
        found = Budget.objects.exclude(scope=Budget.Scope.PERSON).select_related("team")
        if asked.team and asked.team != NO_TEAM:
            found = found.filter(team=int(asked.team))
    return fullest([progress(budget, asked.source) for budget in found[:MOST]])


def fullest(bars: list[Progress]) -> list[Progress]:
    return sorted(bars, key=lambda bar: (-bar.percent, bar.whose))


def progress(budget: Budget, source: str) -> Progress:
    """How a budget stands today with the money of one source."""
    standing = Charge.objects.standing(budget, source=source)
    limit = max(budget.limit_pusd, 1)
    spent = min(standing.spent_pusd, limit)
    whose = {
        Budget.Scope.PERSON: budget.person.label if budget.person else "",
        Budget.Scope.TEAM: budget.team.name if budget.team else "",
        Budget.Scope.EVERYONE: "Everyone",
    }
    return Progress(
        budget=budget,
        whose=whose[Budget.Scope(budget.scope)],
        shared=budget.scope != Budget.Scope.PERSON,
        period=f"a {budget.period}",
        hard=budget.hard,
        percent=standing.percent,
        limit_pusd=budget.limit_pusd,
        spent_pusd=standing.spent_pusd,
        held_pusd=standing.held_pusd,
        width=percent(spent, limit),
        held=percent(min(standing.held_pusd, limit - spent), limit),
        resets_on=standing.resets_on,
    )
