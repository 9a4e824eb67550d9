"""The colours of a chart stand out from the page, and from each other for eyes that lack a cone.

Eyes without red or green: the matrices of Machado, Oliveira and Fernandes (2009), severity 1.
Distances: Björn Ottosson's OKLab, in hundredths of its lightness.
"""

import re
from itertools import combinations
from math import dist

import pytest

from tests.servers import ROOT

pytestmark = pytest.mark.once

Colour = tuple[float, ...]

TOKENS = (ROOT / "static" / "css" / "tokens.css").read_text()
PAIRS = dict(re.findall(r"--(paper|series-\w+): light-dark\((#\w{6}, #\w{6})\)", TOKENS))
EYES = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}
LMS = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def light(colour: str) -> Colour:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return tuple(p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)


def times(matrix: tuple[Colour, ...], colour: Colour) -> Colour:
    return tuple(sum(a * b for a, b in zip(row, colour, strict=True)) for row in matrix)


def seen(colour: str, eyes: str) -> Colour:
    cones = times(LMS, tuple(min(max(p, 0), 1) for p in times(EYES[eyes], light(colour))))
    return times(LAB, tuple(max(cone, 0) ** (1 / 3) for cone in cones))


def palette(theme: int) -> dict[str, str]:
    return {name: pair.split(", ")[theme] for name, pair in PAIRS.items()}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("eyes", EYES)
def test_no_two_series_look_alike(theme: int, eyes: str) -> None:
    colours = {name: seen(one, eyes) for name, one in palette(theme).items() if name != "paper"}
    assert len(colours) == 9
    near = min((100 * dist(colours[a], colours[b]), a, b) for a, b in combinations(colours, 2))
    assert near > (8, "", "")


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_series_stands_out_from_the_page(theme: int) -> None:
    """WCAG 2.2, 1.4.11: 3 to 1."""
    bright = {
        name: 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        for name, (r, g, b) in ((name, light(one)) for name, one in palette(theme).items())
    }
    paper = bright.pop("paper")
    assert {n for n, one in bright.items() if max(one, paper) < 3 * min(one, paper)} == set()
