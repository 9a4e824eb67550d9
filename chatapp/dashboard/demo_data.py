"""A made-up team's calls over years, the same for the same seed, and true to every ledger rule."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from chatapp.accounts.models import Team, User
from chatapp.dashboard import bulk
from chatapp.dashboard.periods import Period
from chatapp.ledger import rolling
from chatapp.ledger.daily import counters
from chatapp.ledger.models import Charge, ChargeLine, DailyTotal, State
from chatapp.ledger.rating import Rated, rate, tokens
from chatapp.pricing.cost import ceiling
from chatapp.pricing.models import price_book
from chatapp.pricing.usage import Certainty, Metered

FIRST = "Ada Bruno Chika Dana Elif Farid Gina Hugo Ines Jonas Keiko Lars Mara Nils Olga Pablo Qing "
FIRST += "Rosa Sven Tara Uma Viktor Wanda Xavi Yara Zeno Amir Bela Cleo Dara Emil Fatou Goran Hana "
FIRST += "Ivo Joao Kira Leon Mina Noor"
LAST = "Adler Brandt Costa Dubois Endo Fischer Garcia Haddad Ito Jensen Kaya Lindt Moreau Novak "
LAST += "Okafor Petrov Quist Rossi Sato Tanaka Ueda Varga Weber Xu Yilmaz Zhou Ahmed Bauer Chen "
LAST += "Diaz Ekman Fabre Gupta Hansen Ivanov Jung Kim Lopez Meyer Nagy Olsen Park Rao Silva Toth "
LAST += "Unger Vidal Wolf Young Zeller"
TEAMS = [
    "Research",
    "Engineering",
    "Support",
    "Marketing",
    "Sales",
    "Legal",
    "Finance",
    "Design",
    "Operations",
    "Data",
]
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
ASKED_INSTEAD = "claude-haiku-4-5"
SHAPES = 240
CHARGE = (
    *("id", "uuid", "source", "purpose", "user_id", "team_id", "reference", "conversation"),
    *("project", "requested_model", "served_model", "model", "speed", "service_tier"),
    *("inference_geo", "max_tokens", "state"),
    *("status", "held_pusd", "amount_pusd", "low_pusd", "high_pusd", "tokens_in", "tokens_out"),
    *("flags", "usage", "response", "certainty", "reported_output", "estimated_output"),
    *("request_id", "message_id", "stop_reason", "error", "authorized_at", "day", "started_at"),
    *("first_token_ms", "duration_ms", "settled_at"),
)
LINE = (
    *("charge_id", "segment", "segment_type", "model", "kind", "quantity", "unit_price_pusd"),
    *("multiplier_bp", "amount_pusd", "price_version_id", "recorded_at"),
)
KEY = ("day", "source", "user_id", "team_id", "model", "purpose", "status")


@dataclass(frozen=True)
class Outcome:
    """One way a call can turn out: what was metered, what it costs, how long it took."""

    metered: Metered
    rated: Rated
    asked: str
    max_tokens: int
    held_pusd: int
    tokens: tuple[int | None, int | None]
    error: str
    first_token_ms: int
    duration_ms: int
    counters: Counter[str]
    # Flags, usage and response, as JSON: written once, stored often.
    texts: tuple[str, str | None, str]


class Maker:
    """Makes calls day by day. Outcomes are drawn from a few hundred per price, each rated once."""

    def __init__(self, *, seed: int, source: str, people: int, shapes: int = SHAPES) -> None:
        self.next_charge = bulk.next_id(Charge)
        self.random = Random(f"{seed} {self.next_charge}")  # noqa: S311 - repeatable on purpose
        self.source, self.shapes = source, shapes
        self.book = price_book()
        self.people = make_people(people)
        weights = [self.random.paretovariate(1.3) for _ in self.people]
        self.who = list(accumulate(weights))
        self.outcomes: dict[tuple[str, object], list[Outcome]] = {}
        self.talks: dict[int, tuple[UUID, UUID | None]] = {}
        self.projects: dict[int, list[UUID | None]] = {}

    def make(self, calls: int, period: Period, *, now: datetime) -> Iterator[int]:
        """Write `calls` calls over the days of `period`; yields how many are there, day by day."""
        days = [day for day in period if self._models(_noon(day))]
        shares = list(accumulate(_busyness(day, days[0]) for day in days))
        done = 0
        with transaction.atomic(), bulk.unhurried() as cursor:
            with rolling.all_at_once(cursor, connection.vendor):
                for day, share in zip(days, shares, strict=True):
                    upto = round(calls * share / shares[-1])
                    if upto > done:
                        self._make_day(day, upto - done, now=now)
                    done = upto
                    yield done
            bulk.settle_ids(Charge, ChargeLine, DailyTotal)

    def _make_day(self, day: date, calls: int, *, now: datetime) -> None:
        offered = self._models(_noon(day))
        names = self.random.choices(list(offered), list(offered.values()), k=calls)
        people = self.random.choices(self.people, cum_weights=self.who, k=calls)
        charges: list[bulk.Row] = []
        lines: list[bulk.Row] = []
        totals: dict[tuple[Any, ...], Counter[str]] = {}
        for at, name, user in zip(self._times(day, calls, now), names, people, strict=True):
            outcome = self.random.choice(self._outcomes(name, at))
            purpose = "title" if self.random.random() < 0.06 else "chat"
            charges.append(self._charge(outcome, user, purpose, at, day))
            lines += self._lines(outcome, at)
            key = (
                day,
                self.source,
                user.pk,
                user.team_id,
                charges[-1][CHARGE.index("model")],
                purpose,
            )
            totals.setdefault((*key, outcome.rated.status), Counter()).update(outcome.counters)
            self.next_charge += 1
        bulk.insert(Charge, CHARGE, charges)
        bulk.insert(ChargeLine, LINE, lines)
        bulk.add_up(DailyTotal, KEY, totals)

    def _models(self, at: datetime) -> dict[str, float]:
        """What can be asked for at that time, with how often it is."""
        found = {name: n for name, n in MODELS.items() if self.book.version(name, "standard", at)}
        return found and found | {name: n for name, n in MODELS.items() if n < 1}

    def _times(self, day: date, calls: int, now: datetime) -> list[datetime]:
        """Times of the working day in TIME_ZONE, in order; none in the future."""
        zone = timezone.get_default_timezone()
        start, end = (datetime.combine(day, time(hour), zone) for hour in (7, 21))
        if now <= start:
            start = datetime.combine(day, time(0), zone)
        seconds = (min(end, now) - start).total_seconds()
        places = sorted(self.random.betavariate(2, 2) * seconds for _ in range(calls))
        return [start.astimezone(UTC) + timedelta(seconds=place) for place in places]

    def _outcomes(self, name: str, at: datetime) -> list[Outcome]:
        asked = name if self.book.resolve(name) else ASKED_INSTEAD
        version = self.book.version(asked, "standard", at)
        key = (name, version and version.valid_from)
        if key not in self.outcomes:
            self.outcomes[key] = [self._outcome(name, asked, at) for _ in range(self.shapes)]
        return self.outcomes[key]

    def _outcome(self, name: str, asked: str, at: datetime) -> Outcome:
        draw = self.random
        prompt = min(int(draw.lognormvariate(7.2, 1.3)) + 20, 150_000)
        max_tokens = draw.choice([1024, 4096, 4096, 8192])
        output = min(int(draw.lognormvariate(5.6, 0.9)) + 1, max_tokens)
        metered = self._metered(name, prompt, output)
        held = self._hold(asked, at, prompt, max_tokens)
        rated = rate(self.book, metered, at=at, max_tokens=max_tokens, held_pusd=held)
        charge = Charge(status=rated.status, amount_pusd=rated.amount_pusd, held_pusd=held)
        return Outcome(
            metered,
            rated,
            asked,
            max_tokens,
            held,
            tokens(rated.lines, metered.usage) if metered.usage else (None, None),
            {"exact": "", "estimated": "stopped"}.get(metered.certainty.value, "connection_lost"),
            draw.randint(250, 1800),
            int(400 + output * draw.uniform(8, 20)),
            counters(charge, rated.lines),
            (
                json.dumps(rated.flags),
                json.dumps(metered.usage) if metered.usage else None,
                json.dumps(metered.response),
            ),
        )

    def _hold(self, model: str, at: datetime, prompt: int, most: int) -> int:
        worst = ceiling(self.book, model=model, at=at, prompt_tokens=prompt, max_tokens=most)
        return worst or 0

    def _metered(self, model: str, prompt: int, output: int) -> Metered:
        """Three in four are cached at least in part; one in forty was stopped; a few are lost."""
        draw = self.random
        if draw.random() < 0.003:
            return Metered(model, None, {}, Certainty.UNKNOWN)
        kept = int(prompt * draw.uniform(0.3, 0.95)) if draw.random() < 0.75 else 0
        read = kept if draw.random() < 0.8 else 0
        usage = {
            "input_tokens": prompt - kept,
            "cache_creation_input_tokens": kept - read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": kept - read,
                "ephemeral_1h_input_tokens": 0,
            },
            "cache_read_input_tokens": read,
            "output_tokens": output,
            "service_tier": draw.choices(["standard", "priority"], [19, 1])[0],
            "inference_geo": draw.choices(["global", "not_available"], [19, 1])[0],
        }
        if draw.random() < 0.025:
            part = {**usage, "output_tokens": 1}
            return Metered(model, part, {}, Certainty.ESTIMATED, max(1, output // 3), 1)
        return Metered(model, usage, {"stop_reason": "end_turn"}, Certainty.EXACT)

    def _charge(
        self, outcome: Outcome, user: User, purpose: str, at: datetime, day: date
    ) -> tuple[Any, ...]:
        """In the order of CHARGE."""
        metered, rated = outcome.metered, outcome.rated
        started = at + timedelta(milliseconds=outcome.first_token_ms)
        known, usage = metered.usage is not None, metered.usage or {}
        return (
            *(self.next_charge, self._uuid(), self.source, purpose, user.pk, user.team_id),
            *(self._uuid(), *self._talk(user), outcome.asked, metered.model if known else ""),
            *(metered.model if known else outcome.asked, "standard"),
            *(usage.get("service_tier", ""), usage.get("inference_geo", "")),
            *(outcome.max_tokens, State.CAPTURED, rated.status),
            *(outcome.held_pusd, rated.amount_pusd, rated.low_pusd, rated.high_pusd),
            *(*outcome.tokens, *outcome.texts),
            *(metered.certainty.value, metered.reported_output, metered.estimated_output),
            *(f"req_demo{self.next_charge}", f"msg_demo{self.next_charge}" if known else ""),
            *(metered.response.get("stop_reason", ""), outcome.error, at, day),
            *(started if known else None, outcome.first_token_ms, outcome.duration_ms),
            at + timedelta(milliseconds=outcome.first_token_ms + outcome.duration_ms),
        )

    def _lines(self, outcome: Outcome, at: datetime) -> Iterator[tuple[Any, ...]]:
        """In the order of LINE."""
        settled = at + timedelta(milliseconds=outcome.first_token_ms + outcome.duration_ms)
        for line in outcome.rated.lines:
            yield (
                *(self.next_charge, line.segment, line.segment_type, line.model, line.kind),
                *(line.quantity, line.unit_price_pusd, line.multiplier_bp, line.amount_pusd),
                *(line.price_version, settled),
            )

    def _talk(self, user: User) -> tuple[UUID, UUID | None]:
        """The conversation that the person is in, and its project; every sixth call begins one."""
        if user.pk not in self.talks or self.random.random() < 1 / 6:
            projects = self.projects.setdefault(user.pk, [None, self._uuid(), self._uuid()])
            self.talks[user.pk] = self._uuid(), self.random.choice(projects)
        return self.talks[user.pk]

    def _uuid(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)


def make_people(count: int) -> list[User]:
    """People of made-up names in ten teams, who cannot sign in; made once, found again."""
    teams = [Team.objects.get_or_create(name=name)[0] for name in TEAMS]
    firsts, lasts = FIRST.split(), LAST.split()
    # 40 x 50 names: every pair once, neighbours different in both.
    names = [f"{firsts[n % 40]} {lasts[(n + n // 40) % 50]}" for n in range(count)]
    wanted = [
        User(
            username=name.lower().replace(" ", "."),
            name=name,
            team=teams[place % 7 * place % len(teams)],
            password="!made-up",  # noqa: S106 - a password that matches nothing
        )
        for place, name in enumerate(names)
    ]
    User.objects.bulk_create(wanted, ignore_conflicts=True)
    usernames = [user.username for user in wanted]
    return list(User.objects.filter(username__in=usernames).order_by("username"))


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _busyness(day: date, first: date) -> float:
    """Weekends are quiet, and use grows fourfold in a year."""
    growth: float = 4 ** ((day - first).days / 365)
    return growth * (0.15 if day.weekday() >= 5 else 1.0 + 0.1 * (2 - abs(day.weekday() - 2)))
