"""An admin changes a price in a real browser: prefilled, tiers added, asked again, in the list."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.servers import Server

pytestmark = pytest.mark.once


def test_a_new_version_is_made_from_an_old_one_and_cancelled(
    server: Server, visit: Callable[..., Page]
) -> None:
    page = visit(server, "admin", "/admin/pricing/priceversion/")
    page.get_by_role("link", name="Claude Haiku 4.5").first.click()
    expect(page.get_by_role("heading", name="View price version")).to_be_visible()
    expect(page.locator(".tabular")).to_contain_text("$1.25")
    page.get_by_role("link", name="New version from this one").click()

    tomorrow = datetime.now(UTC) + timedelta(days=1)
    page.locator("#id_valid_from").fill(f"{tomorrow:%Y-%m-%d %H:%M:%S}")
    page.locator("#id_reason").fill("<b>announced</b>")
    page.locator("#id_tiers-0-output").fill("12")
    page.locator(".add-row a").click()
    for kind, dollars in {
        "over": "100000",
        "input": "2",
        "cache_write_5m": "2.5",
        "cache_write_1h": "4",
        "cache_read": "0.2",
        "output": "24",
    }.items():
        page.locator(f"#id_tiers-1-{kind}").fill(dollars)
    page.locator(".add-row a").click()
    page.locator("#tiers-2 .inline-deletelink").click()
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("Output goes from $5 to $12.")
    expect(page.get_by_role("alert")).to_contain_text("over 100,000 tokens goes from $5 to $24.")
    page.get_by_label("These prices are meant").check()
    page.get_by_role("button", name="Save", exact=True).click()
    row = page.locator("#result_list tr", has_text="over 100,000: $2 · $24")
    expect(row).to_contain_text("future")
    expect(row).to_contain_text("<b>announced</b>")

    row.get_by_role("link", name="Claude Haiku 4.5").click()
    page.get_by_role("link", name="Cancel this version").click()
    page.get_by_role("button", name="Cancel this version").click()
    expect(page.locator("ul.messagelist")).to_contain_text("is cancelled")
    expect(page.locator(".field-state")).to_contain_text("cancelled")
    expect(page.get_by_role("link", name="Cancel this version")).to_have_count(0)
