"""People at a limit ask for more with one click, and an admin grants it with one."""

from typing import Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from chatapp.accounts.models import User
from chatapp.ledger.alerts import Alert, managers
from chatapp.ledger.budgets import MOST, Budget
from chatapp.ledger.marks import described
from chatapp.pricing.money import PUSD, exact
from chatapp.pricing.words import usd


class BudgetRequestQuerySet(models.QuerySet["BudgetRequest"]):
    def open(self) -> Self:
        return self.filter(state=BudgetRequest.State.ASKED)

    def ask(self, person: User, budget: Budget) -> "BudgetRequest":
        """The person's open request for more of a budget, made and told to the admins if new."""
        with transaction.atomic():
            request, new = self.get_or_create(
                budget=budget, person=person, state=BudgetRequest.State.ASKED
            )
            if new:
                request.tell_admins()
        return request

    def settle(self, *, by: User, after_pusd: int | None) -> int:
        """Grant these open requests at a new limit, or with None decline; how many there were."""
        granted = after_pusd is not None
        requests = list(self.open().select_for_update().select_related("budget", "person"))
        for request in requests:
            request.state = BudgetRequest.State.GRANTED if granted else BudgetRequest.State.DECLINED
            request.decided_at, request.decided_by = timezone.now(), by
            request.after_pusd = after_pusd
            request.save()
            request.tell_person()
        return len(requests)


class BudgetRequest(models.Model):
    """Somebody asked for more of a budget; what became of it. Money is pico-USD."""

    class State(models.TextChoices):
        ASKED = "asked", lazy("Asked")
        GRANTED = "granted", lazy("Granted")
        DECLINED = "declined", lazy("Declined")

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="requests")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="budget_requests"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    asked_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    after_pusd = models.BigIntegerField(null=True, help_text="the limit as granted")

    objects = BudgetRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["budget", "person"],
                condition=Q(state="asked"),
                name="one_open_request_per_person",
            )
        ]

    def __str__(self) -> str:
        return f"{self.state}: {self.budget_id} by {self.person_id}"

    def tell_admins(self) -> None:
        def words() -> tuple[str, str]:
            said = {"person": self.person.label, "budget": self.budget}
            text = _("%(person)s asks for more than %(budget)s. Grant or decline it here:")
            return (
                _("chatapp: %(person)s asks for more budget") % said,
                f"{text % said}\n\n{settings.PUBLIC_URL}/dashboard/budgets/",
            )

        Alert.objects.write(
            words=words,
            people=managers(),
            event="budget.request",
            facts={"person": self.person.username, "budget": described(self.budget)},
        )

    def tell_person(self) -> None:
        granted = self.after_pusd is not None
        Alert.objects.write(
            words=self._granted if granted else self._declined,
            people=[self.person] if self.person.is_active else [],
            event="budget.request.granted" if granted else "budget.request.declined",
            facts={
                "person": self.person.username,
                "budget": described(self.budget),
                "limit_usd": exact(self.after_pusd or self.budget.limit_pusd),
            },
        )

    def _granted(self) -> tuple[str, str]:
        text = _(
            "%(by)s granted your request for more budget. It is %(limit)s %(per)s now; just go on."
        )
        said = {"by": self.decided_by, "limit": usd(self.after_pusd), "per": self.budget.per}
        return _("chatapp: more budget was granted"), text % said

    def _declined(self) -> tuple[str, str]:
        text = _("%(by)s declined your request for more budget. It stays %(limit)s %(per)s.")
        limit = usd(self.budget.limit_pusd)
        said = {"by": self.decided_by, "limit": limit, "per": self.budget.per}
        return _("chatapp: more budget was declined"), text % said


def proposed(budget: Budget) -> int:
    """The limit that one click grants, in pico-USD: half as much again, at least a dollar more."""
    return min(budget.limit_pusd + max(budget.limit_pusd // 2, PUSD), MOST)


def raise_limit(budget_id: int, *, to_pusd: int, by: User) -> int:
    """Set a higher limit and grant every open request for it; how many there were."""
    with transaction.atomic():
        budget = Budget.objects.select_for_update().get(pk=budget_id)
        budget.limit_pusd = to_pusd
        budget.save(update_fields=["limit_pusd"])
        return BudgetRequest.objects.filter(budget=budget).settle(by=by, after_pusd=to_pusd)
