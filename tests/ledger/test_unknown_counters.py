"""A counter nobody has a price for is never silent: it is kept, and told to who looks after money."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from chatapp.ledger.models import Charge, Status, UnknownCounter
from chatapp.ledger.notices import unknown_counters as told
from chatapp.pricing.counters import unknown_counters
from tests.ledger.conftest import UNKNOWN, exact
from tests.pricing.examples import VECTORS

NOVEL = {
    "future_tokens": 7,
    "nothing_tokens": 0,
    "speed": "standard",
    "server_tool_use": {"web_search_requests": 1, "tool_search_requests": 2},
    "cache_creation": {"ephemeral_24h_input_tokens": 5, "ephemeral_5m_input_tokens": 3},
    "iterations": [{"type": "message", "dream_tokens": 1, "input_tokens": 4}, "odd"],
    "cached": True,
}
NAMES = [
    "future_tokens",
    "server_tool_use.tool_search_requests",
    "cache_creation.ephemeral_24h_input_tokens",
    "dream_tokens",
]


def test_what_is_unknown_is_named() -> None:
    assert unknown_counters(NOVEL) == NAMES
    assert unknown_counters(None) == []


def test_the_worked_examples_hold_none_but_the_two() -> None:
    found = {vector["name"]: unknown_counters(vector["usage"]) for vector in VECTORS}
    assert {name: counters for name, counters in found.items() if counters} == {
        "unknown_counters_ignored": ["future_counter", "server_tool_use.tool_search_requests"]
    }


def notices(user: Any) -> list[str]:
    request = RequestFactory().get("/")
    request.user = user
    return [notice.text for notice in told(request)]


def test_admins_are_told_until_one_says_it_is_harmless(
    authorize: Callable[..., Charge], admin: Any, alice: Any, client: Client
) -> None:
    for _ in range(2):
        charge = authorize()
        assert charge.capture(exact(future_tokens=7))
        assert (charge.status, charge.amount_pusd, charge.flags) == (Status.EXACT, 406 * 10**6, [])
    (counter,) = UnknownCounter.objects.all()
    assert counter.name == "future_tokens"
    assert ["“future_tokens”" in text for text in notices(admin)] == [True]
    assert notices(alice) == notices(AnonymousUser()) == []
    client.force_login(admin)
    assert "future_tokens" in client.get("/dashboard/").content.decode()
    page = f"/admin/ledger/unknowncounter/{counter.pk}/change/"
    assert client.get(page).status_code == 200
    assert client.post(page, {"harmless": "on"}).status_code == 302
    assert notices(admin) == []


@pytest.mark.parametrize("source", ["anthropic", "demo"])
def test_late_evidence_is_read_too_and_a_demonstration_is_not_told(
    authorize: Callable[..., Charge], admin: Any, source: str
) -> None:
    charge = authorize(source=source)
    charge.capture(UNKNOWN)
    assert charge.adjust(exact(server_tool_use={"dream_requests": 1}))
    assert UnknownCounter.objects.get().name == "server_tool_use.dream_requests"
    assert bool(notices(admin)) == (source == "anthropic")


def test_a_name_of_any_length_is_kept_as_far_as_it_fits(authorize: Callable[..., Charge]) -> None:
    assert authorize().capture(exact(**{"x" * 1000: 7}))
    assert UnknownCounter.objects.get().name == "x" * 200
