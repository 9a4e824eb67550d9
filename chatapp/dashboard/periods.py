"""Ranges of business days: the presets people pick, the period before, and a chart's buckets."""

from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Self

from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LONGEST = 366 * 5
PRESETS = {
    "today": lazy("Today"),
    "7d": lazy("7 days"),
    "30d": lazy("30 days"),
    "month": lazy("This month"),
    "last-month": lazy("Last month"),
    "12m": lazy("12 months"),
}


@dataclass(frozen=True)
class Period:
    """Whole business days, `first` and `last` included."""

    first: date
    last: date

    @classmethod
    def preset(cls, name: str, today: date) -> Self:
        """The days of one of PRESETS as seen on `today`; KeyError for another name."""
        return cls(*_PRESETS[name](today))

    @classmethod
    def month(cls, day: date) -> Self:
        """The whole month that `day` is in."""
        return cls(day.replace(day=1), _month_end(day))

    @classmethod
    def around(cls, day: date, span: str) -> Self:
        """The whole day, week (from Monday), month or year that `day` is in."""
        match span:
            case "week":
                return cls(day - day.weekday() * DAY, _week_end(day))
            case "month":
                return cls.month(day)
            case "year":
                return cls(date(day.year, 1, 1), date(day.year, 12, 31))
        return cls(day, day)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        """What a change is measured against: the same part of the month before, or as many days."""
        if self.first.day == 1 and self.last <= _month_end(self.first):
            start = (self.first - DAY).replace(day=1)
            whole = self.last == _month_end(self.first)
            end = _month_end(start)
            return Period(start, end if whole else min(end, start + (self.last - self.first)))
        return Period(self.first - self.days * DAY, self.first - DAY)

    def clamped(self) -> "Period":
        """At most LONGEST days, the latest ones."""
        return Period(max(self.first, self.last - (LONGEST - 1) * DAY), self.last)

    def __iter__(self) -> Iterator[date]:
        return (self.first + n * DAY for n in range(self.days))

    @property
    def step(self) -> str:
        """What a chart's bars stand for: days, weeks above 92 of them, months above 400."""
        return "day" if self.days <= 92 else "week" if self.days <= 400 else "month"

    @property
    def hourly(self) -> bool:
        """Short enough for bars of hours."""
        return self.days <= 2

    def buckets(self) -> list["Period"]:
        """The days, weeks from Monday or months of `step`, cut to the period."""
        if self.step == "day":
            return [Period(day, day) for day in self]
        end_of = _week_end if self.step == "week" else _month_end
        buckets, start = [], self.first
        while start <= self.last:
            buckets.append(Period(start, min(end_of(start), self.last)))
            start = buckets[-1].last + DAY
        return buckets

    def hours(self, zone: tzinfo) -> list[datetime]:
        """The beginnings of its hours: 23 or 25 a day when clocks change in `zone`."""
        start, end = (
            datetime.combine(day, time(0), zone).astimezone(UTC)
            for day in (self.first, self.last + DAY)
        )
        return [start + n * HOUR for n in range(-(-(end - start) // HOUR))]

    def __str__(self) -> str:
        return _in_words(self, get_language())


@lru_cache(maxsize=5000)
def _in_words(period: Period, language: str | None) -> str:
    """Kept, since a chart has a hundred of them, the same on most pages."""
    if period.days == 1:
        return date_format(period.first, _("D j M Y"))
    start = _("j M") if period.first.year == period.last.year else _("j M Y")
    return _("%(start)s to %(end)s") % {
        "start": date_format(period.first, start),
        "end": date_format(period.last, _("j M Y")),
    }


def _week_end(day: date) -> date:
    return day + (6 - day.weekday()) * DAY


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _last_month(today: date) -> tuple[date, date]:
    end = today.replace(day=1) - DAY
    return end.replace(day=1), end


_PRESETS: dict[str, Callable[[date], tuple[date, date]]] = {
    "today": lambda today: (today, today),
    "7d": lambda today: (today - 6 * DAY, today),
    "30d": lambda today: (today - 29 * DAY, today),
    "month": lambda today: (today.replace(day=1), today),
    "last-month": _last_month,
    "12m": lambda today: (today - 364 * DAY, today),
}
