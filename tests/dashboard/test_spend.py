"""Every way of summing the same calls gives the same amount, whatever is asked."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any

import pytest
from django.db.models import Sum
from django.test import Client, override_settings
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatapp.accounts.models import Team, User
from chatapp.dashboard import as_of, by_call, export, focus, tables, what_if_views
from chatapp.dashboard.filters import Filter
from chatapp.dashboard.frame import certainty
from chatapp.dashboard.look import BY, Look
from chatapp.dashboard.series import spend_chart
from chatapp.dashboard.spend import Spend
from chatapp.dashboard.sums import Sums, total
from chatapp.dashboard.what_if import Scenario, replay
from chatapp.ledger import checking
from chatapp.ledger.models import Charge, ChargeLine, Kind, Source, State
from chatapp.pricing.models import price_book
from chatapp.pricing.money import pusd
from tests.dashboard.conftest import NOW, TODAY, make

Ask = Callable[..., Filter]
asked_for = st.fixed_dictionaries(
    {},
    optional={
        "range": st.sampled_from(["today", "7d", "30d", "month", "last-month", "12m"]),
        "team": st.integers(0, 9),
        "user": st.integers(0, 5),
        "model": st.sampled_from(["claude-haiku-4-5", "claude-opus-4-8", "claude-not-on-the-list"]),
        "status": st.sampled_from(["exact", "estimated", "unpriced", "unknown"]),
        "purpose": st.sampled_from(["chat", "title"]),
        "tier": st.sampled_from(["standard", "priority"]),
        "region": st.sampled_from(["global", "us", "not_available"]),
        "project": st.integers(0, 3),
    },
)


def in_words(query: dict[str, Any]) -> dict[str, str]:
    """The drawn numbers as people and teams that exist."""
    words = dict(query)
    if "user" in words:
        words["user"] = User.objects.order_by("id")[words["user"]].username
    if "team" in words:
        words["team"] = str(Team.objects.order_by("id")[words["team"]].pk)
    if "project" in words:
        projects = Charge.objects.order_by("id").exclude(project=None).values_list("project")
        words["project"] = str(projects[words["project"]][0])
    return words


@pytest.mark.usefixtures("ledger")
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(query=asked_for, by=st.sampled_from(list(BY)), page=st.integers(1, 3))
def test_every_sum_is_the_same(ask: Ask, query: dict[str, Any], by: str, page: int) -> None:
    agree(ask(**in_words(query)), Look(by=by, page=page))


def agree(asked: Filter, look: Look) -> None:
    """Charts, tables, the matrix and the parts by certainty add up to the rows of the ledger."""
    spend = Spend(asked)
    people, _ = tables.people_page(spend, look)
    matrix = tables.matrix(spend, look, people)
    rows = asked.charges().aggregate(amount=Sum("amount_pusd"))["amount"] or 0

    assert spend.all.amount_pusd == int(rows)
    assert spend.all.calls == asked.charges().count()
    assert spend_chart(spend, look).total == int(rows)
    assert spend_chart(spend, replace(look, unit="tokens")).total == spend.all.tokens
    assert total(column.sums for column in matrix.models) == spend.all
    for table in (
        tables.people_table(spend, look, people),
        tables.models_table(spend, look),
        tables.teams_table(spend, look),
    ):
        assert total([*(row.sums for row in table.rows), table.rest or Sums()]) == spend.all
    assert spend.together == spend.all
    parts = total(part.sums for part in certainty(spend))
    assert short(parts) == short(spend.all)
    for kind in ("project", "conversation"):
        table, _ = tables.own_table(spend, look, kind)
        parts = total([Sums(), *(row.sums for row in table.rows), table.rest or Sums()])
        assert short(parts) == short(spend.all)


def short(sums: Sums) -> tuple[int, ...]:
    """What is known of calls without their lines."""
    return sums.calls, sums.amount_pusd, sums.held_pusd, sums.tokens_in, sums.tokens


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("page", [1, 2])
def test_the_matrix_sums_both_ways(ask: Ask, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "PAGE", 4)
    spend, look = Spend(ask(range="12m")), Look(page=page)
    people, pages = tables.people_page(spend, look)
    matrix = tables.matrix(spend, look, people)
    assert pages == 2
    for line in matrix.lines:
        assert total(cell.sums for cell in line.cells) == line.all.sums
    for place, column in enumerate(matrix.models):
        shown = [line.cells[place].sums for line in matrix.lines]
        assert total([*shown, matrix.rest[place]]) == column.sums
    assert total([*(line.all.sums for line in matrix.lines), matrix.rest_all]) == matrix.all


def test_demonstration_money_is_kept_apart(prices: None, ask: Ask) -> None:
    make(30, seed=1)
    make(50, seed=2, source=Source.DEMO)
    assert Spend(ask(range="12m")).all.calls == 30
    assert Spend(ask(range="12m", source="demo")).all.calls == 50
    with override_settings(DEMO=True):
        assert Spend(ask(range="12m")).all.calls == 50


def test_open_and_voided_calls_are_no_spend(ledger: Any, ask: Ask, alice: User) -> None:
    before = Spend(ask()).all
    charge = Charge.objects.authorize(
        user=alice,
        source=Source.ANTHROPIC,
        purpose="chat",
        model="claude-haiku-4-5",
        max_tokens=10,
        prompt_tokens=10,
        reference="5d0c2b1e-2d3f-4f0b-9c55-0f6c7a9e4d21",
    )
    charge.void(error="overloaded", http_status=529)
    assert charge.state == State.VOIDED
    assert Spend(ask()).all == before


@pytest.mark.usefixtures("ledger")
def test_what_has_no_amount_is_never_nothing(ask: Ask) -> None:
    sums = Spend(ask(status="unknown", range="12m")).all
    assert sums.calls == 0 or sums.known_pusd is None


@pytest.mark.parametrize("calls", ["ledger", "hard"])
def test_cache_savings_are_the_uncached_price_less_what_was_paid(
    calls: str, ask: Ask, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(calls)
    asked = ask(range="12m")
    cached = ChargeLine.objects.filter(kind__startswith="cache", charge__in=asked.charges())
    saved = 0
    for line in cached.select_related("price_version"):
        rate = line.price_version.value().tier(line.charge.tokens_in).input
        saved += line.quantity * rate * line.multiplier_bp // 10_000 - line.amount_pusd
    assert Spend(asked).figures.savings_pusd == saved


@pytest.mark.usefixtures("ledger")
def test_kinds_add_up_to_the_amount(ask: Ask) -> None:
    every = Spend(ask(range="12m")).all
    assert every.amount_pusd
    assert sum(every.amount_of(kind) for kind in Kind) == every.amount_pusd


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    "query", [{"range": "12m"}, {"range": "7d"}, {"user": "0", "range": "12m"}]
)
def test_rollups_and_calls_say_the_same(ask: Ask, query: dict[str, Any]) -> None:
    asked = ask(**in_words({k: int(v) if k == "user" else v for k, v in query.items()}))
    spend, calls = Spend(asked), asked.charges()
    for columns in (("user", "model"), ("team", "status"), ("purpose",), ()):
        assert spend.sums("whole", *columns) == by_call.sums_by(calls, *columns)
    assert spend.by_team == {team: s for (team,), s in by_call.sums_by(calls, "team").items()}
    ranked = by_call.sums_by(calls, "user")
    assert {user: (*rank, rank.average_pusd) for user, rank in spend.ranks.items()} == {
        user: (s.calls, s.priced_calls, s.amount_pusd, s.tokens_in, s.tokens, s.average_pusd)
        for (user,), s in ranked.items()
    }


@pytest.mark.usefixtures("ledger")
def test_made_up_calls_break_no_law() -> None:
    assert checking.check().breaks == []


def of_calls(asked: Filter, *columns: str) -> dict[tuple[Any, ...], Sums]:
    """The calls themselves, with the tokens of those that have no price."""
    found = by_call.sums_by(asked.charges(), *columns)
    for key, tokens in by_call.reported(asked.charges(), *columns):
        found[key] = total([found[key], tokens])
    return found


def each_filter() -> Iterator[dict[str, str]]:
    """Every value of every filter."""
    found = [{"range": name} for name in ("today", "7d", "month", "last-month", "12m")]
    yesterday = str(TODAY - timedelta(days=1))
    found.append({"from": yesterday, "to": str(TODAY)})
    every = {"range": "12m"}
    found += [every | {"team": team} for team in ("none", str(Team.objects.get(name="Hard").pk))]
    for name, column in {
        "user": "user__username",
        "region": "inference_geo",
        "tier": "service_tier",
        **{name: name for name in ("model", "status", "purpose", "project", "conversation")},
    }.items():
        values = Charge.objects.order_by(column).values_list(column, flat=True).distinct()
        found += [every | {name: str(value)} for value in values if value]
    found.append({"range": "today", "hour": f"{NOW - timedelta(hours=2.5):%Y-%m-%dT%H:00Z}"})
    yield from found


@pytest.mark.usefixtures("hard")
def test_hard_calls_add_up_too(ask: Ask) -> None:
    assert checking.check().breaks == []
    used = ChargeLine.objects.values_list("kind", flat=True).distinct()
    assert set(used) == set(Kind)
    for query, by in zip(each_filter(), cycle(BY), strict=False):
        asked = ask(**query)
        agree(asked, Look(by=by))
        whole = Spend(asked)
        for columns in (("user", "model"), ("team", "status"), ("purpose",), ()):
            assert whole.sums("whole", *columns) == of_calls(asked, *columns), query
        assert sum(map(whole.all.amount_of, Kind)) == whole.all.amount_pusd


@pytest.mark.usefixtures("hard")
def test_files_of_hard_calls_add_up_too(ask: Ask) -> None:
    for query in each_filter():
        asked = ask(**query)
        every = Spend(asked).all
        calls, _ = export._slice(asked, None)
        assert len(calls) == every.calls
        assert sum(pusd(call["amount_usd"] or "0") for call in calls) == every.amount_pusd
        told = export._totals(Spend(asked).together)
        assert pusd(told["amount_usd"]) == every.amount_pusd
        for name in export.QUANTITY.values():
            assert sum(call[name] or 0 for call in calls) == told[name] == getattr(every, name)
            unknown = {call["call"] for call in calls if call["status"] == "unknown"}
            assert {call["call"] for call in calls if call[name] is None} == unknown
        lines, _ = focus._slice(asked, None)
        assert sum(pusd(line["BilledCost"]) for line in lines) == every.amount_pusd
        for line in lines:
            cost = Decimal(line["ListUnitPrice"]) * Decimal(line["PricingQuantity"])
            assert cost == Decimal(line["ListCost"])


@pytest.mark.usefixtures("hard")
def test_hard_calls_priced_again_and_as_known_today_are_the_same(ask: Ask) -> None:
    asked = ask(range="12m")
    every = Spend(asked).all
    priced = what_if_views._calls(asked.charges().filter(amount_pusd__isnull=False))
    again = replay(price_book(), priced, Scenario()).values()
    assert all(outcome.difference_pusd == outcome.unpriced == 0 for outcome in again)
    assert sum(outcome.calls for outcome in again) == every.priced_calls
    for by in as_of.BY:
        now = as_of.together(as_of.known(asked, timezone.now() + timedelta(hours=1), by))
        assert (now.calls, now.then_pusd) == (every.priced_calls, every.amount_pusd)
        assert now.difference_pusd == 0


@pytest.mark.usefixtures("hard")
@pytest.mark.parametrize("query", ["range=today", "range=today&conversation={}", "range=12m"])
def test_a_call_without_a_price_shows_its_tokens(payer: Client, query: str) -> None:
    call = Charge.objects.get(status="unpriced")
    for narrow in ("status=unpriced", f"model={call.model}"):
        page = payer.get(
            f"/dashboard/?{query.format(call.conversation)}&{narrow}&unit=tokens&by=kind"
        )
        every = page.context["figures"].all
        assert (every.tokens_in, every.cache_read_tokens, every.output_tokens) == (5021, 5000, 77)
        assert (every.known_pusd, page.context["figures"].savings_pusd) == (None, None)
        assert [one.total for one in page.context["chart"].series] == [21, 5000, 77]
        for table in (page.context["models"], page.context["people"]):
            (row,) = table.rows
            assert row.sums == every
        assert page.text.count(">5.02k<") >= 4


@pytest.mark.usefixtures("hard")
def test_what_waits_for_an_amount_is_marked(payer: Client) -> None:
    page = payer.get("/dashboard/?range=12m")
    waiting = {part.status: part.sums for part in page.context["certainty"] if not part.priced}
    assert [sums.calls for sums in waiting.values()] == [1, 1]
    assert all(sums.held_pusd for sums in waiting.values())
    assert page.context["figures"].all.held_pusd == sum(s.held_pusd for s in waiting.values())
    assert page.text.count("at most") == 2
    people = page.text[page.text.index('aria-labelledby="people"') :]
    alice = people[people.index(">Alice<") :].partition("</tr>")[0]
    assert ">+2</sup>" in alice
