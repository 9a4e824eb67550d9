"""The what-if page: the days and filters of the dashboard, replayed under other conditions."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from chatapp.dashboard import views
from chatapp.dashboard.filters import BadFilter, Filter
from chatapp.dashboard.what_if import Call, Outcome, Scenario, replay
from chatapp.pricing.models import Model, price_book

MOST = 20_000  # calls
# The rest of a charge takes longer to read than its price to be worked out.
READ = (
    *("model", "served_model", "authorized_at", "amount_pusd", "usage", "response", "certainty"),
    *("estimated_output", "reported_output"),
)


@views.page
def what_if(request: HttpRequest, asked: Filter) -> HttpResponse:
    """At most MOST calls, so that a page answers; more have to be narrowed down."""
    models = list(Model.objects.values_list("id", flat=True).order_by("id"))
    scenario = _scenario(request, models)
    calls = asked.charges().filter(amount_pusd__isnull=False)
    context: dict[str, Any] = {
        "section": "usage" if asked.personal else "spend",
        "asked": asked,
        "scenario": scenario,
        "kept": asked.params().items(),
        "models": models,
        "back": asked.link(),
        "most": MOST,
        "too_many": scenario.changes and calls[MOST : MOST + 1].exists(),
    }
    if scenario.changes and not context["too_many"]:
        outcomes = replay(price_book(), _calls(calls), scenario)
        ordered = sorted(outcomes.items(), key=lambda item: -item[1].actual_pusd)
        context |= {"rows": ordered, "together": _together(outcomes.values())}
    return render(request, "dashboard/what_if.html", context)


def _scenario(request: HttpRequest, models: list[str]) -> Scenario:
    model, day = request.GET.get("as", ""), request.GET.get("prices", "")
    if model and model not in models:
        raise BadFilter([_("There is no such model.")])
    try:
        at = datetime.combine(date.fromisoformat(day), time(12), UTC) if day else None
    except ValueError:
        raise BadFilter([_("“prices” is a day like 2026-11-21.")]) from None
    return Scenario(model=model, at=at, cached=request.GET.get("cache") != "off")


def _calls(charges: Any) -> Iterator[Call]:
    read = charges.only(*READ).order_by("pk").prefetch_related("adjustments")
    for charge in read.iterator(chunk_size=500):
        yield Call(charge.model, charge.authorized_at, charge.amount_pusd, charge.metered())


def _together(outcomes: Any) -> Outcome:
    found = Outcome()
    for one in outcomes:
        found.calls += one.calls
        found.actual_pusd += one.actual_pusd
        found.otherwise_pusd += one.otherwise_pusd
        found.unpriced += one.unpriced
    return found
