"""Whoever pays looks at the spend: chart, filters, drill-down to a receipt, export, small screens."""

import csv
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.servers import Server

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def ledger(demo_server: Server) -> Server:
    """A server with three thousand made-up calls of demonstration money."""
    demo_server.manage("make_demo_data", "--calls", "3000", "--people", "40", "--days", "60")
    return demo_server


@pytest.fixture
def spend(visit: Visit, ledger: Server) -> Page:
    return visit(ledger, "admin", "/dashboard/")


def dollars(text: str | None) -> float:
    return float((text or "").replace("$", "").replace(",", ""))


def test_a_bar_tells_its_parts_and_leads_to_its_calls(spend: Page) -> None:
    bar, next_bar = spend.locator("a.column").nth(20), spend.locator("a.column").nth(21)
    tip = spend.locator(".tip")
    expect(tip).to_be_hidden()
    bar.hover()
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("claude-haiku-4-5")
    told = tip.locator("strong").inner_text()
    assert told in (bar.get_attribute("aria-label") or "")
    spend.locator("h1").hover()
    expect(tip).to_be_hidden()
    bar.focus()
    expect(tip.locator("strong")).to_have_text(told)
    spend.keyboard.press("ArrowRight")
    expect(next_bar).to_be_focused()
    next_told = tip.locator("strong").inner_text()
    assert next_told in (next_bar.get_attribute("aria-label") or "")
    spend.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    spend.keyboard.press("ArrowLeft")
    spend.keyboard.press("Enter")
    expect(spend.get_by_role("heading", name="Calls", exact=True)).to_be_visible()
    assert dollars(spend.locator(".sum .money").inner_text()) == pytest.approx(
        dollars(told), rel=0.02
    )


def test_the_chart_is_there_as_a_table(spend: Page) -> None:
    spend.get_by_text("The same as a table").click()
    rows = spend.locator(".data tbody tr")
    expect(rows).to_have_count(30)
    values = rows.locator("td:last-child data").evaluate_all(
        "cells => cells.map(cell => Number(cell.value))"
    )
    total = spend.locator(".data tfoot td:last-child data").get_attribute("value")
    assert sum(values) == pytest.approx(float(total or 0))


def test_filters_apply_as_they_are_chosen_and_the_address_can_be_shared(
    spend: Page, visit: Visit, ledger: Server
) -> None:
    spend.get_by_role("combobox", name="Model", exact=True).select_option("claude-haiku-4-5")
    expect(spend).to_have_url(re.compile(r"model=claude-haiku-4-5$"))
    shown = spend.locator(".big").inner_text()
    expect(spend.locator(".matrix thead th")).to_have_count(3)
    again = visit(ledger, "admin", spend.url.removeprefix(ledger.url))
    expect(again.locator(".big")).to_have_text(shown)
    again.get_by_role("link", name="Clear").click()
    expect(again).to_have_url(re.compile(r"/dashboard/$"))
    again.go_back()
    expect(again.get_by_role("combobox", name="Model", exact=True)).to_have_value(
        "claude-haiku-4-5"
    )
    expect(again.get_by_role("combobox", name="Team", exact=True)).to_be_enabled()


def test_a_cell_leads_to_calls_and_a_call_to_its_receipt(spend: Page) -> None:
    cell = spend.locator(".matrix tbody td a").first
    amount = cell.locator("data").get_attribute("value")
    cell.click()
    assert spend.locator(".sum data").get_attribute("value") == amount
    spend.locator(".calls tbody a").first.click()
    expect(spend.get_by_role("heading", name="Receipt", exact=True)).to_be_visible()
    expect(spend.get_by_text("Demonstration money")).to_be_visible()


def test_the_csv_adds_up_to_the_page(spend: Page) -> None:
    total = spend.locator(".big data").get_attribute("value")
    spend.get_by_text("Export").click()
    with spend.expect_download() as downloaded:
        spend.get_by_role("link", name="Calls as CSV").click()
    with open(downloaded.value.path(), newline="") as file:
        amounts = [row["amount_usd"] for row in csv.DictReader(file)]
    assert sum(float(amount or 0) for amount in amounts) == pytest.approx(float(total or 0))


@pytest.mark.parametrize("width", [390, 1280])
def test_forty_people_fit_under_a_chart_whose_last_bar_is_not_over(
    visit: Visit, ledger: Server, width: int
) -> None:
    page = visit(ledger, "admin", "/dashboard/?by=user", viewport={"width": width, "height": 800})
    legend = page.locator(".legend")
    assert legend.evaluate("list => list.scrollWidth - list.clientWidth") <= 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for entry in legend.locator("li").all():
        box = entry.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    expect(legend.locator(".key")).to_have_count(10)
    expect(legend).to_contain_text("not over yet")
    expect(page.locator(".partial")).to_have_count(1)
    assert "so far" in (page.locator("a.column").last.get_attribute("aria-label") or "")
    expect(page.locator(".data tbody tr").last).to_contain_text("so far")
    ids = page.locator("[id]").evaluate_all("all => all.map(one => one.id)")
    assert sorted(ids) == sorted(set(ids))
    legend.get_by_role("link", name="Others (32)").click()
    expect(page).to_have_url(re.compile("#people$"))
    expect(page.get_by_role("heading", name="People", exact=True)).to_be_in_viewport()


def test_paper_has_the_values_and_nothing_to_click(spend: Page) -> None:
    rows = spend.locator(".data tbody tr")
    expect(rows.first).to_be_hidden()
    spend.emulate_media(media="print")
    expect(rows.first).to_be_visible()
    for shown in (".chart .bars", ".legend", ".matrix", ".sums >> nth=0"):
        expect(spend.locator(shown)).to_be_visible()
    expect(
        spend.locator("nav:visible, form:visible, summary:visible, .button:visible")
    ).to_have_count(0)


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("path", ["/dashboard/?by=user", "/dashboard/calls/", "/usage/"])
def test_no_page_scrolls_sideways(visit: Visit, ledger: Server, width: int, path: str) -> None:
    page = visit(ledger, "admin", path, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_menus_open_on_a_small_screen(visit: Visit, ledger: Server) -> None:
    page = visit(ledger, "admin", "/dashboard/", viewport={"width": 390, "height": 800})
    page.locator("summary", has_text="More").click()
    left = page.locator(".menu[open] .menu-items").bounding_box()
    assert left
    assert left["x"] >= 0


def test_filters_wait_behind_a_button_on_a_small_screen(visit: Visit, ledger: Server) -> None:
    page = visit(ledger, "admin", "/dashboard/", viewport={"width": 390, "height": 800})
    expect(page.get_by_role("combobox", name="Team", exact=True)).to_be_hidden()
    page.get_by_text("Filters").click()
    page.get_by_role("combobox", name="Team", exact=True).select_option("Sales")
    expect(page).to_have_url(re.compile(r"team=\d+"))
    expect(page.get_by_role("combobox", name="Team", exact=True)).to_be_visible()


def test_a_person_without_the_permission_has_their_own_page_only(
    visit: Visit, ledger: Server
) -> None:
    page = visit(ledger, "bob", "/usage/")
    expect(page.get_by_text("Nothing in these days")).to_be_visible()
    expect(page.get_by_role("link", name="Spend", exact=True)).to_have_count(0)


def test_readable_without_scripts(visit: Visit, ledger: Server) -> None:
    visit(ledger, "admin", "/dashboard/")
    page = visit(ledger, "admin", "/dashboard/", java_script_enabled=False)
    expect(page.get_by_role("button", name="Apply")).to_be_visible()
    expect(page.locator("a.column title")).to_have_count(30)
