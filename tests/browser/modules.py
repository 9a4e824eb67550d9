"""Our ES modules alone: their files served as they are, and a page that may import them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from playwright.sync_api import Browser, Page

from tests.servers import ROOT


class Files(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def blank_page(browser: Browser) -> Iterator[Page]:
    """An empty page where `import("/js/stream.js")` works; no server of ours is needed."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=ROOT / "static")) as files:
        Thread(target=files.serve_forever, daemon=True).start()
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{files.server_port}/js/")
        yield page
        page.close()
        files.shutdown()
