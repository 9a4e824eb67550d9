"""Projects in the browser: made, chatted in, filled from the list, deleted."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, finished, rows
from tests.browser.test_finding import more
from tests.servers import Server

pytestmark = pytest.mark.once


def test_a_project_from_its_first_chat_to_its_end(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    ask(page, "Made before")
    finished(page)
    page.get_by_role("link", name="Projects").click()
    page.get_by_label("Name").fill("Thesis")
    page.get_by_label("System prompt").fill("Be exact.")
    page.get_by_label("Model").select_option(label="Claude Opus 4.8")
    page.get_by_role("button", name="Make the project").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thesis")
    expect(page.get_by_text("No chats here yet.")).to_be_visible()
    page.get_by_role("link", name="New chat").click()
    expect(page.locator("#model-name")).to_have_text("Opus 4.8")
    ask(page, "Chapter one")
    expect(finished(page).locator(".price-line")).to_contain_text("claude-opus-4-8")
    page.reload()
    expect(page.locator(".talk-head .project")).to_have_text("Thesis")
    more(page, "Made before", "Move to a project")
    page.get_by_role("dialog").get_by_label("Thesis").check()
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_text("Chat moved.")).to_be_visible()
    page.locator(".talk-head .project").click()
    expect(rows(page)).to_have_count(2)
    page.get_by_role("button", name="Delete the project").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Projects")
    expect(page.locator(".projects")).to_have_count(0)
    page.goto("/")
    expect(rows(page).filter(has_text=re.compile("Made before|Chapter one"))).to_have_count(2)
