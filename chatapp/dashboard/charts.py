"""Numbers to the geometry of a chart; the template writes it as SVG. Pure: no Django.

Horizontal places are percentages and vertical ones pixels, so that a chart takes any width while
its words keep their size. Values are integers: pico-USD or tokens. What is said is handed in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

HEIGHT = 232
TOP = 20
FOOT = 26
MOST_SERIES = 8
# A bar this many times as high as the next one is cut, or nothing else could be seen.
OUTLIER = 6


@dataclass(frozen=True)
class Words:
    """How a chart speaks: patterns with names in them, one value, and a tick by the step to it."""

    others: str
    so_far: str
    nothing: str
    summary: str
    say: Callable[[int], str]
    step_label: Callable[[int, int], str]


@dataclass(frozen=True)
class Series:
    """One colour of the chart: a value for each bucket. `slot` is its place in the palette."""

    name: str
    values: tuple[int, ...]
    slot: int = 0
    href: str = ""

    @property
    def total(self) -> int:
        return sum(self.values)


@dataclass(frozen=True)
class Bucket:
    """One step of the time axis. `label` is long, `short` stands under the axis."""

    label: str
    short: str
    href: str = ""
    partial: bool = False


@dataclass(frozen=True)
class Bar:
    slot: int
    y: str
    height: str


@dataclass(frozen=True)
class Column:
    """One bucket's bars from the bottom up, with what is said of it and where it leads."""

    bucket: Bucket
    bars: tuple[Bar, ...]
    x: str
    width: str
    hit_x: str
    hit_width: str
    middle: str
    top: str
    tall: str
    said: str
    tick: str
    cut: str
    anchor: str
    under: str


@dataclass(frozen=True)
class Tick:
    y: str
    label: str


@dataclass(frozen=True)
class Chart:
    """Everything the template needs to draw and to say."""

    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    series: tuple[Series, ...]
    rows: tuple[tuple[Bucket, tuple[int, ...], int], ...]
    total: int
    summary: str
    height: int = HEIGHT + TOP + FOOT
    base: int = HEIGHT + TOP
    foot: int = HEIGHT + TOP + 18

    @property
    def partial(self) -> bool:
        """The last bar is not over yet."""
        return any(column.bucket.partial and column.bars for column in self.columns)

    @property
    def cut(self) -> bool:
        return any(column.cut for column in self.columns)


def fold(series: Sequence[Series], words: Words, href: str = "") -> tuple[Series, ...]:
    """The largest series, slots given by rank, and the rest as one that leads to `href`."""
    ranked = sorted((s for s in series if any(s.values)), key=lambda s: (-s.total, s.name))
    if len(ranked) <= MOST_SERIES + 1:
        return tuple(replace(s, slot=slot) for slot, s in enumerate(ranked))
    rest = ranked[MOST_SERIES:]
    together = tuple(map(sum, zip(*(s.values for s in rest), strict=True)))
    others = Series(words.others % {"count": len(rest)}, together, MOST_SERIES, href)
    return (*(replace(s, slot=slot) for slot, s in enumerate(ranked[:MOST_SERIES])), others)


def stacked(buckets: Sequence[Bucket], series: Sequence[Series], words: Words) -> Chart:
    """Bars stacked in the order of `series`, the first at the bottom."""
    rows = tuple(
        (bucket, values, sum(values))
        for bucket, values in zip(
            buckets, zip(*(s.values for s in series), strict=True) if series else (), strict=False
        )
    ) or tuple((bucket, (), 0) for bucket in buckets)
    totals = [total for _, _, total in rows]
    top, step = scale(totals)
    return Chart(
        columns=tuple(_columns(rows, series, top, words)),
        ticks=tuple(
            Tick(_px(TOP + HEIGHT - HEIGHT * at / top), words.step_label(at, step))
            for at in range(0, top + 1, step)
        ),
        series=tuple(series),
        rows=rows,
        total=sum(totals),
        summary=_summary(rows, words),
    )


