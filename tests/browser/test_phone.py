"""The chat page under a thumb: keys, menus and prices where nothing hovers."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.talk import composer, finished, reply, rows, says
from tests.browser.test_page import overflow
from tests.servers import Server

pytestmark = pytest.mark.once

TOUCH = {"has_touch": True, "is_mobile": True}
LONG = "A title that is longer than any phone has room for, and then some"


@pytest.fixture(params=[390, 320])
def phone(visit: Visit, server: Server, request: pytest.FixtureRequest) -> Page:
    viewport = {"width": request.param, "height": 780}
    return visit(server, "alice", viewport=viewport, **TOUCH)


def send(page: Page, text: str) -> None:
    composer(page).fill(text)
    page.get_by_role("button", name="Send", exact=True).tap()


def test_enter_makes_a_line_and_with_control_it_sends(visit: Visit, server: Server) -> None:
    phone = visit(server, "alice", viewport={"width": 390, "height": 780}, **TOUCH)
    for number, key in enumerate(["Control+Enter", "Meta+Enter"]):
        composer(phone).tap()
        composer(phone).press_sequentially("one")
        composer(phone).press("Enter")
        composer(phone).press_sequentially("two")
        expect(composer(phone)).to_have_value("one\ntwo")
        expect(phone.locator("article.user")).to_have_count(number)
        composer(phone).press(key)
        expect(phone.locator("article.user .said").nth(number)).to_have_text("one\ntwo")
        finished(phone, number)
    assert overflow(phone) == 0


def test_the_menu_of_another_chat(phone: Page) -> None:
    send(phone, LONG)
    finished(phone)
    phone.get_by_role("button", name="Chats", exact=True).tap()
    phone.get_by_role("link", name="New chat").tap()
    phone.get_by_role("button", name="Chats", exact=True).tap()
    row = rows(phone).first
    box, title = row.bounding_box(), row.get_by_role("link").bounding_box()
    assert box
    assert title
    assert title["width"] > 0.8 * box["width"]
    expect(row.get_by_role("button")).to_have_count(1)
    row.get_by_role("button", name=re.compile("^More")).tap()
    menu = phone.locator("#row-menu")
    for name in "Pin", "Archive", "Delete":
        expect(menu.get_by_role("button", name=name, exact=True)).to_be_in_viewport()
    assert overflow(phone) == 0
    menu.get_by_role("button", name="Rename").tap()
    name = f"Short at {phone.evaluate('innerWidth')}"
    row.get_by_label("Title", exact=True).fill(name)
    row.get_by_label("Title", exact=True).press("Enter")
    expect(row.get_by_role("link")).to_have_text(name)
    row.get_by_role("button", name=re.compile("^More")).tap()
    menu.get_by_role("button", name="Delete").tap()
    expect(rows(phone).filter(has_text=name)).to_have_count(0)
    phone.get_by_role("button", name="Undo").tap()
    expect(rows(phone).filter(has_text=name)).to_be_visible()


def test_a_reply_is_written_anew_for_a_price_that_is_seen(phone: Page) -> None:
    send(phone, says("[A link](https://good.example/x) and https://bare.example"))
    again = finished(phone).get_by_role("button", name="Write this reply anew")
    expect(again).to_be_in_viewport()
    expect(again.locator(".anew-price")).to_be_visible()
    expect(again).to_have_text(re.compile(r"^\s*about \$0\.\d+\s*$"))
    assert overflow(phone) == 0
    links = finished(phone).locator(".prose a")
    shown = [link.evaluate("it => getComputedStyle(it, '::after').content") for link in links.all()]
    assert shown == ['"good.example"', "none"]
    first = reply(phone).get_attribute("data-id") or ""
    again.tap()
    expect(reply(phone)).not_to_have_attribute("data-id", first)
    finished(phone)
    assert overflow(phone) == 0
