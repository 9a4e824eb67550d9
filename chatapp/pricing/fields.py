"""Form fields in the units people price in, over the integers the book keeps."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import get_format
from django.utils.translation import gettext as _

from chatapp.pricing import money
from chatapp.pricing.book import BP, DEAREST
from chatapp.pricing.price_file import moment


class WholeField(forms.CharField):
    """A decimal that must come out as a whole number of `unit`s: exact, finite, in bounds."""

    def __init__(self, *, unit: int, least: int = 0, most: int = DEAREST, **kwargs: Any) -> None:
        self.unit, self.least, self.most = unit, least, most
        widget = forms.TextInput(attrs={"inputmode": "decimal", "size": 10})
        super().__init__(**{"widget": widget, "max_length": 40, "empty_value": None, **kwargs})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if text is None:
            return None
        try:
            units = money.whole(_with_point(text), self.unit)
        except ValueError as error:
            raise ValidationError(_(str(error))) from error
        if not self.least <= units <= self.most:
            least, most = self._shown(self.least), self._shown(self.most)
            raise ValidationError(
                _("This lies between %(least)s and %(most)s.") % {"least": least, "most": most}
            )
        return units

    def prepare_value(self, value: Any) -> Any:
        return self._shown(value) if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def _shown(self, units: int) -> str:
        return f"{(Decimal(units) / self.unit).normalize():f}"


def _with_point(text: str) -> str:
    """The decimal comma of a language that has one; a point always parts the decimals as well."""
    comma = get_format("DECIMAL_SEPARATOR") == "," and "." not in text
    return text.replace(",", ".") if comma else text


def per_mtok(**kwargs: Any) -> WholeField:
    """Dollars per million tokens, kept as pico-USD per token."""
    return WholeField(unit=money.PER_MTOK, **kwargs)


def per_thousand(**kwargs: Any) -> WholeField:
    """Dollars for a thousand searches, kept as pico-USD for one."""
    return WholeField(unit=money.PUSD // 1000, **kwargs)


def multiplier(**kwargs: Any) -> WholeField:
    """A factor, kept as basis points."""
    return WholeField(unit=BP, required=False, **kwargs)


class MomentField(forms.CharField):
    """A time typed as ISO: UTC, unless it brings an offset of its own."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"size": 26, "placeholder": "2026-12-01 00:00:00"})
        super().__init__(**{"widget": widget, "max_length": 40, **kwargs})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return moment(text) if text else None
        except ValueError as error:
            raise ValidationError(_("Type a time like 2026-12-01 00:00:00.")) from error


class NamesField(forms.CharField):
    """Names, one on each line, kept as a list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3}), **kwargs)

    def clean(self, value: Any) -> Any:
        return list(dict.fromkeys(super().clean(value).split()))

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != (data or "").split()
