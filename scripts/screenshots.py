"""Make the README's pictures: a server with made-up data, a browser, and a look at both pages."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from tests import servers  # noqa: E402
from tests.browser.conftest import sign_in  # noqa: E402
from tests.browser.talk import ask, finished, says  # noqa: E402

IMAGES = ROOT / "docs" / "img"
SIZE = {"width": 1280, "height": 860}

OLDER = [
    "A week of vegetarian dinners",
    "Reply to the landlord, politely",
    "Regular expression for ISO dates",
    "What changed in Python 3.14?",
    "Names for a sourdough starter",
]
QUESTION = "What does my savings plan come to after ten years, and how would I compute it?"
ANSWER = """Each deposit earns interest for the months that remain, so they form a geometric series:

$$
F = P \\cdot \\frac{(1 + r)^n - 1}{r}
$$

With $P = 200$ a month, 4 % a year and $n = 120$ months:

| Deposited | Interest | In the end |
|----------:|---------:|-----------:|
| $24,000 | $5,450 | **$29,450** |

```python
def savings(deposit: float, yearly: float, years: int) -> float:
    rate, months = yearly / 12, years * 12
    return deposit * ((1 + rate) ** months - 1) / rate

print(f"{savings(200, 0.04, 10):,.0f}")  # 29,450
```

Two things move the result most:

- **Time.** The last three years bring half of the interest.
- **Fees.** One percent a year costs about $1,450 here.
"""


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with servers.upstream() as vendor, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=servers.chromium(), args=["--no-sandbox"]
        )
        with servers.chatapp(ANTHROPIC_BASE_URL=vendor, ANTHROPIC_API_KEY="pictures") as server:
            server.manage("make_demo_data", "--calls=4000", "--days=60", "--source=anthropic")
            chat(chromium, server)
            dashboard(chromium, server)
        chromium.close()


def chat(chromium: Browser, server: servers.Server) -> None:
    page = signed_in(chromium, server, "alice")
    for title in OLDER:
        page.goto("/")
        ask(page, title)
        finished(page)
    page.goto("/")
    ask(page, says(ANSWER, chunk=60))
    finished(page)
    title = "Savings plan over ten years"
    server.query("UPDATE chat_message SET text = %s WHERE text LIKE '[[b64%%'", QUESTION)
    server.query("UPDATE chat_conversation SET title = %s WHERE title LIKE '[[b64%%'", title)
    page.reload()
    page.get_by_label("Your message").fill("And with a yearly raise of 3 %?")
    page.get_by_text("· at most $").wait_for()
    save(page, "chat")


def dashboard(chromium: Browser, server: servers.Server) -> None:
    page = signed_in(chromium, server, "admin")
    page.goto("/dashboard/")
    save(page, "dashboard")


def signed_in(chromium: Browser, server: servers.Server, person: str) -> Page:
    page = chromium.new_page(base_url=server.url, viewport=SIZE)
    page.goto("/")
    sign_in(page, person)
    return page


def save(page: Page, name: str) -> None:
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
