"""The spend for programs: the exports, with their filters and totals, behind a token; read only."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chatapp.accounts.models import User
from chatapp.dashboard import export, focus
from chatapp.dashboard.filters import BadFilter, Filter, business_today
from chatapp.dashboard.tokens import ApiToken
from chatapp.web.database import db


def feed(kind: str, write: Callable[[Filter], AsyncIterator[str]]) -> Callable[..., Any]:
    """A view that streams the calls asked for to whoever holds a live token."""

    @never_cache
    @require_safe
    async def answer(request: HttpRequest) -> HttpResponseBase:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not await db(ApiToken.objects.holder, secret.strip()):
            refusal = {"errors": ["Send “Authorization: Bearer” and a token that is in force."]}
            return JsonResponse(refusal, status=401, headers={"WWW-Authenticate": "Bearer"})
        try:
            asked = await db(_asked, request)
        except BadFilter as bad:
            return JsonResponse({"errors": bad.messages}, status=400)
        return StreamingHttpResponse(write(asked), content_type=f"{kind}; charset=utf-8")

    return answer


def _asked(request: HttpRequest) -> Filter:
    """Programs are told in English what was wrong."""
    with override(None):
        return Filter.parse(request.GET, today=business_today())


spend_json = feed("application/json", export.json_text)
spend_csv = feed("text/csv", export.csv_lines)
spend_focus = feed("text/csv", focus.csv_lines)


class TokenForm(forms.ModelForm):
    class Meta:
        model = ApiToken
        fields = ("name",)
        labels = {"name": lazy("Name")}
        help_texts = {"name": lazy("What it is for.")}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """All tokens; a new one's secret is in the answer to its form, and nowhere else."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    user, secret = _admin(request), ""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _, secret = ApiToken.objects.make(name=form.cleaned_data["name"], by=user)
        form = TokenForm()
    made = ApiToken.objects.select_related("made_by", "revoked_by")[:200]
    context = {"section": "spend", "form": form, "secret": secret, "tokens": made}
    return render(request, "dashboard/tokens.html", context, status=400 if form.errors else 200)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login("/dashboard/tokens/")
    get_object_or_404(ApiToken, pk=pk).revoke(by=_admin(request))
    return redirect("dashboard:tokens")


def _admin(request: HttpRequest) -> User:
    user = request.user
    if not isinstance(user, User) or not user.has_perms(
        ["dashboard.add_apitoken", "ledger.view_spend"]
    ):
        raise Http404
    return user
