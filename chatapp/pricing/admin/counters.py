"""Prices of counters that no rule knows, in Django admin: added after a preview, never changed."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as lazy

from chatapp.pricing import repricing
from chatapp.pricing.admin.catalogue import NeverDeleted, signed
from chatapp.pricing.counter_form import CounterPriceForm
from chatapp.pricing.forms import described
from chatapp.pricing.models import CounterPrice, price_book
from chatapp.pricing.money import exact
from chatapp.pricing.words import placed


@admin.register(CounterPrice)
class CounterPriceAdmin(NeverDeleted):
    form = CounterPriceForm
    change_form_template = "admin/pricing/counterprice/change_form.html"
    list_display = ("counter", "price", "begins", "reason", "recorded")
    list_select_related = ("recorded_by",)
    search_fields = ("counter", "reason")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.list_display if obj else CounterPriceForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.list_display if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request)

    @admin.display(description=lazy("Price of 1,000"))
    def price(self, price: CounterPrice) -> str:
        return placed(f"${exact(price.unit_price_pusd * 1000)}")

    @admin.display(description=lazy("Valid from (UTC)"), ordering="valid_from")
    def begins(self, price: CounterPrice) -> str:
        return f"{price.valid_from:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=lazy("Recorded (UTC)"), ordering="recorded_at")
    def recorded(self, price: CounterPrice) -> str:
        return signed(price.recorded_at, price.recorded_by)

    def save_model(self, request: HttpRequest, obj: CounterPrice, form: Any, change: bool) -> None:
        obj.recorded_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)
        if obj.valid_from <= timezone.now():
            effect = repricing.apply(
                price_book(),
                counter=obj.counter,
                since=obj.valid_from,
                note=obj.reason,
                by=request.user,
            )
            messages.info(request, described(effect))
