"""A person without a mouse: every action of the chat page, with the focus always in a sensible place."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.talk import composer, finished, reply, rows, says, stop_button
from tests.servers import PASSWORD, Server

pytestmark = pytest.mark.once

# What marks the focus: a ring, an outline or the border of what holds it.
MARKED = """element => [element, element.closest(".composer, label")].some((it) => {
  if (!it) return false;
  const { boxShadow, outlineStyle, outlineColor } = getComputedStyle(it);
  return boxShadow !== "none" || (outlineStyle !== "none" && outlineColor !== "rgba(0, 0, 0, 0)");
})"""
FURTHEST = 80


@pytest.fixture
def alice(visit: Visit, server: Server) -> Page:
    return visit(server, "alice", reduced_motion="reduce")


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press Tab until the focus is on this element, and look whether it can be seen there."""
    expect(target).to_have_count(1)
    for _ in range(FURTHEST):
        if target.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press(key)
    expect(target).to_be_focused()
    assert target.evaluate(MARKED), f"no focus to be seen on {target}"


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    tab_to(page, target)
    page.keyboard.press(key)


def say(page: Page, text: str) -> None:
    expect(composer(page)).to_be_focused()
    page.keyboard.type(text)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
    page.keyboard.press("Enter")


def test_from_signing_in_to_signing_out(visit: Visit, server: Server) -> None:
    page = visit(server, "", "/")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("bob")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    say(page, "Hello")
    finished(page)
    expect(composer(page)).to_be_focused()
    menu = page.locator(".account-menu summary")
    press(page, menu)
    press(page, page.get_by_role("button", name="Dark"))
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="Dark")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    press(page, page.get_by_role("button", name="Sign out"))
    expect(page.get_by_label("User name")).to_be_visible()


def test_the_first_tab_leads_past_the_list(alice: Page) -> None:
    expect(composer(alice)).to_be_focused()
    alice.locator("body").evaluate("() => document.activeElement.blur()")
    skip = alice.get_by_role("link", name="Skip to the content")
    tab_to(alice, skip)
    expect(skip).to_be_in_viewport()
    alice.keyboard.press("Enter")
    expect(alice.locator("main")).to_be_focused()


def test_a_reply_is_stopped_and_written_anew(alice: Page) -> None:
    say(alice, "[[words:400+slow:40]] At length")
    expect(reply(alice)).to_contain_text("w3")
    press(alice, stop_button(alice))
    expect(finished(alice)).to_contain_text("stopped")
    expect(composer(alice)).to_be_focused()
    press(alice, finished(alice).get_by_role("button", name="Write this reply anew"))
    expect(alice.get_by_role("navigation", name="Branches")).to_contain_text("2/2")
    alice.keyboard.press("Escape")
    expect(finished(alice)).to_contain_text("stopped")
    expect(finished(alice)).to_be_focused()
    press(alice, alice.get_by_role("link", name="The branch before"))
    expect(alice.get_by_role("navigation", name="Branches")).to_contain_text("1/2")


def test_a_message_is_edited_copied_and_deleted(alice: Page) -> None:
    alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
    say(alice, "[[text:Words]] Frist")
    copy = finished(alice).get_by_role("button", name="Copy as Markdown")
    press(alice, copy)
    expect(copy).to_have_class(re.compile("copied"))
    expect(copy).to_be_focused()
    assert alice.evaluate("navigator.clipboard.readText()") == "Words"
    press(alice, alice.locator("article.user").get_by_role("button", name="Edit"))
    expect(composer(alice)).to_be_focused()
    alice.keyboard.press("Control+a")
    say(alice, "[[text:Words]] First")
    expect(alice.locator("article.user .said")).to_have_text("[[text:Words]] First")
    finished(alice)
    press(alice, finished(alice).get_by_role("button", name="Delete"))
    expect(alice.locator("article")).to_have_count(1)
    expect(composer(alice)).to_be_focused()
    press(alice, alice.get_by_role("button", name="Undo"))
    expect(alice.locator("article")).to_have_count(2)
    expect(composer(alice)).to_be_focused()


