"""Hostile text, from people and from the model: shown, and nothing more."""

from contextlib import closing
from socket import AF_INET, SOCK_STREAM, socket

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, composer, finished, rows, says
from tests.chat.markdown_examples import PAYLOADS
from tests.servers import Server

pytestmark = pytest.mark.once

ALLOWED = """p br hr h3 h4 h5 h6 strong em s blockquote ul ol li a code pre span div figure figcaption
    button table thead tbody tr th td input math mrow mi mn mo mtext mspace mfrac msub msup mstyle"""


def elements(page: Page) -> set[str]:
    """The kinds of element inside rendered replies."""
    found: list[str] = page.locator(".prose").evaluate_all(
        "parts => parts.flatMap(part => [...part.querySelectorAll('*')].map(e => e.localName))"
    )
    return set(found)


@pytest.mark.parametrize("batch", range(4))
def test_payloads_are_inert(visit: Visit, server: Server, batch: int) -> None:
    page = visit(server, "alice")
    hostile = "\n\n".join(PAYLOADS[batch::4])
    ask(page, f"{says(hostile, chunk=7)} {hostile}")
    html = finished(page).locator(".prose").inner_html()
    assert page.evaluate("window.__xss") is None
    assert elements(page) <= set(ALLOWED.split())
    page.reload()
    assert finished(page).locator(".prose").inner_html() == html
    expect(page.locator("article.user .said *")).to_have_count(0)
    assert page.evaluate("window.__xss") is None


def test_a_title_is_only_text(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    ask(page, "<img src=x onerror=window.__xss=1> title")
    finished(page)
    expect(rows(page).first).to_contain_text("<img src=x onerror")
    expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x onerror")
    page.reload()
    assert page.evaluate("window.__xss") is None


def test_nothing_is_fetched_from_elsewhere(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with closing(socket(AF_INET, SOCK_STREAM)) as spy:
        spy.bind(("127.0.0.1", 0))
        spy.listen()
        spy.settimeout(0.5)
        target = f"http://127.0.0.1:{spy.getsockname()[1]}/steal"
        text = f"![x]({target}) [y]({target})\n\n<img src={target}>\n\n[r]: {target}\n\n![r][r]\n"
        ask(page, says(text))
        expect(finished(page).get_by_role("link", name="x")).to_have_attribute("href", target)
        with pytest.raises(TimeoutError):
            spy.accept()
    assert [url for url in asked if not url.startswith(server.url)] == []


def test_wrong_input_is_told_and_nothing_is_lost(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    composer(page).fill("   \n ")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    page.forgiven.append("400")  # type: ignore[attr-defined]
    text = "x" * 200_001
    ask(page, text)
    expect(page.locator("#composer-note")).to_contain_text("200,001 bytes")
    expect(composer(page)).to_have_value(text)
    assert server.query("SELECT count(*) FROM chat_message WHERE text LIKE 'xxxx%%'") == [(0,)]


def test_what_is_not_yours_is_not_there(visit: Visit, server: Server) -> None:
    alice = visit(server, "alice")
    ask(alice, "A secret")
    finished(alice)
    bob = visit(server, "bob")
    bob.forgiven.append("404")  # type: ignore[attr-defined]
    response = bob.goto(alice.url)
    assert response is not None
    assert response.status == 404
    expect(bob.locator("body")).not_to_contain_text("A secret")
