"""People in front of a real browser. Every page they open must be free of script and policy errors.

Synchronous Playwright and asyncio tests do not share a process: `pytest tests/browser` runs alone.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.browser.modules import blank_page
from tests.servers import PASSWORD, Server

# Told by the page itself: the console does not show every violation.
REPORT = """document.addEventListener("securitypolicyviolation", (event) =>
  window.violated(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));"""

Visit = Callable[..., Page]
# Generous: a busy machine is slow, and a passing test never waits for it.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=chromium_path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    """An empty page that may import our modules."""
    with blank_page(browser) as page:
        yield page


@pytest.fixture(scope="module")
def cookies() -> dict[tuple[str, str], Any]:
    """Sessions by server and person, so that a module signs each in once."""
    return {}


@pytest.fixture
def visit(browser: Browser, cookies: dict[tuple[str, str], Any]) -> Iterator[Visit]:
    """visit(server, "alice", "/path/", **context options): a page in a browser of its own.

    At the end of the test no page may have met a policy violation, an uncaught error or an error in
    the console; `page.forgiven` takes parts of messages that the test provokes on purpose.
    """
    contexts: list[BrowserContext] = []
    troubles: list[str] = []
    forgiven: list[str] = []

    def open_page(server: Server, person: str = "", path: str = "/", **options: Any) -> Page:
        context = browser.new_context(
            base_url=server.url, storage_state=cookies.get((server.url, person)), **options
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        watch(context, troubles)
        page = context.new_page()
        page.forgiven = forgiven  # type: ignore[attr-defined]
        page.goto(path)
        if person and (server.url, person) not in cookies:
            sign_in(page, person)
            cookies[server.url, person] = context.storage_state()
            page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in troubles if not any(part in text for part in forgiven)] == []


def watch(context: BrowserContext, troubles: list[str]) -> None:
    """Collect what goes wrong in any page of this context."""

    def console(message: ConsoleMessage) -> None:
        if message.type == "error":
            troubles.append(f"{message.text} ({message.location.get('url')})")

    context.expose_binding("violated", lambda _, text: troubles.append(text))
    context.add_init_script(REPORT)
    context.on("console", console)
    context.on("weberror", lambda error: troubles.append(str(error.error)))


def sign_in(page: Page, person: str) -> None:
    page.get_by_label("User name").fill(person)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "sign-in" not in url)
