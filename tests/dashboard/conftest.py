"""A ledger of made-up calls over the forty days up to a fixed today, at the bundled prices."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from chatapp.accounts.models import Team
from chatapp.dashboard import filters, views
from chatapp.dashboard.demo_data import Maker
from chatapp.dashboard.filters import Filter
from chatapp.dashboard.periods import Period
from chatapp.ledger.models import Charge, Source
from chatapp.ledger.rerating import LedgerRepricer
from chatapp.pricing.models import CounterPrice, price_book
from chatapp.pricing.usage import Certainty, Metered
from tests.conftest import person
from tests.ledger.conftest import UNKNOWN, estimated, exact, price_version

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
HAIKU, OPUS = "claude-haiku-4-5", "claude-opus-4-8"
# Whose prompts over 200,000 tokens still had a price of their own then.
SONNET, APRIL = "claude-sonnet-4-5", datetime(2026, 4, 20, 12, tzinfo=UTC)
PROJECT, TALK = UUID(int=1), UUID(int=2)
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


@pytest.fixture
def hard(authorize: Authorize, alice: Any, admin: Any) -> None:
    """About a dozen calls with every kind of line, multiplier and correction, by two people."""
    alice.team = Team.objects.create(name="Hard")
    alice.save()
    bob = person("robert")
    CounterPrice.objects.create(
        counter="server_tool_use.tool_search_requests",
        unit_price_pusd=10**10,
        valid_from=APRIL,
        reason="announced",
    )

    def call(hours: float, metered: Metered, **fields: Any) -> Charge:
        charge = authorize(NOW - timedelta(hours=hours), **fields)
        assert charge.capture(metered)
        return charge

    cached = {"cache_read_input_tokens": 5000}
    written = {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 2000}
    advice = {"type": "advisor_message", "model": OPUS, "input_tokens": 70, "output_tokens": 9}
    asked = {"type": "message", "input_tokens": 21, "output_tokens": 7, **cached}
    tools = {"web_search_requests": 3, "tool_search_requests": 2}
    here = {"conversation": TALK, "project": PROJECT}
    call(1, exact(OPUS, inference_geo="us", **cached), model=OPUS, **here)
    call(2, exact(service_tier="batch", **cached), user=bob)
    call(2.2, exact(OPUS, service_tier="batch", inference_geo="us"), model=OPUS, user=bob)
    call(30, exact(cache_creation=written, cache_creation_input_tokens=2300), **here)
    authorize(APRIL, model=SONNET, prompt_tokens=300_000).capture(
        exact(SONNET, input_tokens=250_000, cache_read_input_tokens=20_000)
    )
    call(3, exact(server_tool_use=tools, service_tier="priority"), web_searches=5)
    call(28, exact(iterations=[asked, advice, asked], **cached), user=bob)
    call(4, exact("claude-not-on-the-list", **cached), **here)
    call(4.1, UNKNOWN, **here)
    declined = {"stop_reason": "refusal", "stop_details": {"category": "bio"}}
    free = {"input_tokens": 50, "output_tokens": 0, **cached}
    call(5, Metered(HAIKU, free, declined, Certainty.EXACT), purpose="title")
    stopped = call(29, estimated(likely=300, **cached), user=bob)
    assert stopped.adjust(exact(output_tokens=250, **cached))
    call(6, estimated(likely=90, inference_geo="not_available"), purpose="title")
    call(700, exact(OPUS, **cached), model=OPUS)
    since = NOW - timedelta(days=60)
    price_version(OPUS, dollars=7, valid_from=since)
    moved = LedgerRepricer().apply(price_book(), since=since, model=OPUS, note="dearer", by=admin)
    assert moved.calls == 4
