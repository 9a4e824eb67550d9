"""The page of comparisons with the vendor's report."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chatapp.dashboard.models import Reconciliation

SHOWN = 30


@never_cache
@require_safe
def reconciliation(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """One comparison, the latest unless another is named, and a list of all lately made."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if not request.user.has_perm("ledger.view_spend"):
        raise Http404
    made = Reconciliation.objects.all()
    shown: Any = get_object_or_404(made, pk=pk) if pk else made.first()
    context = {"section": "spend", "shown": shown, "made": made[:SHOWN]}
    return render(request, "dashboard/reconciliation.html", context)