def test_dialogs_give_the_focus_back(alice: Page) -> None:
    say(alice, "Hello")
    finished(alice)
    for opener, dialog in (
        (alice.get_by_role("button", name="Settings of this chat"), "Settings of this chat"),
        (finished(alice).get_by_role("button", name="with another model"), re.compile("anew")),
        (alice.get_by_role("link", name="Search"), "Search your chats"),
    ):
        press(alice, opener)
        expect(alice.get_by_role("dialog", name=dialog)).to_be_visible()
        assert focused(alice).evaluate("element => element.closest('dialog') !== null")
        alice.keyboard.press("Escape")
        expect(opener).to_be_focused()
    alice.keyboard.press("?")
    expect(alice.get_by_role("dialog", name="Keys")).to_be_visible()
    alice.keyboard.press("Enter")
    expect(alice.get_by_role("dialog", name="Keys")).to_be_hidden()
    alice.keyboard.press("/")
    expect(composer(alice)).to_be_focused()


def test_settings_and_the_model(alice: Page) -> None:
    press(alice, alice.get_by_role("button", name="Settings of this chat"))
    alice.keyboard.type("Be brief.")
    alice.keyboard.press("Tab")
    alice.keyboard.type("20")
    alice.keyboard.press("Enter")
    expect(alice.get_by_role("dialog")).to_be_hidden()
    expect(alice.get_by_role("button", name="Settings of this chat")).to_be_focused()
    menu = alice.locator("#models summary")
    press(alice, menu)
    tab_to(alice, alice.get_by_role("radio", checked=True))
    before = alice.locator("#model-name").inner_text()
    alice.keyboard.press("ArrowDown")
    expect(alice.locator("#model-name")).not_to_have_text(before)
    expect(alice.get_by_role("radio", checked=True)).to_be_focused()
    alice.keyboard.press("Escape")
    expect(menu).to_be_focused()


def test_the_list_renames_deletes_and_gives_back(alice: Page) -> None:
    for text in "Another", "A chat to rename":
        alice.keyboard.press("Control+Shift+O")
        expect(alice.locator("article")).to_have_count(0)
        say(alice, text)
        finished(alice)
    row = rows(alice).filter(has_text="A chat to rename")
    press(alice, row.get_by_role("button", name=re.compile("^Rename")))
    alice.keyboard.type("Renamed")
    alice.keyboard.press("Enter")
    row = rows(alice).filter(has_text="Renamed")
    expect(row.get_by_role("link")).to_be_focused()
    press(alice, row.get_by_role("button", name=re.compile("^More")))
    expect(alice.get_by_role("button", name="Pin")).to_be_focused()
    alice.keyboard.press("ArrowDown")
    # As when the title was given by the server, or another tab renames it.
    row.evaluate("row => row.replaceWith(row.cloneNode(true))")
    alice.keyboard.press("Escape")
    expect(row.get_by_role("button", name=re.compile("^More"))).to_be_focused()
    alice.keyboard.press("Enter")
    alice.keyboard.press("Enter")
    expect(alice.locator("section[data-group=Pinned]")).to_contain_text("Renamed")
    row = rows(alice).filter(has_text="Another")
    tab_to(alice, row.get_by_role("link"))
    press(alice, row.get_by_role("button", name=re.compile("^Delete")))
    expect(row).to_have_count(0)
    press(alice, alice.get_by_role("button", name="Undo"))
    expect(row).to_have_count(1)


def test_the_focus_stays_in_a_row_that_another_tab_changes(alice: Page) -> None:
    say(alice, "A chat to rename")
    finished(alice)
    pencil = re.compile("^Rename")
    rows(alice).get_by_role("button", name=pencil).focus()
    other = alice.context.new_page()
    other.goto(alice.url)
    rows(other).get_by_role("button", name=pencil).press("Enter")
    other.keyboard.type("Elsewhere")
    other.keyboard.press("Enter")
    row = rows(alice).filter(has_text="Elsewhere")
    expect(row.get_by_role("button", name=pencil)).to_be_focused()


