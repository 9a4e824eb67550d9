"""Budgets: those who set them see all and who is near; everybody sees their own and asks for more."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chatapp.accounts.models import User
from chatapp.dashboard.filters import default_source
from chatapp.dashboard.progress import all_bars, fullest, progress
from chatapp.ledger.forms import BudgetForm
from chatapp.ledger.models import Alert, Budget, BudgetMark, BudgetRequest
from chatapp.ledger.requests import proposed, raise_limit
from chatapp.pricing.words import usd

View = Callable[..., HttpResponse]
SHOWN = 100  # budgets on one page
RECENT = 12


def signed_in(view: View) -> View:
    """For everybody signed in; the others are sent to sign in."""

    @never_cache
    @wraps(view)
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, **kwargs)

    return answer


def manager(view: View) -> View:
    """For those who set budgets; for others signed in the page is not there."""

    @signed_in
    @wraps(view)
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm("ledger.manage_budgets"):
            raise Http404
        return view(request, **kwargs)

    return answer


@manager
@require_http_methods(["GET", "HEAD", "POST"])
def budgets(request: HttpRequest) -> HttpResponse:
    """All budgets, the fullest first, the open requests, and a form for a new one."""
    form = BudgetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.instance.created_by = request.user
        form.save()
        messages.success(request, _("The budget is set."))
        return redirect("dashboard:budgets")
    bars = all_bars(Budget.objects.select_related("person", "team"), default_source())
    shown = Paginator(bars, SHOWN).get_page(request.GET.get("page"))
    context = {
        "section": "spend",
        "bars": shown,
        "count": len(bars),
        "near": sum(bar.near for bar in bars),
        "paging": {
            "page": shown.number,
            "pages": shown.paginator.num_pages,
            "before": f"?page={shown.number - 1}" if shown.has_previous() else "",
            "after": f"?page={shown.number + 1}" if shown.has_next() else "",
        },
        "form": form,
        "requests": [
            (asked, proposed(asked.budget))
            for asked in BudgetRequest.objects.open().select_related(
                "person", "budget__person", "budget__team"
            )
        ],
        "marks": BudgetMark.objects.select_related("budget__person", "budget__team")[:RECENT],
        "undelivered": Alert.objects.filter(sent_at=None).exclude(trouble="")[:RECENT],
        "demo": default_source() == "demo",
    }
    return render(request, "dashboard/budgets.html", context, status=400 if form.errors else 200)


@manager
@require_http_methods(["GET", "HEAD", "POST"])
def budget(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one budget. A higher limit answers everybody who asked for more of it."""
    found = get_object_or_404(Budget.objects.select_related("person", "team"), pk=pk)
    before = found.limit_pusd
    form = BudgetForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        changed = form.save()
        if changed.limit_pusd > before:
            raise_limit(changed.pk, to_pusd=changed.limit_pusd, by=_user(request))
        messages.success(request, _("The budget is changed."))
        return redirect("dashboard:budgets")
    context = {
        "section": "spend",
        "bar": progress(Budget.objects.get(pk=pk), default_source()),
        "form": form,
        "marks": found.marks.all()[:RECENT],
        "requests": found.requests.select_related("person", "decided_by")[:RECENT],
    }
    return render(request, "dashboard/budget.html", context, status=400 if form.errors else 200)


@manager
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Budget, pk=pk).delete()
    messages.success(request, _("The budget is removed."))
    return redirect("dashboard:budgets")


@manager
@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Grant a request at the limit the button named, or decline it."""
    asked = get_object_or_404(BudgetRequest.objects.open(), pk=pk)
    if "decline" in request.POST:
        BudgetRequest.objects.filter(pk=pk).settle(by=_user(request), after_pusd=None)
        messages.info(request, _("Declined."))
    else:
        # Computed anew: of two clicks on an old page the second must not grant twice.
        limit = proposed(asked.budget)
        raise_limit(asked.budget_id, to_pusd=limit, by=_user(request))
        messages.success(request, _("Granted: it is %(limit)s now.") % {"limit": usd(limit)})
    return redirect("dashboard:budgets")


@signed_in
@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """The budgets that apply to a person, why messages are refused, and what became of requests."""
    person = _user(request)
    mine = person.budget_requests.all()
    latest = {asked.budget_id: asked for asked in reversed(mine[:50])}
    bars = fullest([progress(budget, default_source()) for budget in _applying(person)])
    context = {
        "section": "usage",
        "rows": [(bar, latest.get(bar.budget.pk)) for bar in bars],
    }
    return render(request, "dashboard/own_budgets.html", context)


@signed_in
@require_POST
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for more of a hard budget that applies to the person."""
    person = _user(request)
    found = get_object_or_404(_applying(person).filter(hard=True), pk=pk)
    BudgetRequest.objects.ask(person, found)
    messages.success(request, _("Your admins have been told. You get a mail when they decide."))
    return redirect("dashboard:own_budgets")


def _applying(person: User) -> Any:
    return Budget.objects.applying_to(person).select_related("person", "team")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
