"""A chat as a file in the browser: saved from its menu, and brought in again."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, finished, rows, says
from tests.browser.test_finding import more
from tests.servers import Server


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
