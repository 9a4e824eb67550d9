"""Files in the browser: chosen, pasted, dropped, shown, sent, edited, and hostile."""

import base64
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, composer, finished
from tests.chat import files
from tests.servers import Server

pytestmark = pytest.mark.once

HOSTILE = "<img src=x onerror=window.__xss=1>.txt"
# Dispatch a paste or a drop of one file, as browsers do.
GIVE = """(element, [kind, name, type, data]) => {
    const transfer = new DataTransfer();
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type }));
    const options = { bubbles: true, cancelable: true };
    element.dispatchEvent(kind === "paste"
        ? new ClipboardEvent(kind, { ...options, clipboardData: transfer })
        : new DragEvent(kind, { ...options, dataTransfer: transfer }));
}"""


@pytest.fixture
def alice(visit: Visit, server: Server) -> Page:
    return visit(server, "alice")


def chips(page: Page) -> Locator:
    return page.get_by_role("list", name="Files to send").get_by_role("listitem")


def choose(page: Page, name: str, content: bytes) -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.get_by_label("Attach files").set_input_files(file)


def give(page: Page, kind: str, name: str, content: bytes) -> None:
    arguments = [kind, name, "image/png", base64.b64encode(content).decode()]
    composer(page).evaluate(GIVE, arguments)


def test_files_come_by_button_paste_and_drop_and_go_with_the_message(
    alice: Page, server: Server
) -> None:
    choose(alice, HOSTILE, b"Some notes.")
    give(alice, "paste", "pasted.png", files.png(90, 60))
    give(alice, "drop", "dropped.png", files.png(60, 90))
    expect(chips(alice).locator("img")).to_have_count(2)
    expect(chips(alice).first).to_contain_text(HOSTILE)
    expect(alice.locator("#quote")).to_contain_text(re.compile(r"3,\d\d\d in"))
    ask(alice, "What are these?")
    expect(chips(alice)).to_have_count(0)
    finished(alice)
    question = alice.locator("article.user")
    expect(question.get_by_role("link", name=HOSTILE)).to_be_visible()
    expect(question.locator("img")).to_have_count(2)
    assert all(question.locator("img").evaluate_all("all => all.map(i => i.naturalWidth > 0)"))
    alice.reload()
    question.get_by_role("link", name="pasted.png").click()
    expect(alice.get_by_role("dialog", name="Image").get_by_role("img")).to_be_visible()
    alice.keyboard.press("Escape")
    with alice.expect_download() as saved:
        question.get_by_role("link", name=HOSTILE).click()
    assert Path(saved.value.path()).read_bytes() == b"Some notes."
    assert alice.evaluate("window.__xss") is None


def test_a_file_alone_is_enough_and_a_large_one_comes_in_pieces(alice: Page) -> None:
    choose(alice, "long.txt", b"word " * 400_000)
    expect(alice.get_by_role("progressbar")).to_have_count(0)
    alice.get_by_role("button", name="Send").click()
    expect(alice.locator("#composer-note")).to_contain_text("tokens long")  # too long, and said so
    chips(alice).get_by_role("button", name="Remove long.txt").click()
    choose(alice, "short.txt", b"word " * 4_000)
    alice.get_by_role("button", name="Send").click()
    finished(alice)
    expect(alice.get_by_role("heading", level=1)).to_have_text("short.txt")


def test_enter_before_a_file_has_arrived_sends_it_when_it_has(alice: Page) -> None:
    held: list[Route] = []
    piece = re.compile("/piece/")
    alice.route(piece, lambda route: held.append(route))
    with alice.expect_request(piece):
        choose(alice, "plan.txt", b"Some notes.")
    ask(alice, "Look at this")
    expect(alice.locator("#composer-note")).to_contain_text("as soon as the files are there")
    expect(alice.get_by_role("progressbar")).to_be_visible()
    expect(alice.locator("article")).to_have_count(0)
    held[0].continue_()
    expect(finished(alice)).to_be_visible()
    expect(alice.locator("article.user").get_by_role("link", name="plan.txt")).to_be_visible()
    expect(alice.locator("#composer-note")).to_be_hidden()


