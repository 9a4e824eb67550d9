"""Figures that move in the page read as the server's do, in each language."""

import pytest
from django.utils.translation import override
from playwright.sync_api import Page

from chatapp.pricing.words import usd
from chatapp.web.numbers import number

SHOW = """async ([language, module, name, value]) => {
  document.documentElement.lang = language;
  return (await import(`/js/${module}.js?${language}`))[name](value);
}"""


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    "pusd",
    [0, 1, 406_000_000, 1_110_000_000, 20_700_000_000, 999_000_000_000, 10**12, 1_234_567 * 10**9],
)
def test_amounts_as_the_server_writes_them(blank: Page, pusd: int, language: str) -> None:
    with override(language):
        assert blank.evaluate(SHOW, [language, "money", "usd", pusd]) == usd(pusd)
        assert blank.evaluate(SHOW, [language, "words", "number", pusd]) == number(pusd)
