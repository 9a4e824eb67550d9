"""Budgets that reach 50, 80 and 100 percent: noted once a period, and told."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from chatapp.accounts.models import User
from chatapp.ledger.alerts import Alert, managers
from chatapp.ledger.budgets import MARKS, Budget, Standing
from chatapp.ledger.charges import Charge
from chatapp.ledger.choices import Source
from chatapp.ledger.queries import business_day
from chatapp.pricing.money import exact
from chatapp.pricing.words import usd


class BudgetMarkQuerySet(models.QuerySet["BudgetMark"]):
    def note(self, standing: Standing, *, source: str) -> list[int]:
        """Note the marks that a budget has newly reached, and tell of the highest; returns them.

        What counts is spent, not held: a mark once told is not taken back.
        """
        since = standing.budget.period_of(standing.day)[0]
        period = {"budget": standing.budget, "source": source, "since": since}
        known = set(self.filter(**period).values_list("mark", flat=True))
        reached = [mark for mark in MARKS if standing.spent_percent >= mark and mark not in known]
        with transaction.atomic():
            # Of several processes one makes the row, and that one tells.
            new = [
                mark
                for mark in reached
                if self.get_or_create(
                    **period,
                    mark=mark,
                    defaults={
                        "spent_pusd": standing.spent_pusd,
                        "limit_pusd": standing.budget.limit_pusd,
                    },
                )[1]
            ]
            if new:
                _tell(standing, max(new), source)
        return new

    def look(self, since: datetime) -> None:
        """Note the marks of every budget that a call authorized from `since` on counts in."""
        source = Source.DEMO if settings.DEMO else Source.ANTHROPIC
        # At midnight the period that has just ended is looked at too.
        days = sorted({business_day(since), business_day(timezone.now())})
        for budget in touched(since, source):
            for day in {budget.period_of(day)[0]: day for day in days}.values():
                self.note(Charge.objects.standing(budget, source=source, day=day), source=source)


class BudgetMark(models.Model):
    """A budget reached this many percent in the period that began on `since`. Money: pico-USD."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="marks")
    source = models.CharField(max_length=10, choices=Source.choices)
    since = models.DateField()
    mark = models.PositiveSmallIntegerField(help_text="percent")
    spent_pusd = models.BigIntegerField()
    limit_pusd = models.BigIntegerField()
    reached_at = models.DateTimeField(auto_now_add=True)

    objects = BudgetMarkQuerySet.as_manager()

    class Meta:
        ordering = ["-reached_at", "-mark"]
        constraints = [
            models.UniqueConstraint(
                fields=["budget", "source", "since", "mark"], name="one_mark_per_period"
            )
        ]

    def __str__(self) -> str:
        return f"{self.mark} % of {self.budget_id} since {self.since}"


def touched(since: datetime, source: str) -> models.QuerySet[Budget]:
    """The budgets in which the calls authorized from `since` on count."""
    if not Budget.objects.exists():
        return Budget.objects.none()
    calls = Charge.objects.filter(authorized_at__gte=since, source=source).order_by()
    callers = set(calls.values_list("user", "team").distinct())
    if not callers:
        return Budget.objects.none()
    people, teams = zip(*callers, strict=True)
    counting = Q(scope=Budget.Scope.EVERYONE) | Q(person__in=people) | Q(team__in=teams)
    return Budget.objects.filter(counting).select_related("person", "team")


def _tell(standing: Standing, mark: int, source: str) -> None:
    budget = standing.budget
    first, last = budget.period_of(standing.day)
    Alert.objects.write(
        words=lambda: _words(standing, mark, source),
        people=told(budget),
        event="budget.mark",
        facts={
            "mark": mark,
            "budget": described(budget),
            "spent_usd": exact(standing.spent_pusd),
            "period": [str(first), str(last)],
            "source": source,
        },
    )


def _words(standing: Standing, mark: int, source: str) -> tuple[str, str]:
    budget, day = standing.budget, _("Y-m-d")
    said: dict[str, object] = {
        "budget": budget,
        "mark": mark,
        "spent": usd(standing.spent_pusd),
        "first": date_format(budget.period_of(standing.day)[0], day),
        "anew": date_format(standing.resets_on, day),
    }
    if source == Source.DEMO:
        said["spent"] = _("%(spent)s of demonstration money") % said
    if mark >= 100:
        subject = _("chatapp: budget of %(budget)s is used up")
        what = _("The budget of %(budget)s is used up: %(spent)s spent from %(first)s to today.")
    else:
        subject = _("chatapp: budget of %(budget)s has reached %(mark)s %%")
        what = _(
            "The budget of %(budget)s has reached %(mark)s %%: "
            "%(spent)s spent from %(first)s to today."
        )
    refused = [_("Messages that do not fit are refused.")] if budget.hard and mark >= 100 else []
    text = " ".join([what, *refused, _("It starts anew on %(anew)s.")])
    return subject % said, f"{text % said}\n\n{settings.PUBLIC_URL}/usage/budgets/"


def told(budget: Budget) -> Iterable[User]:
    """Whom a mark concerns: the person; of a shared budget, those who set budgets."""
    if budget.person:
        return [budget.person] if budget.person.is_active else []
    return managers()


def described(budget: Budget) -> dict[str, object]:
    """A budget in a webhook's words."""
    return {
        "id": budget.pk,
        "scope": budget.scope,
        "person": budget.person.username if budget.person else None,
        "team": budget.team.name if budget.team else None,
        "period": budget.period,
        "limit_usd": exact(budget.limit_pusd),
        "hard": budget.hard,
    }


def reach_back() -> timedelta:
    """How long ago a call may have been authorized that settles only now."""
    return timedelta(seconds=settings.TOTAL_TIMEOUT + settings.QUEUE_TIMEOUT + 120)
