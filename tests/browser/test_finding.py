"""Finding chats in the browser: Ctrl+K, pins, the archive, a list that goes on."""

import re
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, finished, rows
from tests.servers import Server


@pytest.fixture
def alice(visit: Visit, server: Server) -> Page:
    return visit(server, "alice")


def more(page: Page, title: str, what: str) -> None:
    row = rows(page).filter(has_text=title)
    row.hover()
    row.get_by_role("button", name=re.compile("^More")).click()
    menu = page.locator("#row-menu")
    menu.get_by_role("button", name=what).or_(menu.get_by_role("link", name=what)).click()


def test_ctrl_k_finds_words_in_messages(alice: Page) -> None:
    ask(alice, "[[text:A pelican stood there]] <img src=x onerror=alert(1)> Birds?")
    finished(alice)
    alice.goto("/")
    alice.keyboard.press("Control+k")
    panel = alice.get_by_role("dialog", name="Search your chats")
    expect(panel.get_by_role("link").first).to_be_visible()  # the newest, before anything is typed
    alice.keyboard.type("pelic stood")
    expect(panel.locator("mark").first).to_have_text("pelic")
    expect(panel.locator("img")).to_have_count(0)
    alice.keyboard.press("ArrowDown")
    expect(panel.get_by_role("link").first).to_be_focused()
    alice.keyboard.press("ArrowUp")
    alice.keyboard.press("Enter")
    expect(finished(alice)).to_contain_text("A pelican stood there")
    row = rows(alice).first
    row.get_by_role("button", name=re.compile("^Rename")).click()
    row.get_by_label("Title").fill("Ornithology")
    row.get_by_label("Title").press("Enter")
    expect(alice).to_have_title("Ornithology · chatapp")
    alice.keyboard.press("Control+k")
    alice.keyboard.type("ornith")
    expect(panel.locator("strong mark")).to_have_text("Ornith")
    expect(panel.locator("mark")).to_have_count(1)
    expect(panel.get_by_role("link")).to_have_attribute("href", re.compile("^/c/[^?]*$"))
    alice.keyboard.press("Escape")
    alice.keyboard.press("Control+k")
    alice.keyboard.type("nothing has this")
    expect(panel).to_contain_text("Nothing has the words")
    alice.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_ctrl_k_is_heard_before_the_modules_are_there(alice: Page) -> None:
    ask(alice, "[[text:A heron stood there]] Birds?")
    finished(alice)
    held: list[Route] = []
    keys = re.compile(r"/js/keys\b")
    alice.route(keys, lambda route: held.append(route))
    with alice.expect_request(keys):
        alice.goto("/", wait_until="commit")
    expect(alice.get_by_role("heading", name="What is on your mind?")).to_be_visible()
    alice.keyboard.press("Control+k")
    alice.keyboard.type("heron")
    held[0].continue_()
    panel = alice.get_by_role("dialog", name="Search your chats")
    expect(panel.locator("mark").first).to_have_text("heron")
    alice.keyboard.press("Enter")
    expect(finished(alice)).to_contain_text("A heron stood there")


def test_pinning_and_archiving(alice: Page) -> None:
    for text in "Keep this at hand", "Put this away":
        alice.goto("/")
        ask(alice, text)
        finished(alice)
    more(alice, "Keep this", "Pin")
    pinned = alice.locator("section[data-group=Pinned]")
    expect(pinned).to_contain_text("Keep this at hand")
    expect(rows(alice).first).to_contain_text("Keep this at hand")
    more(alice, "Put this", "Archive")
    expect(rows(alice).filter(has_text="Put this away")).to_have_count(0)
    alice.get_by_role("link", name="Archive").click()
    expect(rows(alice)).to_have_count(1)
    expect(alice.locator("section[data-group=Pinned]")).to_have_count(0)
    more(alice, "Put this", "Take out")
    expect(rows(alice)).to_have_count(0)
    alice.goto("/")
    expect(rows(alice).filter(has_text="Put this away")).to_have_count(1)
    more(alice, "Keep this", "Unpin")
    expect(pinned).to_have_count(0)
    expect(rows(alice).filter(has_text="Keep this at hand")).to_have_count(1)


FIRST = "The first of many"
# Chats like the first one, with these numbers, each two hours older than the one before it.
MANY = f"""from datetime import timedelta
from django.utils import timezone
from chatapp.chat.models import Conversation
like, now = Conversation.objects.get(title="{FIRST}"), timezone.now()
Conversation.objects.bulk_create(Conversation(
    owner=like.owner, title=f"Number {{n}}", active_at=now - timedelta(hours=2 * n),
    model=like.model, max_tokens=like.max_tokens) for n in range(%s, %s))"""


def test_the_list_goes_on_where_it_ends_also_with_ten_thousand_chats(
    visit: Visit, server: Server
) -> None:
    page = visit(server, "bob")
    ask(page, FIRST)
    finished(page)
    server.manage("shell", "-c", MANY % (1, 131))
    page.reload()
    expect(rows(page)).to_have_count(60)
    scrolled(page, 120, 131)
    expect(rows(page).last).to_contain_text("Number 130")
    expect(page.locator(".older")).to_have_count(0)
    headings = ["Today", "Yesterday", "Previous 7 days", "Older"]
    expect(page.locator("#rows h2")).to_have_text(headings)
    server.manage("shell", "-c", MANY % (131, 10_001))
    page.reload()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    scrolled(page, 120, 180, 240)
    assert len({url for url in asked if "/chats/?after=" in url}) == 3
    one = "SELECT active_at, id FROM chat_conversation WHERE title = %s"
    [(at, id)] = server.query(one, "Number 9999")
    place = f"{datetime.fromisoformat(f'{at}').replace(tzinfo=UTC).isoformat()}~{UUID(str(id)).hex}"
    page.goto(f"/chats/?after={quote(place)}")
    expect(rows(page)).to_have_text("Number 10000")
    expect(page.locator(".older")).to_have_count(0)


def scrolled(page: Page, *counts: int) -> None:
    """Scroll to the end of the list until it has so many rows."""
    for count in counts:
        page.locator("#rows").evaluate("box => box.scrollTo(0, box.scrollHeight)")
        expect(rows(page)).to_have_count(count)
