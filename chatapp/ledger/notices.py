"""What the people who look after money must not miss, on every page."""

from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chatapp.accounts.models import User
from chatapp.ledger.choices import Source, Status
from chatapp.ledger.models import Budget, Charge, UnknownCounter
from chatapp.web.notices import Notice
from chatapp.web.numbers import number


def waiting_calls(request: HttpRequest) -> Iterator[Notice]:
    """Calls of real money that have no amount, for those who may see what everyone spends."""
    user = getattr(request, "user", None)
    if user is None or not user.has_perm("ledger.view_spend"):
        return
    waiting = Charge.objects.waiting().real().order_by()
    for status, calls in waiting.values_list("status").annotate(calls=Count("pk")):
        query = urlencode({"status": status, "source": Source.ANTHROPIC, "range": "12m"})
        yield Notice("warning", _words(status, calls), f"{reverse('dashboard:calls')}?{query}")


def unknown_counters(request: HttpRequest) -> Iterator[Notice]:
    """What the vendor counts and we do not price, until an admin has marked it as harmless."""
    user = getattr(request, "user", None)
    if user is None or not user.has_perm("ledger.view_spend"):
        return
    real = UnknownCounter.objects.waiting().filter(charge__source=Source.ANTHROPIC)
    for name, uuid in real.values_list("name", "charge__uuid")[:3]:
        words = _(
            "Claude reports “%(counter)s”, which has no price: if it costs money, no sum has it."
        ) % {"counter": name}
        yield Notice("warning", words, reverse("dashboard:call", args=[uuid]))


def used_up(request: HttpRequest) -> Iterator[Notice]:
    """A person's hard budgets that have nothing left, with the way to ask for more."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return
    source = Source.DEMO if settings.DEMO else Source.ANTHROPIC
    for budget in Budget.objects.applying_to(user).filter(hard=True):
        standing = Charge.objects.standing(budget, source=source)
        if standing.left_pusd == 0:
            yield Notice("warning", standing.exhausted(), reverse("dashboard:own_budgets"))
            return


def _words(status: str, calls: int) -> str:
    if status == Status.UNPRICED:
        words = ngettext(
            "%(calls)s call has no price, and is in no sum until the price book has one.",
            "%(calls)s calls have no price, and are in no sum until the price book has one.",
            calls,
        )
    else:
        words = ngettext(
            "What %(calls)s call cost is not known, and is in no sum.",
            "What %(calls)s calls cost is not known, and is in no sum.",
            calls,
        )
    return words % {"calls": number(calls)}
