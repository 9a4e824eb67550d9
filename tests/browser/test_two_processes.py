"""One day over two server processes with PostgreSQL and Redis: any tab may meet either process."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, finished, reply, rows, says, stop_button
from tests.servers import Server, chatapp

LONG = "".join(f"Paragraph {n} has **bold** words.\n\n" for n in range(60)) + "The end."
WHOLE = [*(f"Paragraph {n}" for n in range(60)), "The end"]

Pair = tuple[Server, Server]


@pytest.fixture(scope="module")
def pair(postgresql_url: str, redis_url: str, upstream_url: str) -> Iterator[Pair]:
    """Two processes of one installation. A cookie of 127.0.0.1 goes to both ports."""
    shared = {"DATABASE_URL": postgresql_url, "REDIS_URL": redis_url}
    vendor = {"ANTHROPIC_BASE_URL": upstream_url, "ANTHROPIC_API_KEY": "test"}
    with chatapp(**shared, **vendor) as first:
        second = Server(first.folder, first.extra)
        second.start()
        try:
            yield first, second
        finally:
            second.stop()


def words(page: Page) -> list[str]:
    """The words on the page, in order, whatever is still plain."""
    text = reply(page).locator(".prose, .tail")
    return re.findall(r"Paragraph \d+|The end", " ".join(text.all_inner_texts()))


def tabs(visit: Visit, pair: Pair, *, pause: int) -> tuple[Page, Page]:
    """A conversation of alice's, open on both processes, with a pause (ms) between pieces."""
    here = visit(pair[0], "alice")
    ask(here, says(LONG, pause=pause))
    expect(reply(here)).to_contain_text("Paragraph 3")
    there = here.context.new_page()
    there.goto(here.url.replace(pair[0].url, pair[1].url))
    return here, there


def test_a_reply_goes_on_wherever_it_is_opened(visit: Visit, pair: Pair) -> None:
    here, there = tabs(visit, pair, pause=60)
    expect(reply(there)).to_contain_text("Paragraph 8")
    here.goto(there.url)  # reloaded in mid-reply, on the process that does not write it
    expect(reply(here)).to_contain_text("Paragraph 12")
    for tab in here, there:
        seen = words(tab)
        assert seen == WHOLE[: len(seen)]
    for tab in here, there:
        finished(tab)
        assert words(tab) == WHOLE
    assert reply(here).inner_html() == reply(there).inner_html()


def test_what_one_tab_does_the_other_shows(visit: Visit, pair: Pair) -> None:
    here, there = tabs(visit, pair, pause=300)  # stopped long before its end
    expect(reply(there)).to_contain_text("Paragraph 5")
    stop_button(there).click()
    for tab in here, there:
        expect(finished(tab)).to_contain_text("stopped")
    assert words(here) == words(there) != WHOLE
    ask(there, "[[words:5]] And now?")
    expect(finished(here, 1)).to_contain_text("w4")
    rows(here).first.get_by_role("button", name=re.compile("^Rename")).click()
    rows(here).first.get_by_label("Title").fill("Told across")
    rows(here).first.get_by_label("Title").press("Enter")
    expect(there.get_by_role("heading", level=1)).to_have_text("Told across")


def test_a_price_changed_here_holds_for_the_next_call_there(visit: Visit, pair: Pair) -> None:
    first, second = pair
    page = visit(first, "bob")
    ask(page, "[[words:50]] Before")
    before = finished(page).locator(".price-line").inner_text()
    admin = visit(second, "admin", "/admin/pricing/priceversion/?q=haiku-4-5")
    admin.get_by_role("link", name="Claude Haiku 4.5").first.click()
    admin.get_by_role("link", name="New version from this one").click()
    admin.locator("#id_reason").fill("dearer from now on")
    admin.locator("#id_tiers-0-output").fill("50")
    admin.get_by_role("button", name="Save", exact=True).click()
    admin.get_by_label("These prices are meant").check()
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator("#result_list")).to_contain_text("dearer from now on")
    admin.wait_for_timeout(1_000)  # it holds from the next second on
    ask(page, "[[words:50]] After")
    after = finished(page, 1).locator(".price-line").inner_text()
    assert dollars(after) > 5 * dollars(before)
    page.reload()
    assert finished(page, 0).locator(".price-line").inner_text() == before
    admin.goto("/dashboard/")
    row = admin.get_by_role("row", name=re.compile("Bob")).first
    expect(row).to_contain_text(f"${dollars(before) + dollars(after):.3f}"[:5])


def dollars(line: str) -> float:
    return float(line.rpartition("$")[2])
