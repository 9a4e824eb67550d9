"""Setting a budget, in dollars; the administration and the budgets page use the same form."""

from decimal import Decimal
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from chatapp.ledger.budgets import MOST, Budget
from chatapp.pricing.money import dollars, pusd


class Select(forms.Select):
    """Thousands of people to choose from, written at once: a template for each takes its time."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = self.format_value(value)
        options = "".join(
            f'<option value="{escape(key)}"{" selected" if str(key) in chosen else ""}>'
            f"{escape(label)}</option>"
            for key, label in self.choices
        )
        given = flatatt({**self.build_attrs(self.attrs, attrs), "name": name})
        return format_html("<select{}>{}</select>", given, mark_safe(options))  # noqa: S308


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
        widgets = {"person": Select}

    field_order = ("scope", "person", "team", "limit", "period", "hard")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people: Any = self.fields["person"]
        people.queryset = people.queryset.only("username")
        if self.instance.pk:
            self.initial["limit"] = dollars(self.instance.limit_pusd)

    def _post_clean(self) -> None:
        # Before the model's own checks, which look at the limit.
        if (limit := self.cleaned_data.get("limit")) is not None:
            self.instance.limit_pusd = pusd(limit)
        super()._post_clean()  # type: ignore[misc]
