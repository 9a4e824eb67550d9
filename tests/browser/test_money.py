"""Figures that move in the page read as the server's do."""

import pytest
from playwright.sync_api import Page

from chatapp.pricing.money import format_usd

SHOW = "async (pusd) => (await import('/js/money.js')).usd(pusd)"


@pytest.mark.parametrize(
    "pusd",
    [0, 1, 406_000_000, 1_110_000_000, 20_700_000_000, 999_000_000_000, 10**12, 1_234_567 * 10**9],
)
def test_amounts_as_the_server_writes_them(blank: Page, pusd: int) -> None:
    assert blank.evaluate(SHOW, pusd) == format_usd(pusd)