def test_what_cannot_be_sent_says_why_and_is_removed(alice: Page) -> None:
    alice.forgiven.append("400")  # type: ignore[attr-defined]
    choose(alice, "archive.png", b"PK\x03\x04" + b"\0" * 40)
    expect(chips(alice)).to_contain_text("neither an image")
    composer(alice).fill("Look")
    expect(alice.get_by_role("button", name="Send")).to_be_disabled()
    chips(alice).get_by_role("button", name="Remove archive.png").click()
    expect(chips(alice)).to_have_count(0)
    expect(composer(alice)).to_be_focused()
    expect(alice.get_by_role("button", name="Send")).to_be_enabled()


LIMITS = "input => Object.assign(input.dataset, { most: 2, bytes: 1_000_000 })"


def test_too_many_and_too_large_are_refused_in_whichever_way_they_come(alice: Page) -> None:
    alice.get_by_label("Attach files").evaluate(LIMITS)
    composer(alice).fill("Look")
    for way in "button", "paste", "drop":
        bring(alice, way, "large.txt", b"word " * 200_001)
        expect(chips(alice)).to_contain_text("It is larger than 1 MB.")
        expect(alice.get_by_role("button", name="Send")).to_be_disabled()
        remove(alice, "large.txt")
        for number in range(3):
            bring(alice, way, f"{number}.txt", b"Some notes.")
        expect(chips(alice)).to_have_count(3)
        expect(chips(alice).last).to_contain_text("At most 2 files go with a message.")
        expect(alice.get_by_role("button", name="Send")).to_be_disabled()
        remove(alice, "2.txt")
        expect(alice.get_by_role("button", name="Send")).to_be_enabled()
        remove(alice, "1.txt")
        remove(alice, "0.txt")


def bring(page: Page, way: str, name: str, content: bytes) -> None:
    if way == "button":
        choose(page, name, content)
    else:
        give(page, way, name, content)


def remove(page: Page, name: str) -> None:
    chips(page).get_by_role("button", name=f"Remove {name}").click()


def test_a_heavy_photograph_is_made_smaller(alice: Page, server: Server) -> None:
    heavy = {"name": "p.png", "mimeType": "image/png", "buffer": files.png(2600, 1500, noise=True)}
    alice.get_by_label("Attach files").set_input_files(heavy)
    expect(chips(alice)).to_contain_text("made smaller")
    expect(chips(alice).locator("img")).to_have_js_property("naturalWidth", 2000)
    ask(alice, "What is this?")
    finished(alice)
    [row] = server.query("SELECT name, media_type FROM chat_attachment WHERE name LIKE 'p.%%'")
    assert row == ("p.jpg", "image/jpeg")


def test_a_draft_keeps_its_files(alice: Page) -> None:
    choose(alice, "plan.pdf", files.PDF)
    composer(alice).fill("Look")
    expect(alice.locator("#quote")).to_contain_text("9,0")
    alice.reload()
    expect(chips(alice)).to_contain_text("plan.pdf")
    expect(composer(alice)).to_have_value("Look")
    alice.get_by_role("button", name="Send").click()
    expect(finished(alice).locator(".price-line")).to_contain_text(re.compile("9,0.. in"))
    alice.reload()
    expect(chips(alice)).to_have_count(0)


def test_an_edited_question_keeps_its_files(alice: Page) -> None:
    choose(alice, "plan.txt", b"Some notes.")
    ask(alice, "Frist")
    finished(alice)
    composer(alice).fill("half a thought")
    alice.locator("article.user").get_by_role("button", name="Edit").click()
    expect(chips(alice)).to_contain_text("plan.txt")
    ask(alice, "First")
    expect(alice.locator("article.user .said")).to_have_text(["First"])
    finished(alice)
    expect(alice.locator("article.user").get_by_role("link", name="plan.txt")).to_be_visible()
    expect(composer(alice)).to_have_value("half a thought")


def test_the_vendor_gets_the_blocks(alice: Page, server: Server, upstream_url: str) -> None:
    choose(alice, "a.png", files.png(8, 8))
    ask(alice, "[[text:A black square.]]")
    expect(finished(alice).locator(".prose")).to_have_text("A black square.")
    [(usage,)] = server.query("SELECT usage FROM ledger_charge ORDER BY authorized_at DESC LIMIT 1")
    tokens = (json.loads(usage) if isinstance(usage, str) else usage)["input_tokens"]
    assert 1_500 < tokens < 1_600
