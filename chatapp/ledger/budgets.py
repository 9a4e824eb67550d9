"""Budgets: what a person, a team or everyone may spend in a day, week or month."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import gettext_noop as noop

from chatapp.pricing.money import PUSD
from chatapp.pricing.words import usd

MARKS = (50, 80, 100)  # percent
MOST = 1_000_000 * PUSD  # of a limit
PER = {"day": lazy("a day"), "week": lazy("a week"), "month": lazy("a month")}
NOW = {"day": lazy("today"), "week": lazy("this week"), "month": lazy("this month")}
OWNED = {
    "person": lazy("Your budget of %(limit)s for %(now)s"),
    "team": lazy("Your team's budget of %(limit)s for %(now)s"),
    "everyone": lazy("The shared budget of %(limit)s for %(now)s"),
}
GOES_WITH = {
    "person": lazy("Goes with the scope “person”, and only with it."),
    "team": lazy("Goes with the scope “team”, and only with it."),
}


class BudgetExceeded(Exception):
    """A hard budget has no room for the worst case of a call.

    `message` is for people; `max_tokens_affordable` is the largest max_tokens that would still be
    let through, None when not even one is. `whose` names the budget that is shortest, in English.
    """

    code = "budget_exceeded"

    def __init__(self, message: str, max_tokens_affordable: int | None, whose: str) -> None:
        super().__init__(message)
        self.message = message
        self.max_tokens_affordable = max_tokens_affordable
        self.whose = whose


class BudgetQuerySet(models.QuerySet["Budget"]):
    def applying_to(self, user: AbstractBaseUser) -> Self:
        """The person's own, their team's and everyone's, in the order in which they are locked."""
        team = getattr(user, "team_id", None)
        scopes = Q(scope=Budget.Scope.EVERYONE) | Q(person=user.pk)
        if team is not None:
            scopes |= Q(team=team)
        return self.filter(scopes).order_by("pk")


class Budget(models.Model):
    """A limit in pico-USD for the calls authorized in one period of the business time zone.

    It counts the money of one source at a time: real calls never eat a demonstration's budget.
    """

    class Scope(models.TextChoices):
        PERSON = "person", lazy("Person")
        TEAM = "team", lazy("Team")
        EVERYONE = "everyone", lazy("Everyone")

    class Period(models.TextChoices):
        DAY = "day", lazy("Day")
        WEEK = "week", lazy("Week")
        MONTH = "month", lazy("Month")

    scope = models.CharField(max_length=10, choices=Scope.choices, verbose_name=lazy("scope"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="budgets",
        verbose_name=lazy("person"),
    )
    team = models.ForeignKey(
        "accounts.Team",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="budgets",
        verbose_name=lazy("team"),
    )
    period = models.CharField(
        max_length=10, choices=Period.choices, default=Period.MONTH, verbose_name=lazy("period")
    )
    limit_pusd = models.BigIntegerField(validators=[MinValueValidator(0), MaxValueValidator(MOST)])
    hard = models.BooleanField(
        default=True,
        help_text="Refuse what does not fit. Otherwise only the marks are shown.",
        verbose_name=lazy("hard"),
    )
    created_at = models.DateTimeField(auto_now_add=True, verbose_name=lazy("created at"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=lazy("created by"),
    )

    objects = BudgetQuerySet.as_manager()

    class Meta:
        ordering = ["scope", "pk"]
        verbose_name = lazy("budget")
        verbose_name_plural = lazy("budgets")
        permissions = [("manage_budgets", noop("Can set budgets"))]
        constraints = [
            models.CheckConstraint(
                name="budget_names_its_scope",
                condition=Q(scope="person", person__isnull=False, team__isnull=True)
                | Q(scope="team", person__isnull=True, team__isnull=False)
                | Q(scope="everyone", person__isnull=True, team__isnull=True),
            ),
            models.CheckConstraint(
                name="budget_limit_not_negative", condition=Q(limit_pusd__gte=0)
            ),
        ]

    def __str__(self) -> str:
        whose = {
            self.Scope.PERSON: self.person,
            self.Scope.TEAM: self.team,
            self.Scope.EVERYONE: _("everyone"),
        }[self.Scope(self.scope)]
        return _("%(limit)s %(per)s for %(whose)s") % {
            "limit": usd(self.limit_pusd),
            "per": self.per,
            "whose": whose,
        }

    @property
    def per(self) -> str:
        """ "a month": how often its limit begins anew."""
        return str(PER[self.period])

    def clean(self) -> None:
        named = {self.Scope.PERSON: self.person_id, self.Scope.TEAM: self.team_id}
        for scope, name in named.items():
            if (self.scope == scope) != (name is not None):
                raise ValidationError({scope: GOES_WITH[scope]})

    def period_of(self, day: date) -> tuple[date, date]:
        """The first and the last day of the period that `day` is in; weeks begin on Monday."""
        match self.period:
            case self.Period.DAY:
                return day, day
            case self.Period.WEEK:
                monday = day - timedelta(days=day.weekday())
                return monday, monday + timedelta(days=6)
        return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])

    def counts(self) -> Q:
        """Which rows it counts, of charges and of daily totals alike."""
        match self.scope:
            case self.Scope.PERSON:
                return Q(user=self.person_id)
            case self.Scope.TEAM:
                return Q(team=self.team_id)
        return Q()


