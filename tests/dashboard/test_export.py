"""What leaves the house: every call once, the page's totals, and nothing a spreadsheet runs."""

import csv
import json
import tracemalloc
from datetime import datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import AsyncClient

from chatapp.accounts.models import User
from chatapp.dashboard import export, focus
from chatapp.dashboard.filters import Filter
from chatapp.dashboard.spend import Spend
from chatapp.ledger.models import Charge
from chatapp.pricing.money import pusd
from tests.dashboard.conftest import TODAY, make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def calls(transactional_db: None) -> int:
    call_command("import_prices", verbosity=0)
    make(250)
    return 250


@pytest.fixture
def payer_of_calls(calls: int, alice: User) -> User:
    alice.user_permissions.add(Permission.objects.get(codename="view_spend"))
    return alice


async def fetched(user: User, path: str) -> tuple[Any, str]:
    client = AsyncClient()
    await client.aforce_login(user)
    answer = await client.get(path)
    parts = [part.decode() async for part in answer] if answer.streaming else [answer.text]
    return answer, "".join(parts)


@pytest.mark.parametrize(
    "query", ["range=12m", "range=12m&model=claude-haiku-4-5", "status=estimated", "range=today"]
)
async def test_csv_adds_up_to_the_page(
    payer_of_calls: User, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "SLICE", 40)
    answer, text = await fetched(payer_of_calls, f"/dashboard/export.csv?{query}")
    rows = list(csv.DictReader(StringIO(text)))
    asked = Filter.parse(dict(part.split("=") for part in query.split("&")), today=TODAY)
    every = await sync_to_async(lambda: Spend(asked).all)()
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert len(rows) == len({row["call"] for row in rows}) == every.calls
    assert sum(pusd(row["amount_usd"] or "0") for row in rows) == every.amount_pusd
    for name in export.QUANTITY.values():
        assert sum(int(row[name] or 0) for row in rows) == getattr(every, name)
    for row in rows:
        assert datetime.fromisoformat(row["time_utc"]).utcoffset().total_seconds() == 0  # type: ignore[union-attr]


async def test_json_says_the_same(payer_of_calls: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "SLICE", 40)
    _, text = await fetched(payer_of_calls, "/dashboard/export.json?range=12m")
    told = json.loads(text)
    assert told["totals"]["calls"] == len(told["calls"]) == 250
    amounts = [Decimal(call["amount_usd"]) for call in told["calls"] if call["amount_usd"]]
    assert sum(amounts) == Decimal(told["totals"]["amount_usd"])


async def test_an_empty_export_is_whole(alice: User) -> None:
    answer, text = await fetched(alice, "/usage/export.csv")
    assert answer.status_code == 200
    assert text.strip() == ",".join(export.COLUMNS)
    assert json.loads((await fetched(alice, "/usage/export.json"))[1])["calls"] == []


async def test_one_persons_export_is_theirs(calls: int) -> None:
    user = await User.objects.filter(charges__isnull=False).afirst()
    assert user
    _, text = await fetched(user, "/usage/export.csv?range=12m&user=admin")
    assert {row["person"] for row in csv.DictReader(StringIO(text))} == {user.username}


async def test_nonsense_is_refused(payer_of_calls: User) -> None:
    answer, text = await fetched(payer_of_calls, "/dashboard/export.csv?from=2026-02-30")
    assert answer.status_code == 400
    assert "“from” is a day" in text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
async def test_a_spreadsheet_runs_nothing(payer_of_calls: User, text: str) -> None:
    await User.objects.filter(charges__isnull=False).aupdate(name=text)
    _, csv_text = await fetched(payer_of_calls, "/dashboard/export.csv?range=12m")
    names = {row["name"] for row in csv.DictReader(StringIO(csv_text))}
    assert names == {f"'{text}"}


async def test_memory_does_not_grow_with_the_calls(
    payer_of_calls: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "SLICE", 20)
    asked = Filter.parse({"range": "12m"}, today=TODAY)
    peaks = []
    async for _ in export.csv_lines(asked):
        peaks.append(tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else 0)
        if len(peaks) == 2:
            tracemalloc.start()
    tracemalloc.stop()
    assert len(peaks) == 2 + -(-(await Charge.objects.acount() - export.FIRST) // 20)
    assert max(peaks[-3:]) < 1_000_000


@pytest.mark.parametrize("query", ["range=12m", "range=12m&status=estimated", "range=7d&by=user"])
async def test_focus_adds_up_to_the_page(
    payer_of_calls: User, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(focus, "SLICE", 40)
    answer, text = await fetched(payer_of_calls, f"/dashboard/focus.csv?{query}")
    rows = list(csv.DictReader(StringIO(text)))
    asked = Filter.parse(dict(part.split("=") for part in query.split("&")), today=TODAY)
    every = await sync_to_async(lambda: Spend(asked).all)()
    assert "focus-2" in answer["Content-Disposition"]
    assert sum(pusd(row["BilledCost"]) for row in rows) == every.amount_pusd
    tokens = [Decimal(row["ConsumedQuantity"]) for row in rows if row["ConsumedUnit"] == "Tokens"]
    assert sum(tokens) == every.tokens
    for row in rows:
        assert Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"]) == Decimal(
            row["ListCost"]
        )
        assert row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["ChargePeriodEnd"]
        assert row["ChargePeriodStart"][:13] == row["x_TimeUtc"][:13]


async def test_each_persons_focus_is_theirs(calls: int) -> None:
    user = await User.objects.filter(charges__isnull=False).afirst()
    assert user
    _, text = await fetched(user, "/usage/focus.csv?range=12m")
    assert {json.loads(row["Tags"])["person"] for row in csv.DictReader(StringIO(text))} == {
        user.username
    }
