"""The words in which charges are asked for, and the one that opens a charge."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Func, Q, Subquery
from django.utils import timezone

from chatapp.accounts.models import User
from chatapp.ledger.budgets import Budget, BudgetExceeded, Standing
from chatapp.ledger.choices import Source, State
from chatapp.ledger.daily import DailyTotal
from chatapp.ledger.rollups import Grain, Rollup
from chatapp.pricing.cost import affordable, ceiling
from chatapp.pricing.models import price_book

if TYPE_CHECKING:
    from chatapp.ledger.charges import Charge


class Unpriced(Exception):
    """A model that has no price now, so that nothing can be held.

    Nothing may be sent, but by settings.SEND_UNPRICED to those whom no hard budget limits.
    """

    def __init__(self, model: str) -> None:
        super().__init__(f"{model} has no price")
        self.model = model


class ChargeQuerySet(models.QuerySet["Charge"]):
    def authorize(
        self,
        *,
        user: User,
        source: str,
        purpose: str,
        model: str,
        max_tokens: int,
        prompt_tokens: int,
        reference: UUID,
        attempt: int = 1,
        conversation: UUID | None = None,
        project: UUID | None = None,
        speed: str = "standard",
        web_searches: int = 0,
        cache_ttl: str = "5m",
    ) -> "Charge":
        """Open a charge that holds the worst case, before the request leaves.

        `prompt_tokens` is an upper bound. Checking the budgets and placing the hold is one
        transaction, joined to the caller's. Asked again for the same reference and attempt, it
        answers with the charge that is there. Raises Unpriced, or BudgetExceeded.
        """
        at = timezone.now()
        book = price_book()
        call: dict[str, Any] = {
            "model": model,
            "at": at,
            "prompt_tokens": prompt_tokens,
            "web_searches": web_searches,
            "speed": speed,
            "cache_ttl": cache_ttl,
        }
        with transaction.atomic():
            same = self.filter(reference=reference, attempt=attempt)
            if same.exists():  # hardly ever, and cheaper to ask
                return same.get()
            held = ceiling(book, max_tokens=max_tokens, **call)
            day = business_day(at)
            standings = self.standings(user, source=source, day=day, to_hold=True)
            if held is None:
                if standings or not settings.SEND_UNPRICED:
                    raise Unpriced(model)
                held = 0
            shortest = min(standings, key=lambda standing: standing.left_pusd, default=None)
            if shortest and shortest.left_pusd < held:
                fits = affordable(book, room_pusd=shortest.left_pusd, max_tokens=max_tokens, **call)
                raise BudgetExceeded(shortest.refusal(held), fits or None, shortest.whose)
            return self.create(
                user=user,
                team_id=user.team_id,
                source=source,
                purpose=purpose,
                model=model,
                requested_model=model,
                speed=speed,
                max_tokens=max_tokens,
                reference=reference,
                attempt=attempt,
                conversation=conversation,
                project=project,
                held_pusd=held,
                authorized_at=at,
                day=day,
            )

    def standings(
        self, user: User, *, source: str, day: date | None = None, to_hold: bool = False
    ) -> list[Standing]:
        """How every budget that applies to a person stands.

        With `to_hold` only the hard ones, their rows locked in a fixed order until the end of the
        transaction, so that two sends cannot both take the last of the money.
        """
        budgets = Budget.objects.applying_to(user)
        if to_hold:
            budgets = budgets.filter(hard=True).select_for_update()
        return [self.standing(budget, source=source, day=day) for budget in budgets]

    def standing(self, budget: Budget, *, source: str, day: date | None = None) -> Standing:
        """What is spent and held of one budget in the period of `day` (today when None).

        Both sums are of one statement: a capture that commits between two would be in neither.
        """
        day = day or business_day(timezone.now())
        counted = budget.counts() & Q(source=source, day__range=budget.period_of(day))
        spent = _totals(budget).filter(counted).order_by()
        held = self.open().filter(counted).order_by()
        sums = Budget.objects.filter(pk=budget.pk).values_list(
            Subquery(spent.values(sum=_sum(F("amount_pusd") + F("held_pusd")))),
            Subquery(held.values(sum=_sum(F("held_pusd")))),
        )
        for spent_pusd, held_pusd in sums:
            return Standing(budget, day, int(spent_pusd or 0), int(held_pusd or 0))
        return Standing(budget, day, 0, 0)

    def open(self) -> Self:
        return self.filter(state=State.AUTHORIZED)

    def captured(self) -> Self:
        return self.filter(state=State.CAPTURED)

    def waiting(self) -> Self:
        """Captured without an amount: unpriced, or unknown."""
        return self.captured().filter(amount_pusd=None)

    def between(self, first: date, last: date) -> Self:
        """Authorized on these business days, both included."""
        return self.filter(day__range=(first, last))

    def of(self, user: User) -> Self:
        return self.filter(user=user)

    def source(self, source: str) -> Self:
        return self.filter(source=source)

    def real(self) -> Self:
        return self.source(Source.ANTHROPIC)

    def demo(self) -> Self:
        return self.source(Source.DEMO)


def business_day(moment: datetime) -> date:
    """The day of a moment in settings.TIME_ZONE, whatever zone a reader has activated."""
    return timezone.localdate(moment, timezone.get_default_timezone())


def _totals(budget: Budget) -> models.QuerySet[DailyTotal] | models.QuerySet[Rollup]:
    """The fewest rows that say what the budget's people spent each day."""
    if budget.scope == Budget.Scope.PERSON:
        return DailyTotal.objects.all()
    return Rollup.objects.filter(grain=Grain.GROUP_DAY)


def _sum(expression: models.expressions.Combinable) -> Func:
    """SUM without GROUP BY, for a scalar subquery."""
    return Func(expression, function="SUM", output_field=models.BigIntegerField())
