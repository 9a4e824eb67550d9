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


def test_a_project_offers_what_its_model_can_do_and_its_chats_begin_with_it(
    visit: Visit, server: Server
) -> None:
    page = visit(server, "alice", "/projects/")
    expect(page.get_by_label("Effort")).to_be_hidden()
    expect(page.get_by_label("Speed")).to_be_hidden()
    expect(page.get_by_label("Thinking").locator("option").first).to_have_text("As usual: off")
    page.get_by_label("Name").fill("Fast and thorough")
    page.get_by_label("Model").select_option(label="Claude Opus 5.5")
    expect(page.get_by_label("Thinking")).to_be_disabled()
    expect(page.get_by_label("Longest reply")).to_have_attribute("max", "128000")
    page.get_by_label("Model").select_option(label="Claude Opus 5")
    page.get_by_label("System prompt").fill("Be exact.")
    page.get_by_label("Longest reply").fill("1234")
    wishes = {"Thinking": "off", "Effort": "low", "Web search": "5", "Speed": "fast"}
    wishes["Prompt cache"] = "1h"
    for label, value in wishes.items():
        page.get_by_label(label).select_option(value)
    page.get_by_role("button", name="Make the project").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fast and thorough")
    for label, value in wishes.items():
        expect(page.get_by_label(label)).to_have_value(value)
    page.get_by_role("link", name="New chat").click()
    page.wait_for_load_state()
    ask(page, "Hi [[words:5]]")
    finished(page)
    page.reload()
    expect(page.locator("#model-name")).to_have_text("Opus 5")
    page.get_by_role("button", name="Settings of this chat").click()
    dialog = page.get_by_role("dialog", name="Settings of this chat")
    expect(dialog.get_by_label("System prompt")).to_have_value("Be exact.")
    expect(dialog.get_by_label("Longest reply")).to_have_value("1234")
    for label, value in wishes.items():
        expect(dialog.get_by_label(label)).to_have_value(value)
