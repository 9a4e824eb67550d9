"""The page as such: narrow, without scripts, dark, and never scrolling sideways."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, composer, finished, reply, rows, says, stop_button
from tests.servers import Server

pytestmark = pytest.mark.once

WIDE = (
    "| " + " | ".join(f"column {n}" for n in range(12)) + " |\n" + "|---" * 12 + "|\n"
    "\n```py\n" + "x = " + "1 + " * 60 + "1\n```\n\n" + "unbroken" * 40 + "\n\n"
    "$$" + "x + " * 60 + "x$$\n"
)


def overflow(page: Page) -> int:
    """How far the page, or its log, could be scrolled sideways, in pixels."""
    distance: int = page.evaluate(
        """() => Math.max(...[document.documentElement, document.getElementById("log-scroll")]
             .map((box) => box.scrollWidth - box.clientWidth))"""
    )
    return distance


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_width_scrolls_sideways(visit: Visit, server: Server, width: int) -> None:
    page = visit(server, "alice", viewport={"width": width, "height": 780})
    assert overflow(page) == 0
    ask(page, says(WIDE, chunk=80, pause=20) + "w" * 90)
    finished(page)
    assert overflow(page) == 0


def test_pages_beside_the_chat_are_as_narrow(visit: Visit, server: Server) -> None:
    page = visit(server, "alice", viewport={"width": 320, "height": 780})
    ask(page, says(WIDE, chunk=80) + "w" * 90)
    receipt = finished(page).locator(".price-line").get_attribute("href")
    page.get_by_role("link", name="Share this chat").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label(re.compile("The link to what was here"))
    paths = [page.url, link.input_value(), "/shares/", receipt, "/chats/", "/projects/"]
    page.goto("/projects/")
    page.get_by_label("Name").fill("n" * 60)
    page.get_by_role("button", name="Make the project").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("nnn")
    for path in [page.url, *paths, "/search/", "/search/?q=unbroken", "/search/?q=zyzzyva"]:
        page.goto(path or "")
        distance = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert distance <= 0, path


def test_the_list_opens_and_closes_on_a_phone(visit: Visit, server: Server) -> None:
    page = visit(server, "alice", viewport={"width": 390, "height": 780})
    expect(page.get_by_role("link", name="New chat")).to_be_hidden()
    page.get_by_role("button", name="Chats").click()
    expect(page.get_by_role("link", name="New chat")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="New chat")).to_be_hidden()


def test_history_is_readable_without_javascript(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    ask(page, says("Some **bold** history"))
    finished(page)
    still = visit(server, "alice", java_script_enabled=False)
    still.goto(page.url)
    expect(still.locator("article .prose strong")).to_have_text("bold")
    expect(rows(still).first).to_be_visible()


def test_the_reader_is_not_moved_against_intent(visit: Visit, server: Server) -> None:
    page = visit(server, "alice", viewport={"width": 900, "height": 600})
    lines = "".join(f"Line {n}\n\n" for n in range(120))
    ask(page, says(lines, pause=15))
    box = page.locator("#log-scroll")
    box.hover()
    expect(reply(page)).to_contain_text("Line 30")
    page.mouse.wheel(0, -600)
    expect(page.get_by_role("button", name="To the end")).to_be_visible()
    before = box.evaluate("box => box.scrollTop")
    expect(reply(page)).to_contain_text("Line 60")
    assert box.evaluate("box => box.scrollTop") == before
    page.get_by_role("button", name="To the end").click()
    finished(page)
    expect(reply(page).get_by_text("Line 119", exact=True)).to_be_in_viewport()


def test_nothing_jumps_when_the_reply_is_done(visit: Visit, server: Server) -> None:
    page = visit(server, "alice", viewport={"width": 1000, "height": 2400})
    text = "# T\n\nWords.\n\n```py\nx = 1\n```\n\n" + "The last paragraph is long. " * 20
    ask(page, says(text, pause=20))
    code = reply(page).locator("figure.code")
    expect(code).to_be_visible()
    top = code.evaluate("node => { node.mark = 1; return node.getBoundingClientRect().top; }")
    finished(page)
    assert code.evaluate("node => [node.mark, node.getBoundingClientRect().top]") == [1, top]


@pytest.mark.parametrize("width", [390, 800])
def test_the_head_is_as_high_with_all_its_figures(visit: Visit, server: Server, width: int) -> None:
    page = visit(server, "alice", viewport={"width": width, "height": 780})
    head = page.locator(".talk-head")
    empty = head.evaluate("head => head.clientHeight")
    ask(page, "A chat whose title is long, longer than there is room for [[cache:5m+words:5]]")
    finished(page)
    expect(page.locator("#cached")).to_be_visible()
    page.get_by_role("button", name="Write this reply anew").click()
    for figure in "#cost", "#context", ".cost:has-text('in all')":
        expect(page.locator(figure)).to_be_visible()
    assert head.evaluate("head => head.clientHeight") == empty


def test_the_column_is_not_wider_than_reads_well(visit: Visit, server: Server) -> None:
    page = visit(server, "alice", viewport={"width": 1920, "height": 800})
    ask(page, says("Words of a line. " * 40))
    for part in finished(page).locator(".prose"), page.locator(".composer"):
        box = part.bounding_box()
        assert box
        assert box["width"] <= 48 * 16


def test_paper_has_the_messages_alone(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    ask(page, says("Words on paper"))
    finished(page)
    page.emulate_media(media="print")
    expect(reply(page).locator(".prose")).to_be_visible()
    for part in "#sidebar", ".composer", ".message-actions .button":
        expect(page.locator(part).first).to_be_hidden()


def test_dark_is_dark(visit: Visit, server: Server) -> None:
    page = visit(server, "alice", color_scheme="dark")
    page.goto("/")
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", ground)[:3])) < 150


def test_the_button_is_stop_while_a_reply_is_written(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    ask(page, "[[words:60+slow:25]] Hi")
    expect(stop_button(page)).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_hidden()
    composer(page).fill("next")
    composer(page).press("Enter")
    expect(composer(page)).to_have_value("next")
    finished(page)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
