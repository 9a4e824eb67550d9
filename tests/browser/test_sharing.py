"""Deleting messages, chats that do not last, and chats that others may read."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, composer, finished, rows, says, stop_button
from tests.browser.test_finding import more
from tests.chat.markdown_examples import PAYLOADS
from tests.servers import Server


@pytest.fixture
def alice(visit: Visit, server: Server) -> Page:
    return visit(server, "alice")


def test_a_message_is_deleted_with_what_follows_and_comes_back(
    visit: Visit, server: Server, alice: Page
) -> None:
    ask(alice, "Keep this")
    finished(alice)
    ask(alice, "Forget this")
    finished(alice, 1)
    alice.reload()  # the head asks for its figures when a reply has ended
    spent = alice.locator("#spent").inner_text()
    other = visit(server, "alice", alice.url)
    articles = alice.locator("article")
    articles.nth(2).get_by_role("button", name="Delete").click()
    expect(articles).to_have_count(2)
    expect(other.locator("article")).to_have_count(2)
    expect(alice.locator(".cost").filter(has_text="in all")).to_contain_text(spent)
    expect(composer(alice)).to_be_focused()
    alice.get_by_role("button", name="Undo").click()
    expect(articles).to_have_count(4)
    expect(other.locator("article")).to_have_count(4)
    articles.nth(3).get_by_role("button", name="Delete").click()
    expect(articles).to_have_count(3)
    ask(alice, "Go on")
    finished(alice, 1)
    expect(articles).to_have_count(5)
    alice.reload()
    expect(articles).to_have_count(5)


def test_nothing_is_deleted_while_a_reply_is_written(alice: Page) -> None:
    alice.forgiven.append("400")  # type: ignore[attr-defined]
    ask(alice, "[[words:400+slow:50]] At length")
    expect(stop_button(alice)).to_be_visible()
    alice.locator("article.user").get_by_role("button", name="Delete").click()
    expect(alice.locator("#toasts")).to_contain_text("A reply is being written here")
    stop_button(alice).click()
    finished(alice)
    expect(alice.locator("article")).to_have_count(2)


def test_a_temporary_chat_is_marked_and_leaves_no_trace(alice: Page) -> None:
    alice.get_by_role("link", name="Begin a temporary chat instead").click()
    expect(alice.locator("#temporary")).to_contain_text("after 24 hours at the latest")
    ask(alice, "A whisper")
    finished(alice)
    here = alice.url
    expect(rows(alice).filter(has_text="A whisper")).to_have_count(0)
    alice.reload()
    expect(alice.locator("article")).to_have_count(2)
    expect(alice.locator("#temporary")).to_contain_text("Its words are removed when you close it")
    alice.get_by_role("button", name="Close it").click()
    expect(alice.get_by_role("heading", name="What is on your mind?")).to_be_visible()
    expect(alice.locator("#temporary")).to_have_count(0)
    alice.forgiven.append("404")  # type: ignore[attr-defined]
    response = alice.goto(here)
    assert response
    assert response.status == 404


def test_a_temporary_chat_ends_with_its_day(server: Server, alice: Page) -> None:
    alice.get_by_role("link", name="Begin a temporary chat instead").click()
    ask(alice, "A murmur")
    finished(alice)
    spent = server.query("SELECT sum(amount_pusd) FROM ledger_charge")
    server.query(
        "UPDATE chat_conversation SET expires_at = '2026-01-01T00:00:00+00:00'"
        " WHERE expires_at IS NOT NULL"
    )
    murmurs = "SELECT count(*) FROM chat_message WHERE text LIKE %s"
    deadline = time.monotonic() + 60
    while server.query(murmurs, "A murmur%") != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    alice.forgiven.append("404")  # type: ignore[attr-defined]
    response = alice.reload()
    assert response
    assert response.status == 404
    assert server.query("SELECT sum(amount_pusd) FROM ledger_charge") == spent


def test_a_chat_is_shared_read_and_taken_back(visit: Visit, server: Server, alice: Page) -> None:
    hostile = "\n\n".join(PAYLOADS[::3])
    ask(alice, f"Share me {says(hostile)}")
    prose = finished(alice).locator(".prose").inner_html()
    more(alice, "Share me", "Share")
    alice.get_by_role("button", name="Make a link").click()
    address = alice.get_by_label(re.compile("The link to what was here")).input_value()
    bob = visit(server, "bob", address)
    assert bob.locator(".prose").inner_html() == prose
    expect(bob.locator(".said")).to_contain_text("Share me")
    expect(bob.get_by_role("heading", level=1)).to_be_visible()
    expect(bob.locator("main button:not(.copy), main form, .price-line")).to_have_count(0)
    assert bob.evaluate("window.__xss") is None
    alice.get_by_role("button", name="Take the link back").click()
    expect(alice.get_by_role("button", name="Make a link")).to_be_visible()
    bob.forgiven.append("404")  # type: ignore[attr-defined]
    response = bob.reload()
    assert response
    assert response.status == 404


def test_links_are_made_from_the_head_and_taken_back_in_a_list(alice: Page) -> None:
    button = alice.get_by_role("link", name="Share this chat")
    expect(button).to_have_count(0)
    ask(alice, "Shared from its head")
    finished(alice)
    button.click()
    alice.get_by_role("button", name="Make a link").click()
    expect(alice.get_by_label(re.compile("The link to what was here"))).to_be_visible()
    alice.goto("/account/")
    alice.get_by_role("link", name="Your links").click()
    row = alice.get_by_role("listitem").filter(has_text="Shared from its head")
    row.get_by_role("link", name=re.compile("^Read Shared")).click()
    expect(alice.locator(".said")).to_have_text("Shared from its head")
    alice.go_back()
    row.get_by_role("button", name=re.compile("^Take back the link")).click()
    expect(row).to_have_count(0)
    expect(alice.get_by_role("heading", level=1)).to_have_text("Shared chats")
