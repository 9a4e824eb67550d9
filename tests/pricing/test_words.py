"""Money and counts in the language of the moment."""

import pytest
from django.utils.translation import override

from chatapp.pricing import words
from chatapp.pricing.money import format_usd
from chatapp.web.numbers import number

pytestmark = pytest.mark.once

AMOUNTS = [None, 0, 1, 406_000_000, 999_000_000_000, 10**12, 1_234_567_890 * 10**9, -5 * 10**11]


@pytest.mark.parametrize("language", ["en", None])
@pytest.mark.parametrize("pusd", AMOUNTS)
def test_english_is_what_commands_write(pusd: int | None, language: str | None) -> None:
    with override(language):
        assert words.usd(pusd) == format_usd(pusd)
        assert words.usd(pusd, "exact") == format_usd(pusd, "exact")


@pytest.mark.parametrize(
    ("pusd", "german"),
    [
        (None, "ohne Preis"),
        (406_000_000, "0,000406\u00a0$"),
        (1_234_567_890 * 10**9, "1.234.567,89\u00a0$"),
        (-5 * 10**11, "-0,50\u00a0$"),
    ],
)
def test_german_has_its_own_signs(pusd: int | None, german: str) -> None:
    with override("de"):
        assert words.usd(pusd) == german


def test_rates_and_counts() -> None:
    with override("de"):
        assert words.per_mtok(100_000) == "0,10\u00a0$"
        assert number(1_234_567) == "1.234.567"
        assert words.calls_like_this(406_000_000) == (
            "Ein solcher Aufruf kostet 0,000406\u00a0$; 2.463 davon kosten einen Dollar."
        )
