"""A price that reaches into the past, from the admin's form to the ledger's adjustments."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from chatapp.ledger.models import Charge
from chatapp.pricing.importing import import_prices
from chatapp.pricing.models import Model
from chatapp.pricing.usage import Certainty, Metered
from tests.pricing.test_admin import ADD, HAIKU, form

pytestmark = pytest.mark.django_db
PAST = datetime.now(UTC) - timedelta(hours=1)


def call(user: Any, served: str = HAIKU) -> Charge:
    """A call of 21 tokens in and 77 out, captured a moment ago."""
    charge = Charge.objects.authorize(
        user=user,
        source="anthropic",
        purpose="chat",
        model=HAIKU,
        max_tokens=100,
        prompt_tokens=100,
        reference=uuid.uuid4(),
    )
    usage = {"input_tokens": 21, "output_tokens": 77}
    response = {"stop_reason": "end_turn", "stop_details": None, "content": []}
    charge.capture(Metered(served, usage, response, Certainty.EXACT))
    charge.refresh_from_db()
    return charge


def test_the_preview_is_what_then_happens(client: Client, admin: Any, alice: Any) -> None:
    import_prices()
    client.force_login(admin)
    charge = call(alice)
    assert charge.amount_pusd == 406_000_000
    past = form(valid_from=PAST.isoformat())
    asked = client.post(ADD, past)
    # A tenth dearer: 10 % of $0.000406.
    assert "1 call changes, by +$0.0000406 in all" in asked.content.decode()
    charge.refresh_from_db()
    assert charge.amount_pusd == 406_000_000
    assert not charge.adjustments.exists()
    token = asked.context["inline_admin_formsets"][0].formset.to_confirm
    assert client.post(ADD, past | {"confirm": token}).status_code == 302
    charge.refresh_from_db()
    assert charge.amount_pusd == 446_600_000
    [adjustment] = charge.adjustments.all()
    assert adjustment.recorded_by == admin
    assert "announced" in adjustment.note
    assert sum(line.amount_pusd for line in charge.lines.all()) == 446_600_000


def test_a_call_under_an_unknown_name_is_priced_once_the_name_is_known(
    client: Client, admin: Any, alice: Any
) -> None:
    import_prices()
    client.force_login(admin)
    charge = call(alice, served="claude-haiku-next")
    assert (charge.status, charge.amount_pusd) == ("unpriced", None)
    haiku = Model.objects.get(pk=HAIKU)
    data = {
        "name": haiku.name,
        "aliases": "claude-haiku-next",
        "offered": "on",
        "launched": "2025-10-15",
        "context_window": "200000",
        "max_output": "64000",
    }
    assert client.post(f"/admin/pricing/model/{HAIKU}/change/", data).status_code == 302
    charge.refresh_from_db()
    assert (charge.status, charge.amount_pusd) == ("exact", 406_000_000)
