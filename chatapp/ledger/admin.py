"""Budgets to set and charges to look at; money that was recorded is never edited here."""

from datetime import UTC
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from chatapp.ledger.forms import BudgetForm
from chatapp.ledger.models import Budget, Charge, Source, Status, UnknownCounter
from chatapp.pricing.words import usd


@admin.register(Budget)
class BudgetAdmin(admin.ModelAdmin):
    form = BudgetForm
    fields = ("scope", "person", "team", "period", "limit", "hard", "created_at", "created_by")
    readonly_fields = ("created_at", "created_by")
    list_display = ("__str__", "hard", "stands")
    list_select_related = ("person", "team")

    def save_model(self, request: HttpRequest, obj: Budget, form: Any, change: bool) -> None:
        if not change:
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)

    @admin.display(description=lazy("In this period"))
    def stands(self, budget: Budget) -> str:
        source = Source.DEMO if settings.DEMO else Source.ANTHROPIC
        standing = Charge.objects.standing(budget, source=source)
        return _("%(percent)s %%: %(spent)s spent, %(held)s held; starts anew %(day)s") % {
            "percent": standing.percent,
            "spent": usd(standing.spent_pusd),
            "held": usd(standing.held_pusd),
            "day": date_format(standing.resets_on, _("Y-m-d")),
        }

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("ledger.manage_budgets")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    has_change_permission = has_delete_permission = has_view_permission


@admin.register(UnknownCounter)
class UnknownCounterAdmin(admin.ModelAdmin):
    """Where somebody who has looked gives a counter a price, or says that it is harmless."""

    list_display = ("name", "first_seen_at", "harmless", "price")
    list_select_related = ("charge",)
    fields = ("name", "charge", "first_seen_at", "price", "harmless")
    readonly_fields = ("name", "charge", "first_seen_at", "price")

    @admin.display(description=lazy("Price"))
    def price(self, counter: UnknownCounter) -> str:
        """From the first call that had it, so that all of them are rated."""
        first = counter.charge.authorized_at.astimezone(UTC)
        query = urlencode({"counter": counter.name, "valid_from": f"{first:%Y-%m-%d %H:%M:%S}"})
        add = reverse("admin:pricing_counterprice_add")
        return format_html('<a href="{}?{}">{}</a>', add, query, _("Give it a price"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Charge)
class ChargeAdmin(admin.ModelAdmin):
    """To look at only; the receipt says the same for people."""

    list_display = ("authorized_at", "user", "model", "state", "status", "cost", "flags")
    list_filter = ("source", "state", "status", "purpose")
    list_select_related = ("user",)
    list_display_links = ("authorized_at",)
    search_fields = ("uuid__iexact", "request_id__iexact", "message_id__iexact")
    search_help_text = lazy("The whole id of a charge, a request or a message")
    date_hierarchy = "day"
    show_full_result_count = False

    @admin.display(description=lazy("Cost"), ordering="amount_pusd")
    def cost(self, charge: Charge) -> str:
        if charge.amount_pusd is None:
            return Status(charge.status).word if charge.status else ""
        return usd(charge.amount_pusd)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("ledger.view_spend")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_delete_permission = has_change_permission
