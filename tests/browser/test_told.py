"""What a person is told in the chat: prices before and after, limits, and why a reply ended as it did."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, composer, finished, reply, stop_button
from tests.browser.test_replies import settings
from tests.servers import Server

pytestmark = pytest.mark.once

BUDGET = """from chatapp.ledger.models import Budget
from chatapp.accounts.models import User
bob = User.objects.get(username="bob")
Budget.objects.update_or_create(
    scope="person", person=bob, period="day", defaults={"limit_pusd": 10**4, "hard": %s})"""


@pytest.fixture
def alice(visit: Visit, server: Server) -> Page:
    return visit(server, "alice")


def test_a_budget_colours_the_quote_and_blocks_the_send(visit: Visit, server: Server) -> None:
    server.manage("shell", "-c", BUDGET % False)
    page = visit(server, "bob")
    quote = page.locator("#quote")
    composer(page).fill("Is this too dear?")
    expect(quote).to_have_attribute("data-level", "amber")
    expect(quote).to_contain_text("at most $0.0")
    server.manage("shell", "-c", BUDGET % True)
    composer(page).fill("Is this too dear now?")
    expect(quote).to_have_attribute("data-level", "red")
    expect(quote).to_contain_text(re.compile("budget.*admin", re.S))
    composer(page).press("Enter")
    expect(page.locator("#composer-note")).to_contain_text("budget")
    expect(composer(page)).to_have_value("Is this too dear now?")
    expect(page.locator("article")).to_have_count(0)


def test_a_newer_quote_cancels_the_older(alice: Page) -> None:
    with alice.expect_request("**/quote/"):
        composer(alice).fill("[[count_slow:4000+count:111]] Slowly counted")
    with alice.expect_event("requestfailed", lambda request: request.url.endswith("/quote/")):
        composer(alice).fill("[[count:222]] Soon counted")
    expect(alice.locator("#quote")).to_contain_text("222 in")


def test_what_is_cached_stands_apart_and_a_miss_has_its_reason(alice: Page) -> None:
    ask(alice, "Hi [[cache:5m+words:5]]")
    finished(alice)
    composer(alice).fill("And more?")
    expect(alice.locator("#quote")).to_contain_text(re.compile(r"^\d+ in \(\d+ cached\) · \$"))
    ask(alice, "And more? [[cache:5m+words:5]]")
    expect(finished(alice, 1)).to_contain_text("cache missed: a setting or an earlier message")


def test_the_cost_grows_while_the_reply_is_written(alice: Page) -> None:
    ask(alice, "[[words:400+slow:40]] At length")
    expect(alice.locator("#spent")).to_have_text(re.compile(r"\$0\.0*[1-9]"))
    early = alice.locator("#spent").inner_text()
    expect(alice.locator("#spent")).not_to_have_text(early)
    stop_button(alice).click()
    total = finished(alice).locator(".price-line").inner_text().split("$")[-1]
    expect(alice.locator("#spent")).to_have_text(f"${total}")


def test_a_receipt_has_every_line_and_adds_up(alice: Page) -> None:
    settings(alice, Web_search="3")
    ask(alice, "Hi [[cache:5m+web_search:1+words:30]]")
    finished(alice).locator(".price-line").click()
    for kind in "Input", "5 min", "Output", "Web search":
        expect(alice.get_by_role("row").filter(has_text=kind).first).to_be_visible()
    facts = alice.locator("dl.facts")
    for name, value in (
        ("Model served", "claude-haiku-4-5"),
        ("Ended", "finished"),
        ("Tier, speed, region", "standard"),
        ("Price version", "no. "),
        ("Request", "req_"),
    ):
        expect(facts.locator("dt", has_text=name).first).to_be_visible()
        expect(facts).to_contain_text(value)
    expect(facts).to_contain_text(re.compile(r"first token after [\d,]+ ms, [\d,]+ ms in all"))
    expect(alice.locator("tbody")).to_contain_text("per million tokens")
    *lines, total = alice.locator("td.money").all_inner_texts()
    assert sum(map(dollars, lines)) == dollars(total) > 0


def dollars(text: str) -> Decimal:
    return Decimal(text.removeprefix("$").replace(",", ""))


def test_it_is_asked_again_by_itself_with_a_countdown(alice: Page) -> None:
    ask(alice, "[[429x1:5+words:5]] Hello")
    note = reply(alice).locator(".live-note:visible")
    for left in 3, 2:  # longer than the page stays silent before it asks how things are
        expect(note).to_have_text(re.compile(rf"\({left} s\)$"))
    expect(finished(alice).locator(".prose")).to_contain_text("w4")
    expect(alice.locator("article")).to_have_count(2)


def test_a_pause_goes_on_by_itself(alice: Page) -> None:
    settings(alice, Web_search="10")
    ask(alice, "Hi [[pause_turnx2+web_search:1+words:3]]")
    article = finished(alice)
    expect(article.locator(".prose")).to_have_text(re.compile("(w2.*){3}", re.S))
    expect(article.get_by_role("button", name="Continue")).to_have_count(0)
    expect(alice.locator("article")).to_have_count(2)


@pytest.mark.parametrize(
    ("fault", "said", "button"),
    [
        ("refusal:bio", "declined to answer this. Ask in other words", ""),
        ("context_exceeded", "Go on in a new chat, or with a model that reads more", ""),
        ("pause_turn", "It can go on from here", "Continue"),
        ("fallback", "claude-opus-4-8 answered, claude-haiku-4-5 was asked", ""),
        ("toolong", "Start a new conversation, or choose a model with a larger window", "Retry"),
    ],
)
def test_an_end_says_what_it_means(alice: Page, fault: str, said: str, button: str) -> None:
    ask(alice, f"[[{fault}]] Hello")
    expect(reply(alice)).to_contain_text(said)
    if button:
        expect(reply(alice).get_by_role("button", name=button)).to_be_visible()


def test_without_a_key_every_page_says_which_setting_is_missing(
    visit: Visit, demo_server: Server
) -> None:
    page = visit(demo_server, "admin")
    for path in "/", "/usage/", "/dashboard/", "/admin/":
        page.goto(path)
        expect(page.get_by_text("Set ANTHROPIC_API_KEY and restart")).to_be_visible()
