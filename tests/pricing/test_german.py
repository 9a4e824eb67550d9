"""The price book to a reader of German: a decimal comma is understood, never guessed at."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from chatapp.pricing import fields

pytestmark = pytest.mark.once
FIELD = fields.per_mtok()


@pytest.mark.parametrize("typed", ["0,125", "0.125", "0,1250"])
def test_comma_and_point_part_the_decimals(typed: str) -> None:
    with translation.override("de"):
        assert FIELD.clean(typed) == 125_000


@pytest.mark.parametrize("typed", ["1.000,5", "1,000,5", "1,000.5"])
def test_what_could_mean_two_things_is_refused(typed: str) -> None:
    with translation.override("de"), pytest.raises(ValidationError, match="Keine Zahl"):
        FIELD.clean(typed)


def test_english_has_no_decimal_comma() -> None:
    with translation.override("en"), pytest.raises(ValidationError, match="Not a number"):
        FIELD.clean("0,125")
