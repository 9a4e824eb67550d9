"""Who may open which page, what it answers to nonsense, and where its figures lead."""

import re
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.models import Count
from django.test import Client

from chatapp.accounts.models import User
from chatapp.dashboard import tables
from chatapp.dashboard.filters import Filter
from chatapp.dashboard.look import SORTS
from chatapp.dashboard.periods import DAY
from chatapp.dashboard.sums import Sums
from chatapp.dashboard.templatetags.spend import amount
from chatapp.ledger.models import Charge
from chatapp.pricing.usage import Certainty, Metered
from tests.dashboard.conftest import HAIKU, NOW, TODAY, Authorize, signed_in
from tests.ledger.conftest import exact

PAGES = ["/dashboard/", "/dashboard/calls/", "/dashboard/export.csv", "/dashboard/export.json"]
OWN = [page.replace("/dashboard/", "/usage/") for page in PAGES]
NONSENSE = [
    *("from=9999999-01-01", "from=10000-01-01", "from=2026-02-30", "from=0001-01-01&to=0001-01-01"),
    *("range=__class__", "by=__class__", "unit=%00", "sort=-user__password", "page=-1", "page=9e9"),
    *("from=0001-01-01&to=9999-12-31", "from=2026-11-02&to=2026-11-01", "user=nobody", "user=%00"),
    *("team=0", "team=99999999999999", "team=%C2%B2", "team='; DROP TABLE x", "model=%00"),
    *("model=%25", "status=paid", "purpose=x", "source=stripe", "after=x", "page=99999999999999"),
    "model=" + "x" * 5000,
    "user=alice&user=bob&range=7d&range=30d",
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", PAGES + OWN)
def test_a_visitor_is_sent_to_sign_in(page: str, client: Client) -> None:
    answer = client.get(page)
    assert answer.status_code == 302
    assert urlsplit(answer["Location"]).path == "/sign-in/"
    assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [page]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", PAGES)
def test_without_the_permission_the_page_is_not_there(page: str, bob: User) -> None:
    assert signed_in(bob).get(page).status_code == 404


@pytest.mark.parametrize("page", [*PAGES[:2], *OWN[:2]])
def test_nonsense_is_refused_or_clamped(page: str, payer: Client, prices: None) -> None:
    for query in NONSENSE:
        answer = payer.get(f"{page}?{query}")
        assert answer.status_code in (200, 400), query
        assert b"Traceback" not in answer.content


def test_what_is_wrong_is_said(payer: Client) -> None:
    answer = payer.get("/dashboard/?from=2026-02-30&user=nobody")
    assert answer.status_code == 400
    assert "“from” is a day like" in answer.text
    assert "Nobody has the user name" in answer.text


@pytest.mark.parametrize("page", [*PAGES[:2], *OWN[:2]])
def test_pages_are_read_only_and_not_kept(page: str, payer: Client, prices: None) -> None:
    assert payer.post(page).status_code == 405
    assert "no-store" in payer.get(page)["Cache-Control"]


def test_an_empty_ledger_says_so(payer: Client, prices: None) -> None:
    assert "Nothing in these days" in payer.get("/dashboard/").text
    assert "Clear the filters" in payer.get("/dashboard/?status=unknown").text


@pytest.mark.usefixtures("ledger")
def test_calls_without_an_amount_are_not_nothing(payer: Client) -> None:
    for look in ("", "&unit=tokens"):
        page = payer.get(f"/dashboard/?status=unknown&range=12m{look}")
        assert page.context["figures"].all.calls
        assert "Nothing in these days" not in page.text
        assert "No call matches" not in page.text
        assert "nothing was cached" not in page.text
        assert "No amount is known of" in page.text


@pytest.mark.usefixtures("ledger")
def test_a_free_call_is_no_unknown_one(payer: Client, authorize: Authorize) -> None:
    free = Metered(HAIKU, {"input_tokens": 0, "output_tokens": 0}, {}, Certainty.EXACT)
    authorize(NOW).capture(free)
    page = payer.get("/dashboard/?user=alice&range=today").text
    assert "Nothing was billed for these calls" in page


@pytest.mark.usefixtures("ledger")
def test_unknown_money_is_compared_with_nothing(payer: Client) -> None:
    days = Charge.objects.filter(status="unknown").values_list("day", flat=True)
    after = next(day + DAY for day in days if day.day > 1 and day + DAY <= TODAY)
    page = payer.get(f"/dashboard/?from={after}&to={after}&status=unknown")
    figures = page.context["figures"]
    assert figures.before.calls
    assert "Nothing was spent" not in page.text
    assert "no amount is known" in page.text
    spent = Sums(calls=1, priced_calls=1, amount_pusd=5)
    assert replace(figures, all=Sums(calls=2), before=spent).change is None


def test_everybody_sees_their_own_and_nobody_elses(ledger: Any, payer: Client) -> None:
    busy, other = User.objects.filter(charges__isnull=False).distinct()[:2]
    own = signed_in(busy)
    page = own.get("/usage/", {"user": other.username, "range": "12m"})
    asked: Filter = page.context["asked"]
    assert asked.user == busy
    assert page.context["figures"].all.calls == busy.charges.count()
    assert other.label not in page.text
    calls = own.get("/usage/calls/", {"user": other.username, "range": "12m"}).context["rows"]
    assert {row.charge.user for row in calls} == {busy}
    assert own.get(f"/usage/calls/{busy.charges.first().uuid}/").status_code == 200
    assert own.get(f"/usage/calls/{other.charges.first().uuid}/").status_code == 404
    assert own.get(f"/dashboard/calls/{busy.charges.first().uuid}/").status_code == 404


@pytest.mark.usefixtures("ledger")
def test_each_figure_leads_to_the_calls_that_add_up_to_it(payer: Client) -> None:
    page = payer.get("/dashboard/", {"range": "12m"})
    matrix = page.context["matrix"]
    for line in matrix.lines[:3]:
        for cell in (*line.cells, line.all):
            if cell.sums.calls:
                assert cell.href.replace("&", "&amp;") in page.text
                found = payer.get(cell.href).context
                assert found["sums"] == cell.sums
                amounts = [row.charge.amount_pusd or 0 for row in found["rows"]]
                if not found["more"]:
                    assert sum(amounts) == cell.sums.amount_pusd
    for column in page.context["chart"].columns:
        day = payer.get(column.bucket.href).context["sums"]
        assert day.amount_pusd == next(
            total for bucket, _, total in page.context["chart"].rows if bucket == column.bucket
        )
    for part in page.context["certainty"]:
        assert payer.get(part.href).context["sums"] == part.sums


@pytest.mark.usefixtures("ledger")
def test_calls_are_paged_without_gap_or_repeat(payer: Client) -> None:
    seen, href = [], "/dashboard/calls/?range=12m"
    while href:
        context = payer.get(href).context
        seen += [row.charge.pk for row in context["rows"]]
        assert "No calls" not in payer.get(href).text
        href = context["more"]
    ordered = Charge.objects.order_by("-authorized_at", "-id").values_list("pk", flat=True)
    assert seen == list(ordered)


@pytest.mark.usefixtures("ledger")
def test_a_call_has_its_receipt(payer: Client) -> None:
    charge = Charge.objects.filter(status="exact").latest("id")
    page = payer.get(f"/dashboard/calls/{charge.uuid}/")
    assert page.status_code == 200
    assert charge.request_id in page.text


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    "query", ["", "by=user", "by=team&unit=tokens", "by=kind&range=12m", "sort=name"]
)
def test_nothing_on_a_page_breaks_the_content_policy(query: str, payer: Client) -> None:
    text = payer.get(f"/dashboard/?{query}").text
    assert not re.search(r"\sstyle=|<script(?![^>]*\ssrc=)|<style|\son\w+=", text)


