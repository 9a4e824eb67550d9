"""A ledger of made-up calls over the forty days up to a fixed today, at the bundled prices."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from chatapp.dashboard import filters, views
from chatapp.dashboard.demo_data import Maker
from chatapp.dashboard.filters import Filter
from chatapp.dashboard.periods import Period
from chatapp.ledger.models import Charge, Source

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
HAIKU = "claude-haiku-4-5"
Authorize = Callable[..., Charge]


@pytest.fixture(autouse=True)
def real_money(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEMO = False
    monkeypatch.setattr(views, "business_today", lambda: TODAY)


@pytest.fixture
def prices(db: None) -> None:
    call_command("import_prices", verbosity=0)


def make(calls: int, *, people: int = 6, seed: int = 8, source: str = Source.ANTHROPIC) -> Maker:
    maker = Maker(seed=seed, source=source, people=people, shapes=15)
    list(maker.make(calls, Period(TODAY - timedelta(days=39), TODAY), now=NOW))
    return maker


@pytest.fixture
def ledger(prices: None) -> Maker:
    maker = make(400)
    statuses = set(Charge.objects.values_list("status", flat=True))
    assert statuses == {"exact", "estimated", "unknown"}
    return maker


@pytest.fixture
def ask() -> Callable[..., Filter]:
    def parse(**query: str) -> Filter:
        return filters.Filter.parse(query, today=TODAY)

    return parse


@pytest.fixture
def payer(alice: Any) -> Client:
    """alice, who may see what everybody spends."""
    alice.user_permissions.add(Permission.objects.get(codename="view_spend"))
    return signed_in(alice)


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def authorize(prices: None, alice: Any, monkeypatch: pytest.MonkeyPatch) -> Authorize:
    """Opens a call at a moment, as the ledger itself does."""

    def authorize(at: datetime, **fields: Any) -> Charge:
        call = {
            "user": alice,
            "source": Source.ANTHROPIC,
            "purpose": "chat",
            "model": HAIKU,
            "max_tokens": 1000,
            "prompt_tokens": 100,
            "reference": uuid4(),
        }
        with monkeypatch.context() as clock:
            clock.setattr(timezone, "now", lambda: at)
            return Charge.objects.authorize(**call | fields)

    return authorize