def test_a_file_is_attached_sent_and_taken_away(alice: Page) -> None:
    notes = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Remember the milk."}
    for _ in range(2):
        with alice.expect_file_chooser() as chooser:
            press(alice, alice.get_by_label("Attach files"))
        chooser.value.set_files([notes])  # type: ignore[list-item]
    chips = alice.locator("#chips li")
    expect(chips).to_have_count(2)
    expect(alice.locator("#chips progress")).to_have_count(0)
    press(alice, chips.first.get_by_role("button"), key="Space")
    expect(chips).to_have_count(1)
    assert focused(alice).evaluate("element => element.closest('.composer') !== null")
    tab_to(alice, composer(alice))
    say(alice, "What shall I remember?")
    expect(alice.locator("article.user")).to_contain_text("notes.txt")
    finished(alice)


def test_a_chat_is_moved_and_shared(alice: Page) -> None:
    alice.goto("/projects/")
    tab_to(alice, alice.get_by_label("Name"))
    alice.keyboard.type("Thesis")
    alice.keyboard.press("Enter")
    expect(alice.get_by_role("heading", level=1)).to_have_text("Thesis")
    alice.goto("/")
    say(alice, "A chapter")
    finished(alice)
    row = rows(alice).filter(has_text="A chapter")
    opener = row.get_by_role("button", name=re.compile("^More"))
    press(alice, opener)
    press(alice, alice.get_by_role("button", name="Move to a project"))
    tab_to(alice, alice.get_by_role("dialog").get_by_role("radio", checked=True))
    alice.keyboard.press("ArrowDown")
    alice.keyboard.press("Enter")
    expect(alice.get_by_text("Chat moved.")).to_be_visible()
    expect(alice.get_by_role("dialog")).to_be_hidden()
    press(alice, opener)
    press(alice, alice.get_by_role("link", name="Share", exact=True))
    alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(alice, alice.get_by_role("button", name="Make a link"))
    press(alice, alice.get_by_role("button", name="Copy"))
    expect(alice.get_by_role("button", name="Copied")).to_be_focused()
    address = alice.get_by_label(re.compile("The link to what was here")).input_value()
    assert alice.evaluate("navigator.clipboard.readText()") == address
    press(alice, alice.get_by_role("button", name="Take the link back"))
    expect(alice.get_by_role("button", name="Make a link")).to_be_visible()


def test_a_chat_is_found(alice: Page) -> None:
    say(alice, "A pelican stood there")
    finished(alice)
    alice.keyboard.press("Control+Shift+O")
    expect(alice.get_by_role("heading", name="What is on your mind?")).to_be_visible()
    alice.keyboard.press("Control+k")
    alice.keyboard.type("pelic")
    expect(alice.get_by_role("dialog").locator("mark").first).to_have_text("pelic")
    alice.keyboard.press("ArrowDown")
    assert focused(alice).evaluate(MARKED)
    alice.keyboard.press("Enter")
    expect(finished(alice)).to_be_visible()
    expect(composer(alice)).to_be_focused()


def test_a_cut_reply_goes_on_is_tried_again_and_asked_of_another_model(alice: Page) -> None:
    say(alice, "[[cut_afterx1:20]] Hello")
    failed = finished(alice, 0).locator(".failed")
    press(alice, failed.get_by_role("button", name="Continue"))
    expect(finished(alice, 1)).to_contain_text("w39")
    expect(failed.get_by_role("button", name="Continue")).to_be_focused()
    press(alice, failed.get_by_role("button", name="Retry"))
    expect(alice.locator("article")).to_have_count(2)
    expect(finished(alice)).to_contain_text("w39")
    expect(finished(alice)).to_be_focused()
    press(alice, finished(alice).get_by_role("button", name="with another model"))
    press(alice, alice.get_by_role("dialog").get_by_role("button", name=re.compile("Sonnet 5.5")))
    expect(finished(alice).locator(".price-line")).to_contain_text("claude-sonnet-5-5")
    expect(finished(alice)).to_be_focused()


