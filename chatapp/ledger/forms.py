"""Setting a budget, in dollars; the administration and the budgets page use the same form."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chatapp.ledger.budgets import MOST, Budget
from chatapp.pricing.money import dollars, pusd


class BudgetForm(forms.ModelForm):
    limit = forms.DecimalField(
        label=_("Limit in dollars"),
        min_value=Decimal(0),
        max_value=dollars(MOST),
        decimal_places=12,
    )

    class Meta:
        model = Budget
        fields = ("scope", "person", "team", "period", "hard")
        labels = {
            "scope": _("For"),
            "person": _("Person"),
            "team": _("Team"),
            "period": _("Period"),
            "hard": _("Refuse messages that do not fit"),
        }
        help_texts = {"hard": ""}

    field_order = ("scope", "person", "team", "limit", "period", "hard")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["limit"] = dollars(self.instance.limit_pusd)

    def _post_clean(self) -> None:
        # Before the model's own checks, which look at the limit.
        if (limit := self.cleaned_data.get("limit")) is not None:
            self.instance.limit_pusd = pusd(limit)
        super()._post_clean()  # type: ignore[misc]
