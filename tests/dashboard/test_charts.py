"""Numbers to geometry: everything is drawn, labels differ, nothing leaves the plot."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatapp.dashboard.charts import (
    HEIGHT,
    TOP,
    Bucket,
    Chart,
    Series,
    fold,
    heat,
    scale,
    sparkline,
    stacked,
)
from chatapp.dashboard.ticks import compact, count_tick, usd_tick
from chatapp.dashboard.told import words
from chatapp.pricing.money import PUSD

amounts = st.integers(0, 10**17)


def chart(*series: tuple[int, ...], days: int | None = None) -> Chart:
    days = days if days is not None else len(series[0])
    buckets = [
        Bucket(str(day), str(day.day))
        for day in (date(2026, 1, 1) + timedelta(n) for n in range(days))
    ]
    usd = words("usd")
    parts = fold([Series(f"model {n}", values) for n, values in enumerate(series)], usd)
    return stacked(buckets, parts, usd)


@given(st.lists(st.lists(amounts, min_size=5, max_size=5), min_size=1, max_size=40))
def test_folding_loses_nothing(values: list[list[int]]) -> None:
    series = [Series(f"model {n}", tuple(row)) for n, row in enumerate(values)]
    folded = fold(series, words("usd"))
    assert len(folded) <= 9
    assert sum(one.total for one in folded) == sum(one.total for one in series)
    assert [one.slot for one in folded] == list(range(len(folded)))


@given(st.lists(amounts, min_size=1, max_size=60))
def test_ticks_differ_and_never_read_as_nothing(totals: list[int]) -> None:
    top, step = scale(totals)
    ticks = [usd_tick(at, step) for at in range(0, top + 1, step)]
    assert 2 <= len(ticks) <= 6
    assert len(set(ticks)) == len(ticks)
    assert ticks[0] == "$0"
    assert all(float(tick[1:].replace(",", "")) > 0 for tick in ticks[1:])


@given(st.lists(st.lists(amounts, min_size=7, max_size=7), min_size=1, max_size=12))
def test_bars_stay_in_the_plot(values: list[list[int]]) -> None:
    drawn = chart(*map(tuple, values))
    for column in drawn.columns:
        for bar in column.bars:
            assert float(bar.height) >= 0
            assert TOP - 1 <= float(bar.y) <= TOP + HEIGHT
    assert drawn.total == sum(map(sum, values))


def test_large_ticks_are_short() -> None:
    top, step = scale([1_200_000 * PUSD])
    ticks = [usd_tick(at, step) for at in range(0, top + 1, step)]
    assert ticks == ["$0", "$500k", "$1M", "$1.5M"]


def test_sub_cent_spend_has_sub_cent_ticks() -> None:
    drawn = chart((406_000_000, 300_000_000))
    assert [tick.label for tick in drawn.ticks] == [
        "$0",
        "$0.0001",
        "$0.0002",
        "$0.0003",
        "$0.0004",
        "$0.0005",
    ]


@pytest.mark.parametrize(("highest", "top", "steps"), [(96, 100, 5), (101, 150, 3), (210, 250, 5)])
def test_an_axis_ends_soon_above_its_highest_bar(highest: int, top: int, steps: int) -> None:
    assert scale([highest]) == (top, top // steps)


def test_an_outlier_is_cut_and_said() -> None:
    drawn = chart((PUSD, 2 * PUSD, 900 * PUSD))
    assert [column.cut for column in drawn.columns] == ["", "", "$900.00"]
    heights = [float(column.tall) for column in drawn.columns]
    assert heights[1] > HEIGHT / 3
    assert drawn.cut


@pytest.mark.parametrize("days", [0, 1, 30])
def test_nothing_spent_is_still_a_chart(days: int) -> None:
    drawn = chart(days=days)
    assert drawn.total == 0
    assert drawn.summary == "Nothing was spent in these days."
    assert len(drawn.columns) == days


def test_one_day_is_one_narrow_bar() -> None:
    (column,) = chart((5,)).columns
    assert float(column.width.rstrip("%")) < 10
    assert column.tick == "major"


def test_the_smallest_share_is_seen() -> None:
    drawn = chart((10**15,), (1,))
    assert float(drawn.columns[0].bars[1].height) >= 0.5


def test_what_is_said_of_a_bar() -> None:
    drawn = chart((2 * PUSD,), (PUSD,))
    assert drawn.columns[0].said == "2026-01-01: $3.00 (model 1 $1.00; model 0 $2.00)"


@given(st.lists(amounts, min_size=1, max_size=90))
def test_sparklines_stay_in_their_box(values: list[int]) -> None:
    points = [point.split(",") for point in sparkline(values).split()]
    assert all(0 <= float(x) <= 96 and 0 <= float(y) <= 22 for x, y in points)


def test_heat_tells_nothing_from_little() -> None:
    assert [heat(part, 100) for part in (0, 1, 30, 100)] == [0, 1, 3, 6]


def test_counts_in_few_digits() -> None:
    assert [compact(n) for n in (7, 999, 1_000, 12_345, 1_234_567, 9_999_999)] == [
        "7",
        "999",
        "1.00k",
        "12.3k",
        "1.23M",
        "10.0M",
    ]
    assert [count_tick(n, 500) for n in (0, 500, 1500)] == ["0", "500", "1.5k"]
