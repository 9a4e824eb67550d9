"""Our ES modules alone, in a real browser, without a server of ours."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.servers import ROOT


class Quiet(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def modules_url() -> Iterator[str]:
    """Where static/js is served, as it is."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=ROOT / "static"))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/js/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def blank(chromium_path: str, modules_url: str) -> Iterator[Page]:
    """An empty page that may import our modules."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(modules_url)
        yield page
        browser.close()
