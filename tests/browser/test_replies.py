"""Replies that think, search, end early or are written anew, and the figures above the chat."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, composer, finished, reply, stop_button
from tests.servers import Server

pytestmark = pytest.mark.once

# A model that two long messages fill.
SMALL = """from chatapp.pricing.models import Model
model = Model.objects.get(id="claude-opus-4-6")
model.context_window = 2_000
model.save()"""
ENDS = """from datetime import date
from chatapp.pricing.models import Model
Model.objects.filter(id="claude-opus-4-5").update(deprecated=date(2026, 10, 1), retires="2027-05-05")"""
OFFER = """from chatapp.pricing.models import Model
model = Model.objects.get(id="claude-opus-4-7")
model.offered = %s
model.save()"""


@pytest.fixture
def alice(visit: Visit, server: Server) -> Page:
    return visit(server, "alice")


def settings(page: Page, **chosen: str) -> Locator:
    """Choose in the settings, and save; each by its label."""
    page.get_by_role("button", name="Settings of this chat").click()
    dialog = page.get_by_role("dialog", name="Settings of this chat")
    for label, value in chosen.items():
        dialog.get_by_label(label.replace("_", " ")).select_option(value)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    return dialog


def choose_model(page: Page, name: str) -> None:
    page.locator("#models summary").click()
    page.locator("label.model", has_text=name).click()


def test_only_what_the_model_can_do_is_offered(alice: Page) -> None:
    button = alice.get_by_role("button", name="Settings of this chat")
    button.click()
    dialog = alice.get_by_role("dialog", name="Settings of this chat")
    expect(dialog.get_by_label("Effort")).to_be_hidden()
    expect(dialog.get_by_label("Speed")).to_be_hidden()
    expect(dialog.get_by_label("Thinking").locator("option").first).to_have_text("As usual: off")
    dialog.get_by_role("button", name="Cancel").click()
    choose_model(alice, "Claude Opus 5.5")
    button.click()
    expect(dialog.get_by_label("Thinking")).to_be_disabled()
    expect(dialog.get_by_label("Thinking").locator("option").first).to_have_text("Always on")
    expect(dialog.get_by_label("Effort")).to_be_visible()
    expect(dialog.get_by_label("Speed")).to_be_visible()
    dialog.get_by_label("Effort").select_option("max")
    dialog.get_by_label("Speed").select_option("fast")
    dialog.get_by_role("button", name="Save").click()
    choose_model(alice, "Claude Haiku 4.5")
    ask(alice, "Hi [[words:5]]")  # what it cannot do is not asked of it
    finished(alice)


def test_settings_stay_with_the_chat(alice: Page) -> None:
    """All seven: set before the first message, changed after it."""
    choose_model(alice, "Claude Opus 4.8")
    fields = {"System prompt": "Be exact.", "Longest reply": "1234"}
    wishes = {"Thinking": "off", "Effort": "low", "Web search": "5", "Speed": "fast"}
    wishes["Prompt cache"] = "1h"
    button = alice.get_by_role("button", name="Settings of this chat")
    dialog = alice.get_by_role("dialog", name="Settings of this chat")
    for other in {}, {"Longest reply": "99", "Thinking": "on", "Effort": "max", "Speed": ""}:
        fields |= {label: other[label] for label in fields if label in other}
        wishes |= {label: other[label] for label in wishes if label in other}
        button.click()
        for label, value in fields.items():
            dialog.get_by_label(label).fill(value)
        for label, value in wishes.items():
            dialog.get_by_label(label).select_option(value)
        dialog.get_by_role("button", name="Save").click()
        expect(dialog).to_be_hidden()
        ask(alice, "Hi [[words:5]]")
        finished(alice, 1 if other else 0)
        alice.reload()
        expect(alice.locator("#model-name")).to_have_text("Opus 4.8")
        button.click()
        for label, value in {**fields, **wishes}.items():
            expect(dialog.get_by_label(label)).to_have_value(value)
        dialog.get_by_role("button", name="Cancel").click()


def test_thinking_is_folded_and_outlives_a_reload(alice: Page) -> None:
    settings(alice, Thinking="on")
    ask(alice, "Hi [[words:60+slow:60]]")
    folded = reply(alice).locator(".thinking")
    expect(folded).to_contain_text("Let me think about this.")
    expect(folded).not_to_have_attribute("open", "")
    expect(reply(alice).locator(".running")).to_contain_text(re.compile(r"about \d+ out · \$0\."))
    alice.reload()
    expect(reply(alice).locator(".thinking")).to_contain_text("Let me think about this.")
    finished(alice)
    summary = reply(alice).locator(".thinking summary")
    expect(summary).to_have_text(re.compile(r"Thought for \d+ s, 12 tokens"))
    summary.click()
    expect(reply(alice).locator(".thought")).to_be_visible()


def test_a_search_is_told_and_cited(alice: Page) -> None:
    settings(alice, Web_search="3")
    ask(alice, "What is new? [[web_search:2+words:10]]")
    article = finished(alice)
    link = article.get_by_role("link", name="[2]")
    expect(link).to_have_attribute("href", "https://example.com/1")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    expect(article.locator(".thinking summary")).to_have_text("Searched the web")
    article.locator(".thinking summary").click()
    expect(article.locator(".thought")).to_contain_text("Searched the web for “question 1”")
    article.locator(".price-line").click()
    expect(alice.get_by_role("row", name=re.compile("Web search"))).to_contain_text("0.02")


def test_a_hostile_source_is_no_link(alice: Page) -> None:
    settings(alice, Web_search="3")
    ask(alice, "What is new? [[web_search:1+citations:javascript:alert(1)+words:5]]")
    article = finished(alice)
    expect(article.locator(".prose")).to_contain_text("As found.")
    expect(article.locator(".prose a")).to_have_count(0)


def test_a_cut_off_reply_is_continued(alice: Page) -> None:
    ask(alice, "Hi [[max_tokens+words:5]]")
    article = finished(alice)
    expect(article).to_contain_text("reached its longest length")
    composer(alice).fill("A draft that stays")
    article.get_by_role("button", name="Continue").click()
    expect(alice.locator("article.user .said")).to_have_text(
        ["Hi [[max_tokens+words:5]]", "Go on from exactly where you stopped."]
    )
    finished(alice)
    expect(composer(alice)).to_have_value("A draft that stays")


def test_a_stopped_reply_is_continued(alice: Page) -> None:
    ask(alice, "Hi [[words:200+slow:50]]")
    expect(reply(alice).locator(".tail")).to_contain_text("w3")
    stop_button(alice).click()
    finished(alice).get_by_role("button", name="Continue").click()
    expect(alice.locator("article.assistant")).to_have_count(2)
    finished(alice)


def test_a_reply_is_written_anew_by_another_model(alice: Page) -> None:
    ask(alice, "Hi [[words:5]]")
    finished(alice)
    again = reply(alice).get_by_role("button", name="Write this reply anew")
    expect(again).to_have_attribute("title", re.compile(r"about \$0\.\d+"))
    reply(alice).get_by_role("button", name="Write it anew with another model").click()
    dialog = alice.get_by_role("dialog", name="Write this reply anew")
    dialog.get_by_role("button", name=re.compile(r"Sonnet 5\.5\s*about \$0\.\d+")).click()
    expect(finished(alice).locator(".price-line")).to_contain_text("claude-sonnet-5-5")
    expect(alice.locator("#model-name")).to_have_text("Haiku 4.5")
    expect(alice.locator("#figures")).to_contain_text("in all")


def test_the_list_of_models_says_when_one_ends(alice: Page, visit: Visit, server: Server) -> None:
    server.manage("shell", "-c", ENDS)
    for page, words in (
        (alice, "retires 5 May 2027"),
        (visit(server, "alice", locale="de-DE"), "endet am 5. Mai 2027"),
    ):
        page.reload()
        page.locator("#models summary").click()
        label = page.locator("label.model", has_text="Claude Opus 4.5")
        expect(label.locator(".badge")).to_have_text(words)


def test_the_list_of_models_prices_the_next_turn(alice: Page) -> None:
    models = alice.locator("#models")
    models.locator("summary").click()
    expect(models.locator("label.model").first).to_be_visible()
    expect(models.locator(".model-next:not(:empty)")).to_have_count(0)
    alice.keyboard.press("Escape")
    ask(alice, "Hi [[cache:5m+words:900]]")
    finished(alice)
    expect(alice.locator("#figures")).to_have_attribute("data-tokens", re.compile(r"\d"))
    models.locator("summary").click()
    for name in "Claude Haiku 4.5", "Claude Opus 4.8":
        label = models.locator("label.model", has_text=name)
        expect(label).to_contain_text(re.compile(r"\$\d+ in · \$\d+ out.*\d+[kM] context", re.S))
        expect(label).to_contain_text(re.compile(r"next turn about \$0\.\d+"))
    label.click()
    [slow, fast] = [next_turn(alice, speed) for speed in ("", "fast")]
    assert fast > 1.5 * slow


def next_turn(page: Page, speed: str) -> float:
    """What Opus 4.8 says that it takes at this speed, in dollars."""
    settings(page, Speed=speed)
    page.locator("#models summary").click()
    label = page.locator("label.model", has_text="Claude Opus 4.8")
    expect(label).to_contain_text("next turn about $")
    words = label.locator(".model-next").inner_text()
    page.keyboard.press("Escape")
    return float(words.rpartition("$")[2])


@pytest.fixture
def withdraw(server: Server) -> Iterator[Callable[[], str]]:
    """withdraw(): Opus 4.7 is not offered any more, until the test ends."""
    yield lambda: server.manage("shell", "-c", OFFER % False)
    server.manage("shell", "-c", OFFER % True)


def test_a_chat_goes_on_when_its_model_is_no_longer_offered(
    alice: Page, withdraw: Callable[[], str]
) -> None:
    alice.forgiven.append("400")  # type: ignore[attr-defined]
    gone = "Claude Opus 4.7 is no longer offered"
    choose_model(alice, "Claude Opus 4.7")
    ask(alice, "Hi [[words:5]]")
    finished(alice)
    withdraw()
    ask(alice, "Still there?")
    expect(alice.locator("#composer-note")).to_contain_text(gone)
    alice.reload()
    expect(finished(alice).locator(".prose")).to_contain_text("w4")
    notice = alice.locator("#gone")
    expect(notice).to_contain_text(gone)
    expect(composer(alice)).to_have_value("Still there?")
    composer(alice).press("Enter")
    expect(alice.locator("#composer-note")).to_contain_text(gone)
    other = alice.context.new_page()
    other.goto(alice.url)
    expect(other.locator("#gone")).to_contain_text(gone)
    notice.get_by_role("button", name="Choose a model").click()
    own = alice.locator("label.model", has_text="Claude Opus 4.7")
    expect(own).to_contain_text("no longer offered")
    expect(own.get_by_role("radio")).to_be_disabled()
    alice.locator("label.model", has_text="Claude Haiku 4.5").click()
    expect(notice).to_be_hidden()
    expect(other.locator("#gone")).to_have_count(0)
    expect(other.locator("#model-name")).to_have_text("Haiku 4.5")
    composer(alice).press("Enter")
    expect(finished(alice, 1).locator(".price-line")).to_contain_text("claude-haiku-4-5")
    alice.reload()
    expect(finished(alice, 1)).to_be_visible()
    expect(notice).to_have_count(0)
    expect(alice.locator("label.model", has_text="Claude Opus 4.7")).to_have_count(0)


def test_a_full_chat_goes_on_with_a_summary(alice: Page, server: Server) -> None:
    server.manage("shell", "-c", SMALL)
    alice.reload()
    choose_model(alice, "Claude Opus 4.6")
    alice.get_by_role("button", name="Settings of this chat").click()
    alice.get_by_label("Longest reply").fill("60")
    alice.get_by_role("button", name="Save").click()
    ask(alice, "Hi [[words:5]]")
    finished(alice)
    expect(alice.locator("#context")).to_contain_text(re.compile(r"[1-5] %"))
    expect(alice.locator("#full .notice")).to_have_count(0)
    ask(alice, "Much to read " + "1234 " * 1_340 + "[[words:5]]")
    finished(alice, 1)
    notice = alice.locator("#full .notice")
    prices = (
        r"A message here costs about (.+)\. A summary costs about (.+) once, and .* about (.+)\."
    )
    expect(notice).to_contain_text(re.compile(rf"fills 8\d % .* {prices}"))
    [here, summary, fresh] = re.search(prices, notice.inner_text()).groups()  # type: ignore[union-attr]
    assert all(price.startswith("$0.") for price in (here, summary, fresh))
    assert float(fresh[1:]) != float(here[1:])
    notice.get_by_role("button", name="Continue in a new chat with a summary").click()
    expect(alice).to_have_url(re.compile(r"/\?summary="))
    alice.get_by_role("button", name="Settings of this chat").click()
    expect(alice.get_by_label("System prompt")).to_have_value(
        re.compile("continues an earlier one.*w0 w1", re.S)
    )


def test_what_is_cached_counts_down(alice: Page) -> None:
    ask(alice, "Hi [[cache:5m+words:5]]")
    finished(alice)
    expect(alice.locator("#cached")).to_contain_text(re.compile(r"cached [45]:\d\d"))