@pytest.mark.usefixtures("ledger")
def test_nothing_small_reads_as_zero(payer: Client) -> None:
    for query in ("range=12m", "range=12m&by=kind", "range=today", "sort=average"):
        page = payer.get(f"/dashboard/?{query}").text
        for value, shown in re.findall(r'<data class="money" value="([^"]*)"[^>]*>([^<]*)<', page):
            assert float(value) == 0 or float(shown.replace("$", "").replace(",", "")) != 0


@pytest.mark.parametrize(
    ("pusd", "decimals", "shown"),
    [
        (19_560_000_000_000, 3, "$19.56"),
        (1_000_000_000_000, 4, "$1.00"),
        (999_900_000_000, 3, "$1.000"),
        (123_400_000_000, 3, "$0.123"),
        (406_000_000, 3, "$0.000406"),
        (0, 2, "$0.00"),
    ],
)
def test_amounts_have_cents_from_a_dollar_up(pusd: int, decimals: int, shown: str) -> None:
    assert f">{shown}<" in amount(pusd, decimals)


def test_a_persons_name_is_never_markup(payer: Client, ledger: Any) -> None:
    User.objects.filter(charges__isnull=False).update(name="<img src=x onerror=alert(1)>")
    for by in ("user", "model"):
        assert "<img src=x" not in payer.get(f"/dashboard/?by={by}").text


