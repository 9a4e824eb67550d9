"""The forms of the price book: exact, in order, and asked again when they look like a slip."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from chatapp.pricing import fields, repricing
from chatapp.pricing.book import BP, Tier, Version
from chatapp.pricing.models import (
    Model,
    PriceTier,
    PriceVersion,
    price_book,
    read_book,
)
from chatapp.pricing.segments import TOKEN_KINDS
from chatapp.pricing.words import per_mtok, usd
from chatapp.web.numbers import number


class ModelForm(forms.ModelForm):
    aliases = fields.NamesField(
        label=lazy("Aliases"),
        required=False,
        help_text=lazy("Other names the API answers to, one on each line; exact matches."),
    )

    class Meta:
        model = Model
        fields = (
            "id",
            "name",
            "aliases",
            "offered",
            "launched",
            "deprecated",
            "retires",
            "context_window",
            "max_output",
            "note",
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        ours = {data.get("id") or self.instance.pk, *data.get("aliases", [])}
        others = Model.objects.exclude(pk=self.instance.pk)
        taken = {name for other in others for name in (other.pk, *other.aliases)}
        if both := ours & taken:
            names = ", ".join(sorted(both))
            raise ValidationError(_("Another model goes by %(names)s.") % {"names": names})
        return data


class PriceVersionForm(forms.ModelForm):
    valid_from = fields.MomentField(
        label=lazy("Valid from (UTC)"),
        required=False,
        help_text=lazy(
            "To the second; empty: from now on. "
            "A time in the past re-rates the calls since, after a preview."
        ),
    )
    batch_bp = fields.multiplier(
        label=lazy("Batch multiplier"),
        least=1,
        most=BP,
        help_text=lazy("0.5 is half; empty: not offered."),
    )
    geo_us_bp = fields.multiplier(
        label=lazy("US multiplier"),
        least=BP,
        most=10 * BP,
        help_text=lazy("Like 1.1; empty: not offered."),
    )
    web_search_pusd = fields.per_thousand(label=lazy("Web search, $ per 1,000"))
    reason = forms.CharField(
        label=lazy("Reason"),
        max_length=300,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=lazy("Kept with the version."),
    )

    class Meta:
        model = PriceVersion
        fields = (
            "model",
            "speed",
            "valid_from",
            "available",
            "batch_bp",
            "geo_us_bp",
            "web_search_pusd",
            "reason",
            "source",
        )

    def clean_valid_from(self) -> datetime:
        # The next second, so that no call made until now is touched.
        next_second = timezone.now().replace(microsecond=0) + timedelta(seconds=1)
        return self.cleaned_data["valid_from"] or next_second

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        model, begins = data.get("model"), data.get("valid_from")
        if model and begins and begins.date() < model.launched:
            told = _("%(model)s was launched on %(day)s.")
            day = f"{model.launched:%Y-%m-%d}"
            self.add_error("valid_from", told % {"model": model, "day": day})
        return data


class PriceTierForm(forms.ModelForm):
    over = forms.IntegerField(
        label=lazy("Prompt over, tokens"),
        initial=0,
        min_value=0,
        max_value=2**31 - 1,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 10}),
    )
    input = fields.per_mtok(label=lazy("Input"))
    cache_write_5m = fields.per_mtok(label=lazy("Cache write, 5 min"))
    cache_write_1h = fields.per_mtok(label=lazy("Cache write, 1 h"))
    cache_read = fields.per_mtok(label=lazy("Cache read"))
    output = fields.per_mtok(label=lazy("Output"))

    class Meta:
        model = PriceTier
        fields = ("over", *TOKEN_KINDS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The heads of an inline table's columns are labels to the eye only.
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for lower, upper, told in (
            ("cache_read", "input", _("A cache read costs at most what input does.")),
            ("input", "cache_write_5m", _("A cache write costs at least what input does.")),
            (
                "cache_write_5m",
                "cache_write_1h",
                _("A write for 1 h costs at least one for 5 min."),
            ),
        ):
            if lower in data and upper in data and data[lower] > data[upper]:
                self.add_error(lower if lower == "cache_read" else upper, told)
        return data


class TierFormSet(forms.BaseInlineFormSet):
    """The tiers, and with them the whole version: checked as the book would, then confirmed.

    `warnings` holds what looks like a slip or reaches into the past; the form is refused until it
    comes back with `to_confirm`, which names exactly these prices, in the field "confirm".
    """

    warnings: tuple[str, ...] = ()
    to_confirm = ""

    def clean(self) -> None:
        super().clean()
        parent: PriceVersion = self.instance
        complete = parent.model_id and parent.valid_from and parent.web_search_pusd is not None
        if any(self.errors) or not complete:
            return
        try:
            version = self._version(parent)
        except ValueError as error:
            raise ValidationError(_(str(error))) from error
        timed = bool(self.data.get("valid_from"))
        # "From now on" means the same when it is confirmed, some seconds later.
        meant = version if timed else replace(version, valid_from=datetime.max)
        digest = hashlib.sha256(repr(meant).encode()).hexdigest()[:16]
        if self.data.get("confirm") == digest:
            return
        if warnings := (*_leaps(version), *(_reach_back(version) if timed else ())):
            self.warnings, self.to_confirm = warnings, digest
            raise ValidationError(_("Look again, and confirm below."))

    def _version(self, parent: PriceVersion) -> Version:
        rows = [form.cleaned_data for form in self.forms if form.has_changed()]
        tiers = [
            Tier(over=row["over"], **{kind: row[kind] for kind in TOKEN_KINDS})
            for row in rows
            if not row.get("DELETE")
        ]
        return Version(
            model=parent.model_id,
            speed=parent.speed,
            valid_from=parent.valid_from,
            available=parent.available,
            batch_bp=parent.batch_bp,
            geo_us_bp=parent.geo_us_bp,
            web_search_pusd=parent.web_search_pusd,
            tiers=tuple(sorted(tiers, key=lambda tier: tier.over)),
        )


def _leaps(version: Version) -> Iterator[str]:
    """Prices that change by more than half against the version they take over from."""
    before = price_book().version(version.model, version.speed, version.valid_from)
    if before is None:
        return
    for tier in version.tiers:
        old_tier = before.tier(tier.over + 1)
        for kind in TOKEN_KINDS:
            old, new = getattr(old_tier, kind), getattr(tier, kind)
            if abs(new - old) * 2 > old:
                told = (
                    _("%(kind)s over %(over)s tokens goes from %(old)s to %(new)s.")
                    if tier.over
                    else _("%(kind)s goes from %(old)s to %(new)s.")
                )
                yield told % {
                    "kind": PriceTierForm.base_fields[kind].label,
                    "over": number(tier.over),
                    "old": per_mtok(old),
                    "new": per_mtok(new),
                }
    old, new = before.web_search_pusd, version.web_search_pusd
    if abs(new - old) * 2 > old:
        fees = {"old": usd(old, "exact"), "new": usd(new, "exact")}
        yield _("A web search goes from %(old)s to %(new)s.") % fees


def _reach_back(version: Version) -> Iterator[str]:
    if version.valid_from > timezone.now():
        return
    book = read_book(PriceVersion.objects.known(), version)
    effect = repricing.preview(book, model=version.model, since=version.valid_from)
    yield _("This begins in the past. %(effect)s") % {"effect": described(effect)}


def described(effect: repricing.Effect) -> str:
    """What re-rating does, in a sentence: "1,204 calls change, by +$3.11 in all." """
    if not effect.calls:
        return _("No call made since then changes.")
    sign = "+" if effect.difference_pusd > 0 else ""
    told = (
        ngettext(
            "%(calls)s call changes, by %(total)s in all, "
            "%(first)s of them priced for the first time.",
            "%(calls)s calls change, by %(total)s in all, "
            "%(first)s of them priced for the first time.",
            effect.calls,
        )
        if effect.newly_priced
        else ngettext(
            "%(calls)s call changes, by %(total)s in all.",
            "%(calls)s calls change, by %(total)s in all.",
            effect.calls,
        )
    )
    rest = _("Each gets an adjustment; no line is rewritten.")
    changes = told % {
        "calls": number(effect.calls),
        "total": f"{sign}{usd(effect.difference_pusd)}",
        "first": number(effect.newly_priced),
    }
    return f"{changes} {rest}"