def scale(totals: Sequence[int]) -> tuple[int, int]:
    """The axis' top and step: round numbers, three to five steps, high enough for all but outliers."""
    first, second = [*sorted(totals, reverse=True), 0, 0][:2]
    highest = max(second * 3 // 2 if second and first > second * OUTLIER else first, 1)
    magnitude = 1
    while magnitude * 50 < highest:
        magnitude *= 10
    step = next(
        step
        for step in (magnitude, 2 * magnitude, 5 * magnitude, 10 * magnitude)
        if step * 5 >= highest
    )
    return step * -(-highest // step), step


def _columns(
    rows: Sequence[tuple[Bucket, tuple[int, ...], int]],
    series: Sequence[Series],
    top: int,
    words: Words,
) -> list[Column]:
    slot = 100 / max(len(rows), 1)
    width = min(slot * 0.72, 9.0)
    # Labels at about eight places, counted back from the newest.
    every = max(1, -(-len(rows) // 8))
    columns = []
    for index, (bucket, values, total) in enumerate(rows):
        left, back = index * slot, len(rows) - 1 - index
        columns.append(
            Column(
                bucket=bucket,
                bars=tuple(_bars(values, series, top)),
                x=_percent(left + (slot - width) / 2),
                width=_percent(width),
                hit_x=_percent(left),
                hit_width=_percent(slot),
                middle=_percent(left + slot / 2),
                top=_px(TOP + HEIGHT - HEIGHT * min(total, top) / top),
                tall=_px(HEIGHT * min(total, top) / top),
                said=_said(bucket, values, series, total, words),
                tick=_tick(back, every, len(rows)),
                cut=words.say(total) if total > top else "",
                anchor="start" if index < 2 else "end" if back < 2 else "middle",
                under="end" if back == 0 and slot < 5 else "middle",
            )
        )
    return columns


def _bars(values: Sequence[int], series: Sequence[Series], top: int) -> list[Bar]:
    """Rectangles from the running sum, not each part, so that heights never drift from the total.

    A bar that is cut shows its parts' shares over the height there is.
    """
    bars, below, whole = [], 0, max(top, sum(values))
    for value, one in zip(values, series, strict=True):
        low, high = HEIGHT * below / whole, HEIGHT * (below + value) / whole
        below += value
        if value:
            # Whatever was spent is seen, if only as a hair line.
            height = max(high - low, 0.75)
            bars.append(Bar(one.slot, _px(TOP + HEIGHT - low - height), _px(height)))
    return bars


def _tick(back: int, every: int, count: int) -> str:
    """major: always labelled; minor: labelled where there is room; empty: not labelled."""
    if back % every:
        return ""
    return "major" if count <= 4 or (back // every) % 2 == 0 else "minor"


def _said(
    bucket: Bucket,
    values: Sequence[int],
    series: Sequence[Series],
    total: int,
    words: Words,
) -> str:
    say = words.say
    parts = [f"{one.name} {say(value)}" for one, value in zip(series, values, strict=True) if value]
    when = words.so_far % {"when": bucket.label} if bucket.partial else bucket.label
    detail = f" ({'; '.join(reversed(parts))})" if len(parts) > 1 else ""
    return f"{when}: {say(total)}{detail}"


def _summary(rows: Sequence[tuple[Bucket, tuple[int, ...], int]], words: Words) -> str:
    if not any(total for _, _, total in rows):
        return words.nothing
    bucket, _, most = max(rows, key=lambda row: row[2])
    together = words.say(sum(total for _, _, total in rows))
    return words.summary % {"all": together, "when": bucket.label, "most": words.say(most)}


def sparkline(values: Sequence[int], *, width: int = 96, height: int = 22) -> str:
    """The points of a small line over the same days, scaled to its own highest value."""
    if len(values) == 1:
        values = [*values, *values]
    highest = max(values, default=0)
    if not highest:
        return ""
    across = width / (len(values) - 1)
    return " ".join(
        f"{index * across:.1f},{height - 2 - (height - 4) * value / highest:.1f}"
        for index, value in enumerate(values)
    )


def percent(part: int, whole: int) -> str:
    """A share as an SVG width."""
    return _percent(100 * part / whole) if whole else "0%"


def heat(part: int, most: int, steps: int = 6) -> int:
    """Which of `steps` shades a cell takes; by the square root, so that small ones differ too."""
    if not part or not most:
        return 0
    return max(1, min(steps, round(steps * (part / most) ** 0.5)))


def _percent(value: float) -> str:
    return f"{value:.3f}%"


def _px(value: float) -> str:
    return f"{value:.2f}"
