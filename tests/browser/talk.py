"""The chat page as a person uses it: words for what the tests do and look at."""

import base64

from playwright.sync_api import Locator, Page, expect


def composer(page: Page) -> Locator:
    return page.get_by_label("Your message")


def ask(page: Page, text: str) -> None:
    composer(page).fill(text)
    composer(page).press("Enter")


def says(text: str, *, chunk: int = 12, pause: int = 0) -> str:
    """A prompt which the fake vendor answers with exactly this text, in pieces, slowly (ms)."""
    encoded = base64.urlsafe_b64encode(text.encode()).decode()
    return f"[[b64:{encoded}+chunk:{chunk}" + (f"+slow:{pause}]]" if pause else "]]")


def reply(page: Page, number: int = -1) -> Locator:
    return page.locator("article.assistant").nth(number)


def stop_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Stop")


def finished(page: Page, number: int = -1) -> Locator:
    """The reply, once it has ended and shows what it cost."""
    article = reply(page, number)
    expect(article.locator(".price-line")).to_be_visible()
    return article


def rows(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Chats").get_by_role("listitem")
