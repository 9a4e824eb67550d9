"""Last week's report as it was known last week: the same on the page and from the command."""

import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from chatapp.accounts.models import User
from chatapp.dashboard.demo_data import Maker
from chatapp.ledger.models import Charge
from chatapp.pricing.usage import Certainty
from tests.dashboard.conftest import NOW, TODAY, make, signed_in

FIRST = TODAY - timedelta(days=29)
AT = NOW + timedelta(hours=1)


@pytest.fixture
def corrected(prices: None) -> None:
    """After AT the final usage of stopped replies arrived: twice the tokens that were counted."""
    make(400)
    for charge in Charge.objects.filter(status="estimated", day__gte=FIRST):
        found = charge.metered()
        usage = {**(found.usage or {}), "output_tokens": 2 * (found.estimated_output or 1)}
        charge.adjust(replace(found, usage=usage, certainty=Certainty.EXACT))


def told(by: str, *until: str) -> list[dict[str, Any]]:
    out = StringIO()
    days = ["--from", str(FIRST), "--to", str(TODAY), "--by", by]
    call_command("spend_report", *days, *until, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.usefixtures("corrected")
@pytest.mark.parametrize("by", ["day", "user", "team", "model", "purpose"])
def test_the_page_says_what_the_command_says(payer: Client, by: str) -> None:
    page = payer.get("/dashboard/earlier/", {"at": AT.isoformat(), "by": by}).context
    then, now = told(by, "--as-of", AT.isoformat()), told(by)
    assert {row.name: (row.calls, row.then_pusd) for row in page["rows"]} == {
        row[by] or "none": (row["calls"], row["cost_pusd"]) for row in then
    }
    assert page["together"].now_pusd == sum(row["cost_pusd"] for row in now)
    assert page["together"].difference_pusd > 0


def test_without_a_moment_it_is_the_end_of_the_last_day(payer: Client, ledger: Maker) -> None:
    page = payer.get(f"/dashboard/earlier/?from={FIRST}&to={TODAY}").context
    assert page["moment"].isoformat().startswith(f"{TODAY}T23:59")
    assert page["together"].difference_pusd == 0
    before = payer.get(f"/dashboard/earlier/?from={FIRST}&to={TODAY}&at={FIRST}T00:00").context
    assert (before["together"].calls, before["together"].then_pusd) == (0, 0)


@pytest.mark.usefixtures("corrected")
@pytest.mark.parametrize("by", ["day", "model", "purpose"])
def test_everybody_has_the_same_of_their_own(payer: Client, by: str) -> None:
    one, other = User.objects.filter(charges__status="exact").distinct()[:2]
    asked = {"at": AT.isoformat(), "by": by, "user": one.username}
    theirs = payer.get("/dashboard/earlier/", asked).context["rows"]
    own = signed_in(one).get("/usage/earlier/", asked | {"user": other.username}).context
    assert own["rows"] == theirs
    assert own["section"] == "usage"


@pytest.mark.parametrize("wrong", ["at=yesterday", "by=mood"])
def test_nonsense_is_refused(payer: Client, wrong: str) -> None:
    assert payer.get(f"/dashboard/earlier/?{wrong}").status_code == 400


def test_only_who_may_see_the_spend(client: Client, bob: User) -> None:
    assert client.get("/dashboard/earlier/").status_code == 302
    assert signed_in(bob).get("/dashboard/earlier/").status_code == 404
    assert client.get("/usage/earlier/").status_code == 302
    assert signed_in(bob).get("/usage/earlier/?by=user").status_code == 400
