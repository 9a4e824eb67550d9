"""The keys of the composer, and the drafts that they must not lose."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, composer, finished, stop_button
from tests.servers import Server

pytestmark = pytest.mark.once


@pytest.fixture
def alice(visit: Visit, server: Server) -> Page:
    return visit(server, "alice")


def test_up_edits_only_from_an_empty_composer_and_escape_gives_the_draft_back(alice: Page) -> None:
    ask(alice, "A question")
    finished(alice)
    composer(alice).fill("half a thought")
    composer(alice).press("ArrowUp")
    expect(composer(alice)).to_have_value("half a thought")
    alice.locator("article.user").get_by_role("button", name="Edit").click()
    expect(composer(alice)).to_have_value("A question")
    composer(alice).press("Escape")
    expect(composer(alice)).to_have_value("half a thought")
    expect(alice.locator("#composer-note")).to_be_hidden()
    composer(alice).fill("")
    composer(alice).press("ArrowUp")
    expect(composer(alice)).to_have_value("A question")
    composer(alice).press("Escape")
    expect(composer(alice)).to_have_value("")


def test_what_is_sent_before_the_modules_are_there_goes_when_they_are(alice: Page) -> None:
    held: list[Route] = []
    keys = re.compile(r"/js/keys\b")
    alice.route(keys, lambda route: held.append(route))
    said = alice.locator("article.user .said")
    for number, text in enumerate(["With Enter", "With the button"]):
        with alice.expect_request(keys):
            alice.goto("/" if not number else alice.url, wait_until="commit")
        composer(alice).press("Enter")  # nothing to send yet
        alice.keyboard.type(text)
        if number:
            notes = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Some notes."}
            alice.get_by_label("Attach files").set_input_files([notes])  # type: ignore[list-item]
            alice.get_by_role("button", name="Send", exact=True).click()
        else:
            alice.keyboard.press("Enter")
        alice.keyboard.type(" and what was typed after it")
        expect(said).to_have_count(number)
        held.pop().continue_()
        finished(alice, number)
        expect(said.nth(number)).to_have_text(text)
        expect(composer(alice)).to_have_value("")
        expect(composer(alice)).to_be_editable()
    expect(alice.get_by_role("link", name="notes.txt")).to_be_visible()


@pytest.mark.parametrize("sign", [{"isComposing": True}, {"keyCode": 229}])
def test_an_input_method_has_its_keys_to_itself(alice: Page, sign: dict[str, object]) -> None:
    ask(alice, "[[words:300+slow:20]] At length")
    expect(stop_button(alice)).to_be_visible()
    for key in "Enter", "ArrowUp", "Escape":
        composer(alice).dispatch_event("keydown", {"key": key, **sign})
    expect(composer(alice)).to_have_value("")
    expect(stop_button(alice)).to_be_visible()
    alice.keyboard.press("Escape")
    expect(finished(alice)).to_contain_text("stopped")
    expect(alice.locator("article")).to_have_count(2)


def test_each_chat_has_a_draft_of_its_own(alice: Page) -> None:
    addresses = []
    for text in "One", "Two":
        alice.goto("/")
        ask(alice, text)
        finished(alice)
        composer(alice).fill(f"draft of {text}")
        addresses.append((alice.url, f"draft of {text}"))
    alice.goto("/")
    expect(composer(alice)).to_have_value("")
    for url, draft in addresses:
        alice.goto(url)
        expect(composer(alice)).to_have_value(draft)


def test_what_is_refused_is_given_back_and_waits_through_a_reload(alice: Page) -> None:
    text = "x" * 200_001
    alice.forgiven.append("400")  # type: ignore[attr-defined]
    ask(alice, text)
    expect(alice.locator("#composer-note")).to_be_visible()
    expect(composer(alice)).to_be_editable()
    alice.reload()
    expect(composer(alice)).to_have_value(text)
    composer(alice).fill("shorter")
    composer(alice).press("Enter")
    finished(alice)
    alice.reload()
    expect(composer(alice)).to_have_value("")
