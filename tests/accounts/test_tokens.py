"""The colours can be read: WCAG 2.2 contrast of the pairs that pages use, in both themes."""

import re

import pytest
from django.conf import settings

pytestmark = pytest.mark.once

PAIR = re.compile(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)")
GROUNDS = ("paper", "surface", "raised", "sunken", "hover")
TEXTS = [
    *((text, ground) for text in ("ink", "muted", "link") for ground in GROUNDS),
    *((text, f"{text}-soft") for text in ("good", "warn", "bad", "info", "accent")),
    *((text, "surface") for text in ("good", "warn", "bad", "info", "accent")),
    *(("ink", f"{soft}-soft") for soft in ("good", "warn", "bad", "info", "accent")),
    *(("on-accent", ground) for ground in ("accent", "accent-strong")),
    ("on-bad", "bad"),
    ("paper", "ink"),
]
EDGES = [
    *(("edge", ground) for ground in ("paper", "surface", "raised")),
    *(("accent", ground) for ground in GROUNDS),
    *((f"series-{n}", "surface") for n in range(1, 9)),
]


def luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_contrast(theme: int) -> None:
    source = (settings.BASE_DIR / "static/css/tokens.css").read_text()
    colours = {name: both[theme] for name, *both in PAIR.findall(source)}
    wanted = [(pair, 4.5) for pair in TEXTS] + [(pair, 3.0) for pair in EDGES]
    weak = {
        pair: round(ratio, 2)
        for pair, least in wanted
        if (ratio := contrast(colours[pair[0]], colours[pair[1]])) < least
    }
    assert weak == {}
