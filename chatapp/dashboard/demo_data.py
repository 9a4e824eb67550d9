"""A made-up team's calls over years, the same for the same seed, and true to every ledger rule."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from chatapp.dashboard import bulk
from chatapp.dashboard.demo_people import make_people
from chatapp.dashboard.demo_shapes import Shapes
from chatapp.dashboard.demo_tables import INTO_LEDGER, SCRATCH
from chatapp.dashboard.periods import Period
from chatapp.ledger import rolling
from chatapp.ledger.models import Charge, ChargeLine, DailyTotal
from chatapp.ledger.rollups import Rollup
from chatapp.pricing.models import price_book

# How much each model is used; one that no price book knows is met now and then.
MODELS = {
    "claude-haiku-4-5": 50,
    "claude-sonnet-4-5": 16,
    "claude-sonnet-5": 12,
    "claude-opus-4-5": 6,
    "claude-opus-4-8": 6,
    "claude-opus-5-5": 5,
    "claude-fable-5": 2,
    "claude-opus-4-1": 2,
    "claude-not-on-the-list": 0.02,
}
SHAPES = 240


class Maker:
    """Makes calls day by day. How each turns out is drawn from a few hundred ways per price."""

    def __init__(self, *, seed: int, source: str, people: int, shapes: int = SHAPES) -> None:
        self.next_charge, self.next_line = bulk.next_id(Charge), bulk.next_id(ChargeLine)
        self.random = Random(f"{seed} {self.next_charge}")  # noqa: S311 - repeatable on purpose
        self.source = source
        self.book = price_book()
        self.people = make_people(people)
        self.whose = [(user.pk, user.team_id) for user in self.people]
        self.who = list(accumulate(self.random.paretovariate(1.3) for _ in self.people))
        self.shapes = Shapes(self.book, self.random, each=shapes)
        self.talks: dict[int, tuple[str, str | None]] = {}
        self.projects: dict[int, list[str | None]] = {}

    def make(self, calls: int, period: Period, *, now: datetime) -> Iterator[int]:
        """Write `calls` calls over the days of `period`; yields how many are there, day by day."""
        days = [day for day in period if self._models(_noon(day))]
        shares = list(accumulate(_busyness(day, days[0]) for day in days))
        done = 0
        with transaction.atomic(), bulk.unhurried() as cursor:
            with _loading(cursor):
                for day, share in zip(days, shares, strict=True):
                    upto = round(calls * share / shares[-1])
                    if upto > done:
                        self._make_day(cursor, day, upto - done, now=now)
                    done = upto
                    yield done
            bulk.settle_ids(Charge, ChargeLine, DailyTotal)

    def _make_day(self, cursor: Any, day: date, calls: int, *, now: datetime) -> None:
        bulk.fill(cursor, "demo_call", list(self._calls(day, calls, now)))
        new, self.shapes.new = self.shapes.new, []
        bulk.fill(cursor, "demo_shape", ((one.number, *one.charge) for one in new))
        lines = ((one.number, at, *line) for one in new for at, line in enumerate(one.lines))
        bulk.fill(cursor, "demo_line", lines)
        for statement in INTO_LEDGER:
            cursor.execute(statement, [self.source] if "%s" in statement else None)
        bulk.empty(cursor, "demo_call")

    def _calls(self, day: date, calls: int, now: datetime) -> Iterator[tuple[Any, ...]]:
        """Rows of demo_call. What can be is done once for all: there may be millions."""
        draw, offered = self.random, self._models(_noon(day))
        names = draw.choices(list(offered), list(offered.values()), k=calls)
        people = draw.choices(self.whose, cum_weights=self.who, k=calls)
        times, uuids, on = self._times(day, calls, now), self._uuids(2 * calls), day.isoformat()
        ends = (times[0].replace(tzinfo=UTC), times[-1].replace(tzinfo=UTC))
        steady = {name: self.shapes.between(name, *ends) for name in dict.fromkeys(names)}
        for at, name, (user, team) in zip(times, names, people, strict=True):
            shape = draw.choice(steady[name] or self.shapes.of(name, at.replace(tzinfo=UTC)))
            yield (
                *(self.next_charge, next(uuids), next(uuids), user, team, *self._talk(user)),
                "title" if draw.random() < 0.06 else "chat",
                *(str(at), on, shape.began and str(at + shape.began), str(at + shape.took)),
                *(shape.number, self.next_line),
            )
            self.next_charge += 1
            self.next_line += len(shape.lines)

    def _models(self, at: datetime) -> dict[str, float]:
        """What can be asked for at that time, with how often it is."""
        found = {name: n for name, n in MODELS.items() if self.book.version(name, "standard", at)}
        return found and found | {name: n for name, n in MODELS.items() if n < 1}

    def _times(self, day: date, calls: int, now: datetime) -> list[datetime]:
        """Times of the working day in TIME_ZONE, in UTC and in order, most at noon; none to come."""
        zone, draw = timezone.get_default_timezone(), self.random.random
        start, end = (datetime.combine(day, time(hour), zone) for hour in (7, 21))
        if now <= start:
            start = datetime.combine(day, time(0), zone)
        seconds = (min(end, now) - start).total_seconds()
        places = sorted(sorted((draw(), draw(), draw()))[1] for _ in range(calls))
        # Without its zone: to take it off each as it is written takes longer than all the rest.
        began = start.astimezone(UTC).replace(tzinfo=None)
        return [began + timedelta(seconds=place * seconds) for place in places]

    def _talk(self, user: int) -> tuple[str, str | None]:
        """The conversation that the person is in, and its project; every sixth call begins one."""
        if user not in self.talks or self.random.random() < 1 / 6:
            projects = self.projects.setdefault(user, [None, *self._uuids(2)])
            self.talks[user] = next(self._uuids(1)), self.random.choice(projects)
        return self.talks[user]

    def _uuids(self, count: int) -> Iterator[str]:
        """Of version 4, in the digits that SQLite keeps and PostgreSQL reads."""
        digits = self.random.randbytes(16 * count).hex()
        for at in range(0, len(digits), 32):
            yield f"{digits[at : at + 12]}4{digits[at + 13 : at + 16]}a{digits[at + 17 : at + 32]}"


@contextmanager
def _loading(cursor: Any) -> Iterator[None]:
    """What rows are made of at hand, and what slows them down put off until all are there."""
    tables = [model._meta.db_table for model in (Charge, ChargeLine, DailyTotal, Rollup)]
    with (
        bulk.scratch(cursor, **SCRATCH),
        bulk.without_foreign_keys(cursor, *tables),
        bulk.without_indexes(cursor, *tables),
        rolling.all_at_once(cursor, connection.vendor),
    ):
        cursor.execute("CREATE INDEX demo_shape_id ON demo_shape (id)")
        cursor.execute("CREATE INDEX demo_line_shape ON demo_line (shape)")
        yield
    bulk.analyze(cursor, *tables)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _busyness(day: date, first: date) -> float:
    """Weekends are quiet, and use grows fourfold in a year."""
    growth: float = 4 ** ((day - first).days / 365)
    return growth * (0.15 if day.weekday() >= 5 else 1.0 + 0.1 * (2 - abs(day.weekday() - 2)))
