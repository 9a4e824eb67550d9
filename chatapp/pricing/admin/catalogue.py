"""Models in Django admin: their names, dates and whether people may pick them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from chatapp.pricing import repricing
from chatapp.pricing.forms import ModelForm
from chatapp.pricing.models import Model, price_book
from chatapp.pricing.money import format_per_mtok


class NeverDeleted(admin.ModelAdmin):
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Model)
class ModelAdmin(NeverDeleted):
    form = ModelForm
    fields = ModelForm.Meta.fields
    list_display = ("name", "id", "price_now", "context", "launched", "ends", "offered")
    search_fields = ("name", "id")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ("id",) if obj else ()

    @admin.display(description="In and out per million tokens")
    def price_now(self, model: Model) -> str:
        if (version := model.price) is None:
            return "no price in force"
        tier = version.tiers[0]
        more = " and more" if len(version.tiers) > 1 else ""
        return f"{format_per_mtok(tier.input)} · {format_per_mtok(tier.output)}{more}"

    @admin.display(description="Context, tokens", ordering="context_window")
    def context(self, model: Model) -> str:
        return f"{model.context_window:,}"

    @admin.display(description="End of life")
    def ends(self, model: Model) -> str:
        return model.end_of_life

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        # A new alias may be the name some calls wait under.
        repricing.rate_waiting(price_book())