def shown(cell: str) -> str | int:
    """What a table's cell says: an amount's or a count's number, -1 for a dash, or words."""
    if value := re.search(r'<data [^>]*value="([^"]*)"', cell):
        return round(Decimal(value[1]) * 10**12)
    words = re.sub(r"<sup.*?</sup>|<span.*?</span>|<[^>]*>", "", cell).strip().replace(",", "")
    return int(words) if words.isdecimal() else words or -1


def test_tables_are_in_the_order_that_their_head_says(payer: Client, ledger: Any) -> None:
    busy = User.objects.annotate(made=Count("charges")).latest("made")
    User.objects.filter(pk__in=[busy.pk, busy.pk + 1]).update(name="")
    queries = ("range=12m", f"range=30d&user={busy.username}")
    for sort, query in product(SORTS, queries):
        page = payer.get(f"/dashboard/?{query}&sort={sort}").text
        tables = re.findall(r'<table class="table sums">(.*?)<tfoot', page, re.DOTALL)
        assert len(tables) >= 3
        for table in tables:
            head, *rows = (
                re.findall(r"<t[hd] .*?</t[hd]>", row, re.DOTALL)
                for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
            )
            (at,) = (n for n, cell in enumerate(head) if "aria-sort" in cell)
            values = [shown(row[at]) for row in rows]
            order = str.casefold if sort == "name" else int.__neg__
            assert values == sorted(values, key=order), (query, head[at])


@pytest.mark.parametrize(("kind", "size"), [("project", 1), ("conversation", 6)])
def test_projects_and_conversations_have_pages_and_each_leads_to_its_calls(
    payer: Client,
    ledger: Any,
    authorize: Authorize,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    size: int,
) -> None:
    monkeypatch.setattr(tables, "PAGE", size)
    busy = User.objects.annotate(made=Count("charges")).latest("made")
    assert authorize(NOW, user=busy).capture(exact())
    href, rows, pages = f"/dashboard/?user={busy.username}&sort=calls", [], 0
    while href:
        found = payer.get(href)
        table, pages = found.context[f"{kind}s"], pages + 1
        assert "on other pages" in found.text
        rows += table.rows
        href = found.context[f"{kind}s_paging"]["after"]
    assert pages > 1
    calls = Charge.objects.filter(user=busy, day__gt=TODAY - 30 * DAY)
    assert len(rows) == len(set(calls.values_list(kind, flat=True)))
    assert [row.sums.calls for row in rows] == sorted(
        (row.sums.calls for row in rows), reverse=True
    )
    for row in rows:
        assert payer.get(row.calls_href).context["sums"].calls == row.sums.calls
        assert payer.get(row.href).context["figures"].all.calls == row.sums.calls
    assert f"No {kind}" in {row.name for row in rows}


@pytest.mark.usefixtures("ledger")
def test_addresses_say_the_same_again(payer: Client) -> None:
    query = {"range": "7d", "model": "claude-haiku-4-5", "status": "exact", "purpose": "chat"}
    asked: Filter = payer.get("/dashboard/", query).context["asked"]
    again: Filter = payer.get(asked.link()).context["asked"]
    assert again == asked
    assert asked.period.last == TODAY
