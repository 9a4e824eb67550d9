"""A chat as a file in the browser: saved from its menu, and brought in again."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, finished, rows, says
from tests.browser.test_finding import more
from tests.chat.test_foreign import chatgpt, claude
from tests.servers import Server

pytestmark = pytest.mark.once


def test_a_chat_leaves_and_comes_back(visit: Visit, server: Server, tmp_path: Path) -> None:
    page = visit(server, "alice")
    ask(page, says("Some **bold** words"))
    prose = finished(page).locator(".prose").inner_html()
    with page.expect_download() as text:
        more(page, "[[b64", "Export as Markdown")
    assert "Some **bold** words" in text.value.path().read_text()
    with page.expect_download() as data:
        more(page, "[[b64", "Export as JSON")
    data.value.save_as(tmp_path / data.value.suggested_filename)
    page.goto("/chats/")
    page.get_by_role("link", name="Import").click()
    page.get_by_label("File").set_input_files(tmp_path / data.value.suggested_filename)
    page.get_by_role("button", name="Import").click()
    expect(rows(page)).to_have_count(2)
    copy = page.locator("article.assistant")
    assert copy.locator(".prose").inner_html() == prose
    expect(copy.locator(".price-line")).to_have_count(0)
    ask(page, "And more?")
    finished(page, 1)


def test_a_large_export_of_another_product_is_brought_in_one_by_one(
    visit: Visit, server: Server, tmp_path: Path
) -> None:
    page = visit(server, "bob", "/import/")
    hostile = "<img src=x onerror=window.__xss=1>"
    chats = [claude(name=f"Chat {n} {hostile}") for n in range(3)]
    chats += [chatgpt(), claude(name="Huge", chat_messages=[{"text": "x" * 1_100_000}]), {"odd": 1}]
    (tmp_path / "conversations.json").write_text(json.dumps(chats))
    page.forgiven.append("400")  # type: ignore[attr-defined]
    page.get_by_label("File").set_input_files(tmp_path / "conversations.json")
    page.get_by_label("Bread").uncheck()
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#told")).to_contain_text("3 chats were imported, 2 could not be")
    expect(page.locator("#choosing")).to_contain_text("This chat is too large.")
    page.get_by_label("Bread").check()
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#told")).to_contain_text("1 chat was imported, 2 could not be")
    page.get_by_role("link", name="Show my chats").click()
    expect(rows(page)).to_have_count(4)
    rows(page).filter(has_text="Bread").get_by_role("link").click()
    expect(page.locator("article.assistant .prose")).to_have_text("Wheat.")
    assert page.evaluate("window.__xss") is None
