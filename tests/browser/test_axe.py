"""No page is against WCAG 2.2 AA in any of its states: light and dark, on a desktop and a phone."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.axe import faults
from tests.browser.conftest import Visit
from tests.browser.talk import ask, composer, finished, reply, rows, says, stop_button
from tests.browser.test_attachments import chips, choose
from tests.browser.test_finding import more
from tests.browser.test_replies import SMALL, choose_model
from tests.browser.test_told import BUDGET
from tests.chat import files
from tests.servers import Server

pytestmark = pytest.mark.once

RICH = """## A plan

Some **bold**, `code` and [a link](https://example.com).

| a | b |
|---|--:|
| 1 | $5 |

```python
def f(x):  # a comment
    return "words", 12, x is None
```

- [x] done
- [ ] open

> Quoted, and $x^2$.
"""
SIGNED_OUT = ["/sign-in/", "/password/reset/", "/password/reset/sent/", "/setup/gone/"]
PEOPLE = [
    *(
        "/chats/",
        "/chats/?archived",
        "/search/?q=plan",
        "/search/?q=zyzzyva",
        "/projects/",
        "/import/",
        "/?temporary",
    ),
    "/shares/",
    *("/account/", "/password/change/", "/usage/", "/usage/calls/", "/usage/budgets/"),
]
DASHBOARD = [
    *("/dashboard/", "/dashboard/?by=model", "/dashboard/calls/", "/dashboard/budgets/"),
    *("/dashboard/reconciliation/", "/dashboard/what-if/", "/dashboard/tokens/"),
]
ADMIN = [
    *("/admin/", "/admin/accounts/user/", "/admin/accounts/team/add/", "/admin/auth/group/"),
    *("/admin/accounts/user/1/change/", "/admin/accounts/user/add/", "/admin/auth/group/add/"),
    *("/admin/ledger/budget/add/", "/admin/pricing/model/claude-haiku-4-5/change/"),
    *("/admin/pricing/priceversion/?q=haiku", "/admin/pricing/priceversion/add/"),
    *("/admin/pricing/counterprice/", "/admin/pricing/model/?q=haiku"),
]


@pytest.fixture(scope="module", autouse=True)
def _spent(server: Server) -> None:
    size = ("--calls", "60", "--people", "3", "--days", "9")
    server.manage("make_demo_data", "--source", "anthropic", *size)


@pytest.fixture
def look(visit: Visit, server: Server) -> Callable[..., Page]:
    return lambda person, path="/": visit(server, person, path, reduced_motion="reduce")


Look = Callable[..., Page]


def none(found: list[str]) -> None:
    assert not found, "\n".join(["", *found])


def all_of(page: Page, paths: list[str]) -> list[str]:
    """The faults of these pages."""
    page.forgiven.append("404")  # type: ignore[attr-defined]
    found = []
    for path in paths:
        page.goto(path)
        found += faults(page, path)
    return found


def test_before_signing_in(look: Look) -> None:
    page = look("")
    none(all_of(page, [*SIGNED_OUT, "/nowhere/"]))
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    none(faults(page, "wrong password"))


def test_a_chat_from_empty_to_ended(look: Look) -> None:
    page = look("alice")
    found = faults(page, "empty")
    ask(page, "[[words:300+slow:100]] Slowly")
    expect(reply(page)).to_contain_text("w3")
    found += faults(page, "streaming")
    stop_button(page).click()
    expect(finished(page)).to_contain_text("stopped")
    found += faults(page, "stopped", "desktop")
    ask(page, says(RICH, chunk=60))
    finished(page, 1)
    finished(page, 1).get_by_role("button", name="Write this reply anew").first.click()
    expect(page.get_by_role("navigation", name="Branches")).to_contain_text("2/2")
    finished(page, 1)
    composer(page).fill("How much is this?")
    expect(page.locator("#quote")).to_contain_text("at most")
    found += faults(page, "messages, branches, quote")
    composer(page).fill("")
    composer(page).press("ArrowUp")
    expect(page.locator("#composer-note")).to_be_visible()
    choose(page, "notes.txt", b"Some notes.")
    choose(page, "picture.png", files.png(90, 60))
    expect(chips(page)).to_have_count(2)
    found += faults(page, "editing with files")
    none(found)


ENDS = ["400", "cut_after:20", "refusal", "toolong", "max_tokens", "pause_turn", "fallback"]


def test_replies_that_did_not_end_well(look: Look) -> None:
    page = look("alice")
    for number, fault in enumerate([*ENDS, "context_exceeded"]):
        ask(page, f"[[{fault}]] Hello")
        expect(reply(page, number).locator(".notice, .stop-words").first).to_be_visible()
        expect(stop_button(page)).to_be_hidden()
    none(faults(page, "ends", "desktop"))


def test_quotes_and_refusals(look: Look, server: Server) -> None:
    page = look("bob")
    found = []
    for hard, level in (False, "amber"), (True, "red"):
        server.manage("shell", "-c", BUDGET % hard)
        composer(page).fill(f"Is this too dear, {level}?")
        expect(page.locator("#quote")).to_have_attribute("data-level", level)
        found += faults(page, level, "desktop")
    composer(page).press("Enter")
    expect(page.locator("#composer-note")).to_contain_text("budget")
    page.forgiven.append("400")  # type: ignore[attr-defined]
    choose(page, "archive.png", b"PK\x03\x04" + b"\0" * 40)
    expect(chips(page)).to_contain_text("neither an image")
    found += faults(page, "refused, with a file that was refused too")
    none(found)


def test_a_full_chat_and_a_large_picture(look: Look, server: Server) -> None:
    server.manage("shell", "-c", SMALL)
    page = look("alice")
    choose_model(page, "Claude Opus 4.6")
    page.get_by_role("button", name="Settings of this chat").click()
    page.get_by_label("Longest reply").fill("60")
    page.get_by_role("button", name="Save").click()
    ask(page, "Much to read " + "1234 " * 1_340 + "[[words:5]]")
    finished(page)
    expect(page.locator("#full .notice")).to_be_visible()
    found = faults(page, "full")
    page.goto("/")
    choose(page, "picture.png", files.png(90, 60))
    expect(chips(page).locator("img")).to_be_visible()
    ask(page, "What is this?")
    finished(page)
    page.locator("a.picture").click()
    expect(page.get_by_role("dialog", name="Image").get_by_role("img")).to_be_visible()
    none([*found, *faults(page, "lightbox")])


def test_choosing_what_to_import_and_a_project(look: Look) -> None:
    page = look("alice", "/import/")
    chats = json.dumps([{"title": "One"}, {"title": "Two"}]).encode()
    file = {"name": "chats.json", "mimeType": "application/json", "buffer": chats}
    page.get_by_label("File").set_input_files([file])  # type: ignore[list-item]
    expect(page.get_by_label("Two")).to_be_checked()
    found = faults(page, "choosing")
    page.goto("/projects/")
    page.get_by_label("Name").fill("Thesis")
    page.get_by_role("button", name="Make the project").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thesis")
    none([*found, *faults(page, "project")])


def test_thoughts_and_sources(look: Look) -> None:
    page = look("alice")
    ask(page, "[[thinking+web_search:2+words:30]] Hello")
    finished(page).locator(".thinking summary").click()
    none(faults(page, "thinking and sources"))
    finished(page).locator(".price-line").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    none(faults(page, "receipt"))


def test_dialogs_and_menus(look: Look) -> None:
    page = look("alice")
    ask(page, f"Pelicans {says(RICH, chunk=60)}")
    finished(page)
    found = []
    for opener, name in (
        (page.get_by_role("button", name="Settings of this chat"), "Settings of this chat"),
        (finished(page).get_by_role("button", name="with another model"), re.compile("anew")),
    ):
        opener.click()
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        found += faults(page, f"dialog {name}")
        page.keyboard.press("Escape")
    page.locator("#log-scroll").focus()
    page.keyboard.press("?")
    found += faults(page, "dialog of keys")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("pelican")
    expect(page.get_by_role("dialog").locator("mark").first).to_be_visible()
    found += faults(page, "search")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1280, "height": 800})
    more(page, "Pelicans", "Move to a project")
    expect(page.get_by_role("dialog", name="Move to a project")).to_be_visible()
    found += faults(page, "dialog of projects")
    none(found)


def test_menus_and_messages_that_pass(look: Look) -> None:
    page = look("alice")
    ask(page, "Short")
    finished(page)
    found = []
    for menu in "#models summary", ".account-menu summary":
        page.locator(menu).first.click()
        found += faults(page, menu, "desktop")
        page.keyboard.press("Escape")
    row = rows(page).first
    row.get_by_role("button", name=re.compile("^More")).click()
    found += faults(page, "menu of a chat", "desktop")
    page.keyboard.press("Escape")
    row.get_by_role("button", name=re.compile("^Rename")).click()
    found += faults(page, "renaming", "desktop")
    page.keyboard.press("Escape")
    row.get_by_role("button", name=re.compile("^Delete")).click()
    expect(page.get_by_text("Chat deleted.")).to_be_visible()
    page.get_by_role("button", name="Undo").focus()
    found += faults(page, "undo")
    page.get_by_role("button", name="Chats").click()
    expect(page.get_by_role("link", name="New chat")).to_be_visible()
    found += faults(page, "list on a phone", "phone")
    none(found)


def test_a_shared_chat(look: Look) -> None:
    page = look("alice")
    ask(page, f"Share me {says(RICH, chunk=60)}")
    finished(page)
    more(page, "Share me", "Share")
    found = faults(page, "sharing")
    page.get_by_role("button", name="Make a link").click()
    address = page.get_by_label(re.compile("The link to what was here")).input_value()
    found += faults(page, "a link")
    page.goto("/shares/")
    expect(page.get_by_role("button", name=re.compile("^Take back"))).to_be_visible()
    found += faults(page, "links")
    found += faults(look("bob", address), "shared")
    none(found)


def test_a_temporary_chat_that_runs_a_countdown_and_a_lost_socket(look: Look) -> None:
    page = look("alice")
    open_sockets: list[WebSocketRoute] = []

    def route(socket: WebSocketRoute) -> None:
        if not open_sockets:
            socket.connect_to_server()
        open_sockets.append(socket)

    page.route_web_socket(re.compile("/ws/chat/"), route)
    page.goto("/?temporary")
    ask(page, "[[cache:5m+words:5]] Hello")
    finished(page)
    expect(page.locator("#cached")).to_be_visible()
    found = faults(page, "cached")
    ask(page, "[[words:300+slow:100]] Slowly")
    expect(reply(page, 1)).to_contain_text("w3")
    expect(page.locator("#temporary")).to_be_visible()
    found += faults(page, "temporary, streaming")
    open_sockets[0].close(code=1012)
    expect(page.locator("#connection")).to_have_text(re.compile("Reconnecting"))
    none([*found, *faults(page, "reconnecting")])


def test_other_pages_of_a_person(look: Look) -> None:
    none(all_of(look("alice"), PEOPLE))


def test_the_dashboard(look: Look) -> None:
    page = look("admin", "/dashboard/calls/")
    call = page.locator("table a[href*='/calls/']").first.get_attribute("href") or ""
    none(all_of(page, [*DASHBOARD, call]))


def test_the_administration(look: Look) -> None:
    none(all_of(look("admin"), ADMIN))


def test_pages_in_german(look: Look, visit: Visit, server: Server) -> None:
    look("admin")  # signs in, in English
    page = visit(server, "admin", "/", locale="de-DE", reduced_motion="reduce")
    found = []
    for path in "/", "/account/", "/usage/", "/dashboard/", "/admin/accounts/user/":
        page.goto(path)
        expect(page.locator("html")).to_have_attribute("lang", "de")
        found += faults(page, f"German {path}", "phone")
    none(found)
