"""Price versions in Django admin: added, scheduled and cancelled, never changed."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import gettext_noop as noop

from chatapp.pricing import genai, repricing
from chatapp.pricing.admin.catalogue import NeverDeleted, signed
from chatapp.pricing.book import BP
from chatapp.pricing.forms import PriceTierForm, PriceVersionForm, TierFormSet, described
from chatapp.pricing.models import PriceTier, PriceVersion, price_book
from chatapp.pricing.money import PUSD, exact
from chatapp.pricing.segments import TOKEN_KINDS
from chatapp.pricing.words import per_mtok, placed
from chatapp.web.numbers import localized, number

BADGES = {
    noop("current"): "good",
    noop("future"): "info",
    noop("past"): "",
    noop("cancelled"): "warning",
}
KEPT_FROM_MODEL_VERSION = (
    "model",
    "speed",
    "available",
    "batch_bp",
    "geo_us_bp",
    "web_search_pusd",
    "source",
)


def _dollars(kind: str) -> Any:
    @admin.display(description=PriceTierForm.base_fields[kind].label)
    def shown(self: Any, tier: PriceTier) -> str:
        return per_mtok(getattr(tier, kind))

    return shown


class TierInline(admin.TabularInline):
    """Dollars per million tokens; a recorded version's tiers are only shown."""

    model = PriceTier
    form = PriceTierForm
    formset = TierFormSet
    verbose_name_plural = lazy("Rates in dollars per million tokens, by length of the prompt")

    shown_input = _dollars("input")
    shown_cache_write_5m = _dollars("cache_write_5m")
    shown_cache_write_1h = _dollars("cache_write_1h")
    shown_cache_read = _dollars("cache_read")
    shown_output = _dollars("output")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["over", *(f"shown_{kind}" if obj else kind for kind in TOKEN_KINDS)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [f"shown_{kind}" for kind in TOKEN_KINDS] if obj else []

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj else max(1, len(_tiers(_origin(request))))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and request.user.has_perm("pricing.add_priceversion")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("pricing.view_priceversion")


@admin.register(PriceVersion)
class PriceVersionAdmin(NeverDeleted):
    form = PriceVersionForm
    inlines = (TierInline,)
    change_form_template = "admin/pricing/priceversion/change_form.html"
    change_list_template = "admin/pricing/priceversion/change_list.html"
    list_display = ("model", "speed", "state", "rates", "begins", "reason", "recorded")
    list_select_related = ("model", "recorded_by")
    search_fields = ("model__name", "model__id", "reason", "source")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PriceVersion]:
        return PriceVersion.objects.with_successors(timezone.now()).prefetch_related("tiers")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return PriceVersionForm.Meta.fields
        return (
            "state",
            "model",
            "speed",
            "begins",
            "available",
            "batch",
            "us",
            "web_search",
            "reason",
            "source",
            "recorded",
            "cancelled",
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes a version: what was recorded, and may have been used, stays."""
        return obj is None and super().has_change_permission(request)

    @admin.display(description=lazy("State"))
    def state(self, version: PriceVersion) -> str:
        badge = '<span class="badge {}">{}</span>'
        return format_html(badge, BADGES[version.state], _(version.state))

    @admin.display(description=lazy("In and out per million tokens"))
    def rates(self, version: PriceVersion) -> str:
        if not version.available:
            return _("not on sale")
        tiers = [tier.value() for tier in version.tiers.all()]
        return "; ".join(
            (_("over %(count)s: ") % {"count": number(tier.over)} if tier.over else "")
            + f"{per_mtok(tier.input)} · {per_mtok(tier.output)}"
            for tier in tiers
        )

    @admin.display(description=lazy("Valid from (UTC)"), ordering="valid_from")
    def begins(self, version: PriceVersion) -> str:
        return f"{version.valid_from:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=lazy("Batch multiplier"))
    def batch(self, version: PriceVersion) -> str:
        return _factor(version.batch_bp)

    @admin.display(description=lazy("US multiplier"))
    def us(self, version: PriceVersion) -> str:
        return _factor(version.geo_us_bp)

    @admin.display(description=lazy("Web search, $ per 1,000"))
    def web_search(self, version: PriceVersion) -> str:
        return placed(f"${exact(version.web_search_pusd * 1000)}")

    @admin.display(description=lazy("Recorded (UTC)"), ordering="recorded_at")
    def recorded(self, version: PriceVersion) -> str:
        return signed(version.recorded_at, version.recorded_by)

    @admin.display(description=lazy("Cancelled (UTC)"))
    def cancelled(self, version: PriceVersion) -> str:
        return signed(version.cancelled_at, version.cancelled_by)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        if origin := _origin(request):
            return {name: getattr(origin, name) for name in KEPT_FROM_MODEL_VERSION}
        return {"batch_bp": BP // 2, "web_search_pusd": PUSD // 100}

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> Any:
        kwargs = super().get_formset_kwargs(request, obj, inline, prefix)
        # Not on the way back: rows that equal their initial values would count as left empty.
        if request.method == "GET" and obj._state.adding:
            kwargs["initial"] = _tiers(_origin(request))
        return kwargs

    def save_model(self, request: HttpRequest, obj: PriceVersion, form: Any, change: bool) -> None:
        obj.recorded_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        version: PriceVersion = form.instance
        if version.valid_from <= timezone.now():
            effect = repricing.apply(
                price_book(),
                model=version.model_id,
                since=version.valid_from,
                note=version.reason,
                by=request.user,
            )
            messages.info(request, described(effect))

    def get_urls(self) -> list[URLPattern]:
        cancel = self.admin_site.admin_view(self.cancel_view)
        name = "pricing_priceversion_cancel"
        compare = self.admin_site.admin_view(self.compare_view)
        return [
            path("<int:pk>/cancel/", cancel, name=name),
            path("compare/", compare, name="pricing_priceversion_compare"),
            *super().get_urls(),
        ]

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        """Where genai-prices differs from the book; what is ticked is recorded, all or none."""
        if not request.user.has_perm("pricing.add_priceversion"):
            raise PermissionDenied
        if request.method == "POST":
            taken = genai.take(request.POST.getlist("take"), by=request.user)
            for version in taken:
                self.log_addition(request, version, "Taken from genai-prices.")
            told = _("%(count)s recorded, in force from now on.") % {"count": number(len(taken))}
            messages.success(request, told)
            return redirect("admin:pricing_priceversion_changelist")
        context = {**self.admin_site.each_context(request), "title": _("Compare with genai-prices")}
        try:
            context |= {"proposals": genai.proposals(timezone.now())}
        except genai.NotInstalledError as error:
            context |= {"missing": str(error)}
        return TemplateResponse(request, "admin/pricing/priceversion/compare.html", context)

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take back a version that has not begun, after asking."""
        version = get_object_or_404(self.get_queryset(request), pk=pk)
        if not request.user.has_perm("pricing.change_priceversion"):
            raise PermissionDenied
        if request.method != "POST":
            context = {**self.admin_site.each_context(request), "version": version}
            context |= {"title": _("Cancel a price"), "opts": self.opts}
            return TemplateResponse(request, "admin/pricing/priceversion/cancel.html", context)
        try:
            version.cancel(by=request.user)
        except ValidationError as error:
            messages.error(request, error.messages[0])
        else:
            self.log_change(request, version, "Cancelled.")
            messages.success(request, _("%(version)s is cancelled.") % {"version": version})
        return redirect("admin:pricing_priceversion_change", version.pk)


def _origin(request: HttpRequest) -> PriceVersion | None:
    """The version a new one is made from: ?from=…"""
    pk = request.GET.get("from", "")
    return PriceVersion.objects.filter(pk=int(pk)).first() if pk.isdecimal() else None


def _tiers(version: PriceVersion | None) -> list[dict[str, int]]:
    return list(version.tiers.values("over", *TOKEN_KINDS)) if version else []


def _factor(basis_points: int | None) -> str:
    return _("not offered") if basis_points is None else localized(f"{basis_points / BP:g}")
