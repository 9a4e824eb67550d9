"""axe-core on our pages: what it finds against WCAG 2.2 AA, light and dark, on a desktop and a phone."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Only contrasts depend on the theme alone.
LOOKS: list[tuple[str, int, Any, Any]] = [
    ("desktop", 1280, "light", RULES),
    ("desktop", 1280, "dark", "color-contrast"),
    ("phone", 390, "dark", RULES),
]
# A reply's headings are the model's; inline tables of forms are Django's.
NOT_OURS = {"heading-order": {"enabled": False}, "empty-table-header": {"enabled": False}}
RUN = """async ([runOnly, rules]) => {
  const { violations } = await axe.run({
    runOnly, rules, preload: false, resultTypes: ["violations"],
  });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, any, all, none }) => [
    id, html.slice(0, 160), [...any, ...all, ...none].map(({ message }) => message).join("; "),
  ]));
}"""


def faults(page: Page, state: str, on: str = "") -> list[str]:
    """What axe finds in this state `on` a "desktop" or a "phone", else on both."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    looks = [look for name, *look in LOOKS if on in ("", name)]
    return [fault for look in looks for fault in _found(page, state, *look)]


def _found(page: Page, state: str, width: int, theme: Any, rules: Any) -> list[str]:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=theme)
    found = page.evaluate(RUN, [rules, NOT_OURS])
    return [f"{state}, {width} px, {theme}: {rule}: {html}: {why}" for rule, html, why in found]
