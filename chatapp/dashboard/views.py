"""The dashboard's pages: parse what is asked, sum, show. `personal` is each person's own."""

from collections.abc import AsyncIterator, Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chatapp.accounts.models import User
from chatapp.dashboard import calls as call_pages
from chatapp.dashboard import export, focus, tables
from chatapp.dashboard.filters import BadFilter, Filter, business_today
from chatapp.dashboard.frame import certainty, chart_title, choices, frame, paging
from chatapp.dashboard.look import BY, OWN_BY, SORTS, UNITS, Look
from chatapp.dashboard.progress import budgets
from chatapp.dashboard.series import spend_chart
from chatapp.dashboard.spend import Spend
from chatapp.ledger.models import Charge
from chatapp.web.database import db

View = Callable[..., HttpResponse]


def asked_by(user: User | AnonymousUser, query: Any, *, personal: bool) -> Filter | None:
    """What a page is asked for, None for nobody signed in; 404 without the permission."""
    if not user.is_authenticated:
        return None
    if not personal and not user.has_perm("ledger.view_spend"):
        raise Http404
    return Filter.parse(query, today=business_today(), person=user if personal else None)


def page(view: View) -> View:
    """Give a view its Filter; answer for everybody who may not have it, and for what cannot be."""

    @never_cache
    @require_safe
    @wraps(view)
    def answer(request: HttpRequest, *, personal: bool = False, **kwargs: Any) -> HttpResponse:
        try:
            asked = asked_by(request.user, request.GET, personal=personal)
            if asked is None:
                return redirect_to_login(request.get_full_path())
            return view(request, asked, **kwargs)
        except BadFilter as bad:
            section = "usage" if personal else "spend"
            context = {"problems": bad.messages, "section": section, "start": request.path}
            return render(request, "dashboard/bad.html", context, status=400)

    return answer


@page
def spend(request: HttpRequest, asked: Filter) -> HttpResponse:
    look = Look.parse(request.GET, personal=asked.personal)
    sums = Spend(asked)
    sums.check()
    context = frame(asked, look=look) | {
        "title": _("My usage") if asked.personal else _("Spend"),
        "look": look,
        "figures": sums.figures,
        "decimals": (decimals := sums.all.decimals),
        # Of the chart's values; None where they are tokens.
        "digits": decimals if look.unit == "usd" else None,
        "certainty": certainty(sums),
        "before": asked.before().period,
        "forecast": sums.forecast,
        "budgets": budgets(asked),
        "chart": spend_chart(sums, look),
        "chart_title": chart_title(sums, look),
        "bys": choices(asked, look, "by", OWN_BY if asked.personal else BY),
        "units": choices(asked, look, "unit", UNITS),
        "sorts": {name: asked.link(**look.start(sort=name)) for name in SORTS},
        "models": tables.models_table(sums, look),
    }
    if (asked.user or asked.project) and asked.period.step == "day":
        for kind in ("project", "conversation"):
            table, pages = tables.own_table(sums, look, kind)
            context[f"{kind}s"] = table
            context[f"{kind}s_paging"] = paging(asked, look, pages, f"{kind}s")
    if not asked.personal:
        people, pages = tables.people_page(sums, look)
        context |= {
            "people": tables.people_table(sums, look, people),
            "matrix": tables.matrix(sums, look, people),
            "teams": tables.teams_table(sums, look) if sums.teams else None,
            "paging": paging(asked, look, pages),
        }
    return render(request, "dashboard/spend.html", context)


@page
def calls(request: HttpRequest, asked: Filter) -> HttpResponse:
    after = request.GET.get("after", "")
    sums = Spend(asked)
    sums.check()
    found = call_pages.page(asked, after=after)
    context = frame(asked, "calls") | {
        "title": _("My calls") if asked.personal else _("Calls"),
        "rows": [call_pages.row(charge, asked) for charge in found.calls],
        "sums": (together := sums.together),
        "decimals": together.decimals,
        "newest": asked.link("calls") if after else "",
        "more": asked.link("calls", after=found.next) if found.next else "",
    }
    return render(request, "dashboard/calls.html", context)


@page
def call(request: HttpRequest, asked: Filter, uuid: UUID) -> HttpResponse:
    charges = Charge.objects.select_related("user", "team")
    if asked.personal:
        charges = charges.filter(user=asked.user)
    charge = get_object_or_404(charges, uuid=uuid)
    context = frame(asked, "calls") | {
        "charge": charge,
        "row": call_pages.row(charge, asked),
        "receipt": charge.receipt(),
        "back": asked.link("calls"),
    }
    return render(request, "dashboard/call.html", context)


def download(
    name: str, kind: str, write: Callable[[Filter], AsyncIterator[str]]
) -> Callable[..., Any]:
    """A view that streams the calls asked for as a file."""

    @never_cache
    @require_safe
    async def answer(request: HttpRequest, *, personal: bool = False) -> HttpResponseBase:
        user = await request.auser()
        try:
            asked = await db(asked_by, user, request.GET, personal=personal)
        except BadFilter as bad:
            return HttpResponse("\n".join(bad.messages), status=400, content_type="text/plain")
        if asked is None:
            return redirect_to_login(request.get_full_path())
        file = f"{name}-{asked.period.first}-to-{asked.period.last}.{kind.rpartition('/')[2]}"
        return StreamingHttpResponse(
            write(asked),
            content_type=f"{kind}; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{file}"'},
        )

    return answer


export_csv = download("spend", "text/csv", export.csv_lines)
export_json = download("spend", "application/json", export.json_text)
export_focus = download("focus", "text/csv", focus.csv_lines)
