"""Models in Django admin: their names, dates and whether people may pick them."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from chatapp.pricing import repricing
from chatapp.pricing.forms import ModelForm
from chatapp.pricing.models import Model, price_book
from chatapp.pricing.words import per_mtok
from chatapp.web.numbers import number


class NeverDeleted(admin.ModelAdmin):
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def signed(at: datetime | None, by: Any) -> str:
    """When something was done, and by whom."""
    if at is None:
        return _("never")
    when = f"{at:%Y-%m-%d %H:%M:%S}"
    return _("%(when)s by %(person)s") % {"when": when, "person": by} if by else when


@admin.register(Model)
class ModelAdmin(NeverDeleted):
    form = ModelForm
    fields = ModelForm.Meta.fields
    list_display = ("name", "id", "price_now", "context", "launched", "ends", "offered")
    search_fields = ("name", "id")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ("id",) if obj else ()

    @admin.display(description=lazy("In and out per million tokens"))
    def price_now(self, model: Model) -> str:
        if (version := model.price) is None:
            return _("no price in force")
        tier = version.tiers[0]
        rates = f"{per_mtok(tier.input)} · {per_mtok(tier.output)}"
        return _("%(rates)s and more") % {"rates": rates} if len(version.tiers) > 1 else rates

    @admin.display(description=lazy("Context, tokens"), ordering="context_window")
    def context(self, model: Model) -> str:
        return number(model.context_window)

    @admin.display(description=lazy("End of life"))
    def ends(self, model: Model) -> str:
        return model.end_of_life

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        # A new alias may be the name some calls wait under.
        repricing.rate_waiting(price_book())
