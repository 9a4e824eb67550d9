"""Where a month's spend will end: what is spent, plus what such weekdays have cost. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from statistics import fmean, pvariance

from chatapp.dashboard.periods import Period

HISTORY = 56
FEWEST = 14
# Four in five outcomes of a normal distribution lie within so many deviations of its middle.
FOUR_IN_FIVE = 1.2816


@dataclass(frozen=True)
class Forecast:
    """The month's end in pico-USD: four in five months like these lie between low and high."""

    low_pusd: int
    middle_pusd: int
    high_pusd: int


def history(today: date) -> Period:
    """The days that a forecast learns from: eight whole weeks, up to yesterday."""
    return Period(today - timedelta(days=HISTORY), today - timedelta(days=1))


def forecast(spent: Mapping[date, int], month: Period, today: date) -> Forecast | None:
    """Of `month`, from pico-USD per day; None before two weeks of spend are known.

    Days to come are taken to be as the same weekdays of the last eight weeks were, and to vary
    as much, each by itself. Today counts with what is missing of such a day.
    """
    learned = history(today)
    known = [day for day in learned if spent.get(day)]
    if not known or (learned.last - known[0]).days + 1 < FEWEST:
        return None
    weekdays: dict[int, list[int]] = defaultdict(list)
    for day in Period(known[0], learned.last):
        weekdays[day.weekday()].append(spent.get(day, 0))
    so_far = sum(spent.get(day, 0) for day in Period(month.first, today))
    to_come = Period(today, month.last)
    rest = sum(fmean(weekdays[day.weekday()]) for day in to_come)
    rest = max(0.0, rest - min(spent.get(today, 0), fmean(weekdays[today.weekday()])))
    spread = FOUR_IN_FIVE * sqrt(sum(pvariance(weekdays[day.weekday()]) for day in to_come))
    return Forecast(
        so_far + round(max(0.0, rest - spread)), so_far + round(rest), so_far + round(rest + spread)
    )
