"""The form that gives a counter a price: exact, and confirmed when it reaches into the past."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from chatapp.pricing import fields, repricing
from chatapp.pricing.book import CounterRate
from chatapp.pricing.counters import KNOWN
from chatapp.pricing.forms import described
from chatapp.pricing.models import CounterPrice, PriceVersion, read_book

WIDE = forms.TextInput(attrs={"class": "vTextField"})


class CounterPriceForm(forms.ModelForm):
    counter = forms.CharField(
        max_length=200,
        widget=WIDE,
        label=lazy("Counter"),
        validators=[
            RegexValidator(r"\A[A-Za-z0-9_.-]+\Z", lazy("Letters, digits and _ . - only."))
        ],
        help_text=lazy("As the usage names it, like server_tool_use.tool_search_requests."),
    )
    unit_price_pusd = fields.per_thousand(
        label=lazy("Price of 1,000, $"),
        help_text=lazy("Of any model; no multiplier touches it. 0 ends an earlier price."),
    )
    valid_from = fields.MomentField(
        label=lazy("Valid from (UTC)"),
        required=False,
        help_text=lazy(
            "Empty: from now on. A time in the past rates the calls since, after a preview."
        ),
    )
    reason = forms.CharField(
        label=lazy("Reason"), max_length=300, widget=WIDE, help_text=lazy("Kept with the price.")
    )

    # As of TierFormSet.
    warnings: tuple[str, ...] = ()
    to_confirm = ""

    class Meta:
        model = CounterPrice
        fields = ("counter", "unit_price_pusd", "valid_from", "reason")

    def clean_counter(self) -> str:
        counter: str = self.cleaned_data["counter"]
        if counter in KNOWN:
            raise ValidationError(_("This one has its place among the price versions."))
        return counter

    def clean_valid_from(self) -> datetime:
        return self.cleaned_data["valid_from"] or timezone.now() + timedelta(seconds=1)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and data["valid_from"] <= timezone.now():
            self._confirm(CounterRate(data["counter"], data["valid_from"], data["unit_price_pusd"]))
        return data

    def _confirm(self, rate: CounterRate) -> None:
        digest = hashlib.sha256(repr(rate).encode()).hexdigest()[:16]
        if self.data.get("confirm") == digest:
            return
        known = [price.value() for price in CounterPrice.objects.order_by("recorded_at", "pk")]
        book = read_book(PriceVersion.objects.known(), counters=[*known, rate])
        effect = repricing.preview(book, counter=rate.counter, since=rate.valid_from)
        told = _("This begins in the past. %(effect)s") % {"effect": described(effect)}
        self.warnings = (told,)
        self.to_confirm = digest
        raise ValidationError(_("Look again, and confirm below."))
