"""The page's tables: people, models and teams with their share and trend, and people by models."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from chatapp.accounts.models import User
from chatapp.dashboard import by_call
from chatapp.dashboard.charts import heat, percent, sparkline
from chatapp.dashboard.filters import NONE
from chatapp.dashboard.frame import opaque
from chatapp.dashboard.look import Look
from chatapp.dashboard.spend import Spend
from chatapp.dashboard.sums import Rank, Sums, regrouped, rest

PAGE = 25


@dataclass(frozen=True)
class Row:
    """One line: what it sums, the calls behind it, and the page narrowed to it."""

    name: str
    sums: Sums
    calls_href: str = ""
    href: str = ""
    note: str = ""
    width: str = "0%"
    share: str = ""
    trend: str = ""
    username: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of one page; `rest` sums what other pages hold, so that columns add up to `all`."""

    rows: tuple[Row, ...]
    all: Sums
    rest: Sums | None = None
    rest_count: int = 0


@dataclass(frozen=True)
class Cell:
    sums: Sums
    href: str
    heat: int


@dataclass(frozen=True)
class Line:
    """One person's row of the matrix."""

    name: str
    note: str
    href: str
    cells: tuple[Cell, ...]
    all: Cell


@dataclass(frozen=True)
class Matrix:
    """People by models: each row and each column adds up, on every page, from unrounded values."""

    models: tuple[Row, ...]
    lines: tuple[Line, ...]
    rest: tuple[Sums, ...]
    rest_all: Sums
    rest_count: int
    all: Sums


def people_page(spend: Spend, look: Look) -> tuple[list[User], int]:
    """The people of this page in the order asked for, and how many pages there are."""
    sums = spend.ranks
    pages = max(1, -(-len(sums) // PAGE))
    start = (min(look.page, pages) - 1) * PAGE
    if look.sort == "name":
        named = User.objects.filter(id__in=sums).only("name", "username")
        ranked = [pk for name, pk in sorted((user.label.casefold(), user.pk) for user in named)]
    else:
        ranked = sorted(sums, key=lambda user: (_order(sums[user], look.sort), user))
    ids = ranked[start : start + PAGE]
    people = spend.people(ids)
    return [people[user] for user in ids], pages


def people_table(spend: Spend, look: Look, people: list[User]) -> Table:
    every, ids = spend.all, [user.pk for user in people]
    sums = regrouped(spend.of_people(ids), lambda user, model: user)
    days = spend.days_of_people(ids)
    rows = tuple(
        Row(
            name=user.label,
            username=user.username,
            note=user.team.name if user.team else "",
            sums=sums[user.pk],
            calls_href=spend.asked.link("calls", user=user.username),
            href=spend.asked.link(**look.start(), user=user.username),
            trend=_trend(spend, days[user.pk]),
            **_share(sums[user.pk], every),
        )
        for user in people
    )
    others = len(spend.ranks) - len(people)
    return Table(rows, every, rest(every, sums.values()) if others else None, others)


def models_table(spend: Spend, look: Look) -> Table:
    every = spend.all
    rows = [
        Row(
            name=model,
            sums=sums,
            calls_href=spend.asked.link("calls", model=model),
            href=spend.asked.link(**look.start(), model=model),
            trend=_trend(
                spend, {day: s.amount_pusd for day, s in spend.days_of_models[model].items()}
            ),
            **_share(sums, every),
        )
        for model, sums in spend.by_model.items()
    ]
    return Table(_sorted(rows, look), every)


def teams_table(spend: Spend, look: Look) -> Table:
    every, days = spend.all, spend.days_of_teams()
    rows = [
        Row(
            name=spend.teams[team].name if team else _("No team"),
            sums=sums,
            calls_href=spend.asked.link("calls", team=team or NONE),
            href=spend.asked.link(**look.start(), team=team or NONE),
            trend=_trend(spend, days[team]),
            **_share(sums, every),
        )
        for team, sums in spend.by_team.items()
    ]
    return Table(_sorted(rows, look), every)


def own_table(spend: Spend, look: Look, kind: str) -> tuple[Table, int]:
    """A page of a person's projects or conversations, and how many pages there are.

    Their names tell nothing of what is in them.
    """
    found = {
        key: sums for (key,), sums in by_call.short_sums_by(spend.asked.charges(), kind).items()
    }
    names = {key: opaque(kind, key) for key in found}
    ranked = sorted(found, key=lambda key: (_key(names[key], found[key], look), str(key)))
    pages = max(1, -(-len(found) // PAGE))
    start = (min(getattr(look, f"{kind}s"), pages) - 1) * PAGE
    every = spend.all
    rows = tuple(
        Row(
            name=names[key],
            sums=found[key],
            calls_href=spend.asked.link("calls", **{kind: key or NONE}),
            href=spend.asked.link(**look.start(), **{kind: key or NONE}),
            **_share(found[key], every),
        )
        for key in ranked[start : start + PAGE]
    )
    others = len(found) - len(rows)
    left = rest(every, [row.sums for row in rows]) if others else None
    return Table(rows, every, left, others), pages


def matrix(spend: Spend, look: Look, people: list[User]) -> Matrix:
    """This page's people by all models, the dearest model first."""
    asked, cells = spend.asked, spend.of_people([user.pk for user in people])
    models = sorted(spend.by_model, key=lambda name: (_order(spend.by_model[name], "spend"), name))
    most = max((sums.amount_pusd for sums in cells.values()), default=0)
    by_user = regrouped(cells, lambda user, model: user)
    by_model = regrouped(cells, lambda user, model: model)
    lines = tuple(
        Line(
            name=user.label,
            note=user.team.name if user.team else "",
            href=asked.link(**look.start(), user=user.username),
            cells=tuple(
                Cell(
                    sums := cells.get((user.pk, model), Sums()),
                    asked.link("calls", user=user.username, model=model) if sums.calls else "",
                    heat(sums.amount_pusd, most),
                )
                for model in models
            ),
            all=Cell(by_user[user.pk], asked.link("calls", user=user.username), 0),
        )
        for user in people
    )
    return Matrix(
        models=tuple(
            Row(model, spend.by_model[model], asked.link("calls", model=model)) for model in models
        ),
        lines=lines,
        rest=tuple(rest(spend.by_model[model], [by_model.get(model, Sums())]) for model in models),
        rest_all=rest(spend.all, by_user.values()),
        rest_count=len(spend.ranks) - len(people),
        all=spend.all,
    )


def _order(sums: Sums | Rank, sort: str) -> int:
    """The largest first, what is not known last."""
    match sort:
        case "calls":
            return -sums.calls
        case "tokens":
            return -sums.tokens_in
        case _ if not sums.priced_calls:
            return 1
        case "average":
            return -(sums.average_pusd or 0)
        case _:
            return -sums.amount_pusd


def _key(name: str, sums: Sums, look: Look) -> tuple[int, str]:
    return 0 if look.sort == "name" else _order(sums, look.sort), name.casefold()


def _sorted(rows: list[Row], look: Look) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: _key(row.name, row.sums, look)))


def _share(sums: Sums, every: Sums) -> dict[str, str]:
    if not every.amount_pusd:
        return {}
    share = 100 * sums.amount_pusd / every.amount_pusd
    words = "<1 %" if 0 < share < 1 else f"{share:.0f} %"
    return {"width": percent(sums.amount_pusd, every.amount_pusd), "share": words}


def _trend(spend: Spend, days: Mapping[date, int]) -> str:
    """Sparkline points over the page's buckets; empty when there is one step only."""
    return sparkline(spend.spread(days.items())) if len(spend.buckets) > 1 else ""