def test_all_in_a_reply_is_reached(alice: Page) -> None:
    alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
    say(alice, says("\n\n```py\nx = 1\n```\n").replace("[[", "[[thinking+web_search:1+"))
    article = finished(alice)
    press(alice, article.locator(".thinking summary"))
    expect(article.locator(".thought")).to_be_visible()
    tab_to(alice, article.get_by_role("link", name="[1]"))
    expect(focused(alice)).to_have_attribute("href", "https://example.com/0")
    shown = focused(alice).evaluate("it => getComputedStyle(it, '::after').content")
    assert shown == '"example.com"'
    press(alice, article.get_by_role("button", name="Copy", exact=True))
    expect(article.locator("button.copied")).to_have_count(1)
    assert alice.evaluate("navigator.clipboard.readText()") == "x = 1\n"
    press(alice, article.locator(".price-line"))
    expect(alice.get_by_role("heading", level=1)).to_contain_text("Receipt")


def test_a_temporary_chat_is_begun_and_closed(alice: Page) -> None:
    press(alice, alice.get_by_role("link", name="Begin a temporary chat instead"))
    expect(alice.locator("#temporary")).to_be_visible()
    say(alice, "A whisper")
    finished(alice)
    press(alice, alice.get_by_role("button", name="Close it"))
    expect(alice.locator("#temporary")).to_have_count(0)
    expect(composer(alice)).to_be_focused()


def test_a_project_is_changed_and_deleted(alice: Page) -> None:
    alice.goto("/projects/")
    tab_to(alice, alice.get_by_label("Name"))
    alice.keyboard.type("Book\n")
    expect(alice.get_by_role("heading", level=1)).to_have_text("Book")
    tab_to(alice, alice.get_by_label("Name"))
    alice.keyboard.press("Control+a")
    alice.keyboard.type("Novel\n")
    expect(alice.get_by_role("heading", level=1)).to_have_text("Novel")
    press(alice, alice.get_by_role("button", name="Delete the project"))
    expect(alice.get_by_role("heading", level=1)).to_have_text("Projects")


def test_an_example_is_taken_and_the_end_is_found(alice: Page) -> None:
    press(alice, alice.get_by_role("button", name=re.compile("Explain an idea")))
    expect(composer(alice)).to_be_focused()
    expect(composer(alice)).to_have_value(re.compile("compound interest"))
    alice.keyboard.press("Control+a")
    say(alice, says("A paragraph.\n\n" * 80, chunk=200))
    finished(alice)
    alice.locator("#log-scroll").focus()
    alice.keyboard.press("Home")
    down = alice.get_by_role("button", name="To the end")
    expect(down).to_be_visible()
    alice.keyboard.press("/")
    tab_to(alice, down, key="Shift+Tab")
    alice.keyboard.press("Enter")
    expect(down).to_be_hidden()
    expect(finished(alice).locator(".price-line")).to_be_in_viewport()
    expect(alice.locator("#log-scroll")).to_be_focused()


def test_a_chat_is_exported_and_archived(alice: Page) -> None:
    say(alice, "A short chapter")
    finished(alice)
    row = rows(alice).filter(has_text="A short chapter")
    opener = row.get_by_role("button", name=re.compile("^More"))
    press(alice, opener)
    with alice.expect_download():
        press(alice, alice.get_by_role("link", name="Export as Markdown"))
    expect(opener).to_be_focused()
    press(alice, opener)
    press(alice, alice.locator("#row-menu").get_by_role("button", name="Archive"))
    expect(row).to_have_count(0)
    expect(focused(alice)).to_have_count(1)
