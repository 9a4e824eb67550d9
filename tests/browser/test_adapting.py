"""The page follows what a person has set: large text, colours of their own, no motion."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, composer, finished, reply, says, stop_button
from tests.browser.test_page import WIDE, overflow
from tests.servers import Server

pytestmark = pytest.mark.once


@pytest.mark.parametrize("width", [640, 1280])
def test_text_of_twice_the_size(visit: Visit, server: Server, width: int) -> None:
    page = visit(server, "alice", viewport={"width": width, "height": 800})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert overflow(page) == 0
    ask(page, says(WIDE, chunk=80))
    finished(page)
    assert overflow(page) == 0
    expect(composer(page)).to_be_in_viewport()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport()


def test_forced_colours_show_the_focus_and_the_edges(visit: Visit, server: Server) -> None:
    page = visit(server, "alice", forced_colors="active")
    ask(page, "Hello")
    finished(page)
    page.keyboard.press("Shift+Tab")
    outline = page.locator(":focus").evaluate("it => getComputedStyle(it).outlineStyle")
    assert outline == "solid"
    edge = page.locator(".said").evaluate("it => getComputedStyle(it).borderTopWidth")
    assert edge == "1px"


def test_nothing_moves_for_who_asked_for_no_motion(visit: Visit, server: Server) -> None:
    page = visit(server, "alice", reduced_motion="reduce")
    ask(page, "[[words:300+slow:50]] Slowly")
    expect(reply(page)).to_contain_text("w3")
    moving = page.evaluate(
        "document.getAnimations().filter(it => it.playState === 'running').length"
    )
    assert moving == 0
    stop_button(page).click()
    finished(page)
