"""The product in German, and laid out from the right."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_page import overflow
from tests.servers import PASSWORD, Server

pytestmark = pytest.mark.once

FROM_THE_RIGHT = "document.documentElement.dir = 'rtl'"


def test_a_day_in_german(visit: Visit, server: Server) -> None:
    page = visit(server, "", "/sign-in/", locale="de-DE")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_label("Benutzername").fill("admin")
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden").click()

    draft = page.get_by_label("Ihre Nachricht")
    draft.fill("Hallo [[words:1200]]")
    expect(page.locator("#quote")).to_have_text(
        re.compile(r"\d+ Eingabe · (etwa )?0,0000\d+\xa0\$ · höchstens 0,0\d+\xa0\$$")
    )
    draft.press("Enter")
    line = page.locator(".price-line")
    expect(line).to_have_text(re.compile(r"Eingabe · \d\.\d{3} Ausgabe · 0,\d+\xa0\$$"))
    expect(page.locator(".stop-words")).to_have_text("fertig")
    expect(page.locator("#rows h2")).to_have_text("Heute")
    draft.fill("Suche [[web_search:1+words:5]]")
    draft.press("Enter")
    expect(page.locator(".stop-words")).to_have_count(2)
    searched = page.locator("article").last.locator(".thought")
    expect(searched).to_contain_text("Im Web gesucht nach „question 0“")

    here = page.url
    page.locator("#rows [data-action=delete]").click()
    page.get_by_role("button", name="Rückgängig").click()
    expect(page).to_have_url(here)
    days = {"Gestern": 1, "Letzte 7 Tage": 5, "Ältere": 300}
    for heading, ago in days.items():
        then = datetime.now(UTC) - timedelta(days=ago)
        server.query("UPDATE chat_conversation SET active_at = %s", str(then))
        page.reload()
        expect(page.locator("#rows h2")).to_have_text(heading)
    page.keyboard.press("Control+k")
    day = rf"^{then.day}\. [A-ZÄ][a-zä]+\.? {then.year}$"
    expect(page.get_by_role("dialog").locator("time")).to_have_text(re.compile(day))
    page.keyboard.press("Escape")

    line.first.click()
    expect(page.get_by_role("heading", name="Beleg")).to_be_visible()
    expect(page.get_by_text("Ein solcher Aufruf kostet")).to_be_visible()
    facts = page.locator("dl.facts")
    expect(facts).to_contain_text(re.compile(r"\d+ Eingabe, \d\.\d{3} Ausgabe"))
    expect(facts.locator("time")).to_have_text(re.compile(r"^\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d$"))
    expect(page.locator("td.money").last).to_have_text(re.compile(r"^0,\d+\xa0\$$"))
    page.get_by_label("Hauptmenü").get_by_role("link", name="Nutzung").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Meine Nutzung")
    page.get_by_label("Hauptmenü").get_by_role("link", name="Ausgaben").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ausgaben")
    expect(page.locator(".data td, .figures dd").first).to_contain_text(re.compile(r"[\d,]+"))


def test_a_choice_outlives_the_browser(visit: Visit, server: Server) -> None:
    page = visit(server, "bob", "/account/", locale="en-US")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Konto")
    other = visit(server, "bob", "/account/", locale="en-US")
    expect(other.get_by_role("heading", level=1)).to_have_text("Konto")
    other.get_by_role("button", name="Wie der Browser").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Account")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_may_run_from_the_right(visit: Visit, server: Server, width: int) -> None:
    page = visit(server, "alice", viewport={"width": width, "height": 800})
    page.get_by_label("Your message").fill("שלום [[words:30]]")
    page.get_by_label("Your message").press("Enter")
    expect(page.locator(".price-line")).to_be_visible()
    page.evaluate(FROM_THE_RIGHT)
    assert overflow(page) == 0
    assert middle(page, ".said") < width / 2 < middle(page, ".talk-head h1")
    if width > 800:
        assert middle(page, "#sidebar") > middle(page, "#content")
    for path in ("/account/", "/usage/", "/chats/", "/usage/budgets/"):
        page.goto(path)
        page.evaluate(FROM_THE_RIGHT)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        assert middle(page, ".brand") > width / 2 > middle(page, ".avatar"), path


def middle(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box
    return box["x"] + box["width"] / 2


def test_words_of_modules_have_one_form_and_many(blank: Page) -> None:
    said = blank.evaluate("""async () => {
      const data = document.createElement("script");
      Object.assign(data, { id: "words", type: "application/json" });
      data.textContent = JSON.stringify({ Hi: "Hallo", "%(n)s cat": ["%(n)s Katze", "%(n)s Katzen"] });
      document.body.append(data);
      const { _, ngettext } = await import("/js/words.js?forms");
      const cats = [0, 1, 2].map((n) => ngettext("%(n)s cat", "%(n)s cats", n));
      const dogs = ngettext("%(n)s dog", "%(n)s dogs", 2);
      return [_("Hi"), _("Bye %(name)s", { name: "<b>" }), ...cats, dogs];
    }""")
    assert said == ["Hallo", "Bye <b>", "0 Katzen", "1 Katze", "2 Katzen", "2 dogs"]
