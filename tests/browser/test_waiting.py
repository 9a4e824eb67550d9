"""A reply that the vendor refused for a time: until when, and Retry only after that."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, finished, reply
from tests.servers import Server

pytestmark = pytest.mark.once

TOKYO = ZoneInfo("Asia/Tokyo")


def refused(page: Page, seconds: int) -> datetime:
    """Ask what the vendor refuses for so long; the time shown, to the minute, a while off at most."""
    before = datetime.now(TOKYO)
    ask(page, f"Hi [[429x1:{seconds}+words:3]]")
    expect(reply(page).locator(".failed")).to_contain_text("Claude was asked too often")
    return before + timedelta(seconds=seconds)


def minutes(expected: datetime, pattern: str) -> re.Pattern[str]:
    """What a clock shows then, or in the next two minutes."""
    times = (expected + timedelta(minutes=late) for late in range(4))
    return re.compile("|".join(time.strftime(pattern) for time in times))


def test_it_says_when_on_the_readers_clock(visit: Visit, server: Server) -> None:
    page = visit(server, "alice", timezone_id="Asia/Tokyo")
    expected = refused(page, 3600)
    failed = reply(page).locator(".failed")
    day = "" if expected.date() == datetime.now(TOKYO).date() else f"{expected.day} .*, "
    for _ in "live", "reloaded":
        expect(failed).to_contain_text(minutes(expected, f"Try again after {day}%H:%M\\."))
        expect(failed.get_by_role("button", name="Retry")).to_be_disabled()
        page.reload()


def test_another_day_is_named_in_the_readers_language(visit: Visit, server: Server) -> None:
    page = visit(server, "alice", timezone_id="Asia/Tokyo", locale="de-DE")
    expected = datetime.now(TOKYO) + timedelta(days=1)
    composer = page.locator("#composer textarea")
    composer.fill(f"Hi [[429x1:{24 * 3600}]]")
    composer.press("Enter")
    day = f"{expected.day}\\. .*{expected.year}, "
    expect(reply(page).locator(".failed")).to_contain_text(minutes(expected, f"Ab {day}%H:%M noch"))


def test_retry_works_when_the_time_has_come(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    refused(page, 15)
    failed = reply(page).locator(".failed")
    button = failed.get_by_role("button", name="Retry")
    expect(button).to_be_disabled()
    expect(button).to_be_enabled()
    expect(failed).not_to_contain_text("Try again after")
    button.click()
    expect(finished(page)).to_contain_text("w0 w1 w2")
