"""What the chat page weighs in a real browser: bytes to the first paint, and a long reply's way.

`python bench/page.py [--tokens 10000]`: a fake vendor (tests/upstream.py), a real `manage.py serve`
and Chromium, each in a process of its own. Bytes hold on any machine, times need a quiet one.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import threading
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import servers  # noqa: E402
from tests.browser.conftest import sign_in  # noqa: E402
from tests.browser.talk import ask, finished, reply, says, stop_button  # noqa: E402

TARGET_PAINT, TARGET_RATIO, TARGET_TASK, TARGET_STOP = 60, 1.5, 50, 200
TURNS = 5
STOPS = 10
PATIENCE = 300_000  # ms
PAUSE = 20  # ms between two chunks
CHUNK = 32  # characters
WORDS = (
    "account amount answer branch budget call cause change column copy count day detail draft edge "
    "end error example file figure first frame gap hold hour index key late ledger length line "
    "list long lost message model month name note number open order page part people pico price "
    "quote rate reader reason reply row same second send set share socket space state step stream "
    "table tail text token total usage value version wait week whole window word work year"
)
SECTION = """## {title}

{first} **{bold}** {second} `{code}` {third} [{bold}](https://example.com/{code}).

- {fourth}
- {fifth}

```python
def {code}({bold}: list[Call]) -> int:
    # {sixth}
    return sum({code}.{bold} for {code} in {bold})
```

| {bold} | {code} |
|---|--:|
| {seventh} | $1.00 |
| {eighth} | $5.00 |

"""
LENGTHS = {"title": 4, "bold": 1, "code": 1, "first": 30, "second": 25, "third": 20}
LENGTHS |= {"fourth": 8, "fifth": 14, "sixth": 9, "seventh": 2, "eighth": 3}
# The moment, on a clock that two tabs share.
NOW = "performance.timeOrigin + performance.now()"
WATCH_STOP = f"""() => new MutationObserver((_, watch) => {{
  if (!document.getElementById("stop").hidden) return;
  window.stopped = {NOW};
  watch.disconnect();
}}).observe(document.getElementById("stop"), {{ attributes: true }})"""
CLICK_STOP = f"() => {{ document.getElementById('stop').click(); return {NOW}; }}"


def markdown(tokens: int) -> str:
    """About so many tokens, at four characters each; the same at every run."""
    chance = random.Random(1)  # noqa: S311
    text = ""
    while len(text) < 4 * tokens:
        parts = {name: " ".join(chance.choices(WORDS.split(), k=n)) for name, n in LENGTHS.items()}
        text += SECTION.format(**parts)
    return text[: 4 * tokens]


class Wire(threading.Thread):
    """A relay to the server, as a browser's other end: it counts what the server sends."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.target, self.port, self.bytes = 0, servers.free_port(), 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self) -> None:
        asyncio.run(self.serve())

    async def serve(self) -> None:
        server = await asyncio.start_server(self.connect, "127.0.0.1", self.port)
        await server.serve_forever()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(self.copy(reader, questions), self.copy(answers, writer, counted=True))

    async def copy(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, counted: bool = False
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                self.bytes += len(data) * counted
                target.write(data)
                await target.drain()
        target.close()


def report_paint(page: Page, chrome: CDPSession) -> None:
    """Open a conversation with nothing cached, and add up what came before its first paint."""
    came: list[tuple[float, str, int]] = []
    kinds: dict[str, str] = {}
    painted: list[float] = []
    chrome.on("Network.responseReceived", lambda e: kinds.update({e["requestId"]: e["type"]}))
    chrome.on(
        "Network.loadingFinished",
        lambda e: came.append((e["timestamp"], kinds[e["requestId"]], e["encodedDataLength"])),
    )
    chrome.on(
        "Page.lifecycleEvent",
        lambda e: e["name"] == "firstContentfulPaint" and painted.append(e["timestamp"]),
    )
    for command in "Network.enable", "Page.enable", "Network.clearBrowserCache":
        chrome.send(command)  # type: ignore[arg-type]
    chrome.send("Page.setLifecycleEventsEnabled", {"enabled": True})
    page.goto(page.url, wait_until="networkidle")
    needed = [one for one in came if one[1] in ("Document", "Stylesheet")]
    before = [one for one in came if one[0] <= painted[-1]]
    print(f"\nkilobytes over the wire for {TURNS} questions and replies, nothing cached")
    print(f"  {weight(needed):6.1f}  needed for the first paint (at most {TARGET_PAINT})")
    print(f"  {weight(before):6.1f}  had come by then")
    print(f"  {weight(came):6.1f}  in all: {by_kind(came)}")


def weight(came: list[tuple[float, str, int]]) -> float:
    return sum(size for _, _, size in came) / 1000


def by_kind(came: list[tuple[float, str, int]]) -> str:
    kinds = sorted({kind for _, kind, _ in came})
    of = {kind: [one for one in came if one[1] == kind] for kind in kinds}
    return ", ".join(f"{len(of[kind])} {kind} {weight(of[kind]):.1f}" for kind in kinds)


def report_stream(browser: Browser, page: Page, chrome: CDPSession, wire: Wire) -> None:
    """Let a long reply come in, and look at its frames and at the page's main thread."""
    frames: list[str] = []
    chrome.on(
        "Network.webSocketFrameReceived", lambda e: frames.append(e["response"]["payloadData"])
    )
    page.goto("/")
    expect(page.locator("#connection")).to_be_hidden()
    browser.start_tracing(
        page=page, categories=["toplevel", "disabled-by-default-devtools.timeline"]
    )
    frames.clear()
    before = wire.bytes
    ask(page, "At length, please.")
    # The page is not asked: each look of Playwright's is a task of its main thread.
    while not any('"type":"done"' in frame for frame in frames[-9:]):
        page.wait_for_timeout(200)
    page.wait_for_timeout(1000)
    sent = wire.bytes - before
    trace = json.loads(browser.stop_tracing())["traceEvents"]
    html = len(finished(page).evaluate("article => article.outerHTML").encode())
    print(f"\nkilobytes of a reply with {html / 1000:.1f} of final HTML, in {len(frames):,} frames")
    print(f"  {sent / 1000:6.1f}  on the wire: {sent / html:.2f} of it (at most {TARGET_RATIO})")
    sizes = ", ".join(f"{kind} {size / 1000:.1f}" for kind, size in by_type(frames).items())
    print(f"  {sum(map(len, frames)) / 1000:6.1f}  before compression: {sizes}")
    wall, cpu = longest_task(trace)
    print(f"\nthe longest task of the main thread meanwhile (under {TARGET_TASK} ms)")
    print(f"  {wall:6.1f}  ms, of which {cpu:.1f} of processor")


def report_stop(page: Page) -> None:
    """Stop replies in the middle, and see how soon this tab and another one know."""
    page.goto("/")
    ask(page, "At length, please.")
    page.wait_for_url("**/c/*/")
    other = page.context.new_page()
    other.goto(page.url)
    waits: list[list[float]] = []
    while len(waits) < STOPS:
        for tab in page, other:
            expect(reply(tab, len(waits)).locator("table").first).to_be_visible()
            tab.evaluate(WATCH_STOP)
        clicked = page.evaluate(CLICK_STOP)
        expect(stop_button(other)).to_be_hidden()
        finished(page, len(waits))
        waits.append([tab.evaluate("stopped") - clicked for tab in (page, other)])
        ask(page, "At length, please.")
    page.keyboard.press("Escape")
    print(
        f"\nmilliseconds from a click on Stop to the reply's end, {STOPS} times (under {TARGET_STOP})"
    )
    for name, tab in zip(("in this tab", "in another"), zip(*waits, strict=True), strict=True):
        print(f"  {statistics.median(tab):6.1f}  {name}, {max(tab):.1f} at most")


def by_type(frames: list[str]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for frame in frames:
        kind = json.loads(frame)["type"]
        sizes[kind] = sizes.get(kind, 0) + len(frame.encode())
    return sizes


def longest_task(trace: list[dict[str, Any]]) -> tuple[float, float]:
    """Milliseconds by the clock and of the processor, of the busiest renderer's main thread."""
    named = [e for e in trace if e["name"] == "thread_name"]
    mains = {(e["pid"], e["tid"]) for e in named if e["args"]["name"] == "CrRendererMain"}
    tasks = [e for e in trace if e["name"].endswith("RunTask") and (e["pid"], e["tid"]) in mains]
    wall = max(e.get("dur", 0) for e in tasks) / 1000
    return wall, max(e.get("tdur", 0) for e in tasks) / 1000


def reply_with(vendor: str, text: str, *, chunk: int = CHUNK, pause: int = 0) -> None:
    """From now on the vendor answers everything with this."""
    body = json.dumps({"faults": says(text, chunk=chunk, pause=pause)}).encode()
    urllib.request.urlopen(f"{vendor}/_faults", body).close()  # noqa: S310


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=10_000)
    options = parser.parse_args()
    with ExitStack() as stack:
        vendor, wire = stack.enter_context(servers.upstream()), Wire()
        server = stack.enter_context(
            servers.chatapp(
                ANTHROPIC_BASE_URL=vendor,
                ANTHROPIC_API_KEY="bench",
                PUBLIC_URL=wire.url,
                DEFAULT_MAX_TOKENS=str(2 * options.tokens),
            )
        )
        wire.target = server.port
        wire.start()
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=servers.chromium(), args=["--no-sandbox"]
        )
        load = os.getloadavg()[0]
        print(f"Chromium {browser.version}, {os.cpu_count()} processors, load {load:.1f}")
        page = browser.new_context(base_url=wire.url).new_page()
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.goto("/")
        sign_in(page, "alice")
        reply_with(vendor, markdown(300), chunk=200)
        for turn in range(TURNS):
            ask(page, f"Question {turn}")
            finished(page, turn)
        chrome = page.context.new_cdp_session(page)
        report_paint(page, chrome)
        reply_with(vendor, markdown(options.tokens), pause=PAUSE)
        report_stream(browser, page, chrome, wire)
        report_stop(page)
        browser.close()


if __name__ == "__main__":
    main()