@dataclass(frozen=True)
class Standing:
    """How a budget stands in the period of one day. Money is pico-USD.

    `spent_pusd` includes the worst case of calls whose amount is not known; `held_pusd` is the
    worst case of calls still open.
    """

    budget: Budget
    day: date
    spent_pusd: int
    held_pusd: int

    @property
    def left_pusd(self) -> int:
        return max(0, self.budget.limit_pusd - self.spent_pusd - self.held_pusd)

    @property
    def percent(self) -> int:
        """Spent and held, of the limit; rounded down."""
        used = self.spent_pusd + self.held_pusd
        return 100 * used // self.budget.limit_pusd if self.budget.limit_pusd else 100

    @property
    def spent_percent(self) -> int:
        """What is spent for good, of the limit, rounded down; 0 where nothing may be spent."""
        return 100 * self.spent_pusd // self.budget.limit_pusd if self.budget.limit_pusd else 0

    @property
    def mark(self) -> int | None:
        """The highest mark (50, 80, 100 percent) that has been reached."""
        return max((mark for mark in MARKS if self.percent >= mark), default=None)

    @property
    def resets_on(self) -> date:
        return self.budget.period_of(self.day)[1] + timedelta(days=1)

    def refusal(self, needed_pusd: int) -> str:
        """For the person who asked: which budget, what is left, when it resets, who can lift it."""
        return _(
            "%(budget)s has %(left)s left, and this message could cost up to %(needed)s. "
            "Nothing was sent. The budget starts anew on %(day)s; an admin can raise it: "
            "ask for more under Usage, Budgets."
        ) % {
            "budget": self._name(),
            "left": usd(self.left_pusd),
            "needed": usd(needed_pusd),
            "day": date_format(self.resets_on),
        }

    def exhausted(self) -> str:
        """For the person whom it stops, on every page, beside the way to ask for more."""
        return _("%(budget)s is used up. It starts anew on %(day)s; you can ask for more.") % {
            "budget": self._name(),
            "day": date_format(self.resets_on),
        }

    @property
    def whose(self) -> str:
        """ "your team's budget": whose it is, for the person who spends it.

        In English, as it may be stored; gettext where it is shown.
        """
        return {
            "person": noop("your budget"),
            "team": noop("your team's budget"),
            "everyone": noop("the shared budget"),
        }[self.budget.scope]

    def _name(self) -> str:
        limit, now = usd(self.budget.limit_pusd), NOW[self.budget.period]
        return OWNED[self.budget.scope] % {"limit": limit, "now": now}
