"""F32: a browser that is stopped in mid-reply, as when a laptop sleeps, and wakes up after its end."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.talk import ask, finished, reply, says
from tests.chaos.parts import children
from tests.servers import Server

pytestmark = pytest.mark.once

TEXT = "".join(f"Paragraph {n} has **bold** words.\n\n" for n in range(12)) + "The end."
# Seconds in which the page must have noticed, however deep it slept.
AWAKE = 20_000


def browsers(pid: int) -> Iterator[int]:
    """Chromium's processes among the descendants of a process."""
    for child in children(pid):
        if "chrom" in Path(f"/proc/{child}/comm").read_text():
            yield child
        yield from browsers(child)


@contextmanager
def asleep() -> Iterator[None]:
    stopped = list(browsers(os.getpid()))
    assert stopped
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def until_it_ended(server: Server) -> None:
    live = "SELECT count(*) FROM chat_generation WHERE state IN ('queued', 'running')"
    deadline = time.monotonic() + 60
    while server.query(live) != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_browser_that_slept_shows_the_whole_reply(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    ask(page, says(TEXT, pause=60))
    expect(reply(page)).to_contain_text("Paragraph 2")
    with asleep():
        until_it_ended(server)
    expect(reply(page)).to_contain_text("The end.", timeout=AWAKE)
    assert finished(page).locator("strong").count() == 12


def test_a_browser_that_slept_through_a_restart_comes_back(visit: Visit, server: Server) -> None:
    page = visit(server, "alice")
    page.forgiven.extend(["WebSocket", "ERR_CONNECTION_REFUSED"])  # type: ignore[attr-defined]
    ask(page, says(TEXT, pause=60))
    expect(reply(page)).to_contain_text("Paragraph 2")
    with asleep():
        until_it_ended(server)
        server.restart()
    expect(reply(page)).to_contain_text("The end.", timeout=AWAKE)
    finished(page)
