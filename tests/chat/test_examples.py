"""Every worked example over the wire: fake vendor, SDK, engine and ledger come to the pico-USD."""

from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from chatapp.chat.conversation import post
from chatapp.chat.models import Generation
from chatapp.chat.running import engine
from chatapp.ledger import queries
from chatapp.ledger.models import Charge, State, Status
from chatapp.ledger.rating import ABOVE_HOLD
from chatapp.pricing import importing, money
from chatapp.pricing.cost import Cost
from chatapp.web.database import db
from tests.chat.conftest import ask, eventually
from tests.pricing.examples import STREAMS, VECTORS, by_kind
from tests.vendor_script import reporting


@pytest.fixture
def prices(db: None) -> None:
    importing.import_prices()


class Clock:
    """The time of a vector, where the ledger asks for the time of an authorization."""

    get_default_timezone = staticmethod(timezone.get_default_timezone)
    localdate = staticmethod(timezone.localdate)

    def __init__(self, at: str) -> None:
        self.at = datetime.fromisoformat(at)

    def now(self) -> datetime:
        return self.at


def asked(alice: Any) -> Generation:
    return post(alice, ask("Hello", model="claude-haiku-4-5")).generation


async def captured(generation: Generation) -> Charge:
    engine.wake(generation.id)
    charge = Charge.objects.filter(reference=generation.id, state=State.CAPTURED)
    return await eventually(charge.afirst)


@pytest.mark.usefixtures("running")
async def test_usages_are_charged_as_they_are_priced(
    alice: Any, upstream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for vector in VECTORS:
        response = vector.get("response")
        upstream.reply_with(reporting(vector["usage"], model=vector["model"], response=response))
        monkeypatch.setattr(queries, "timezone", Clock(vector["at"]))
        charge = await captured(await db(asked, alice))
        lines = await db(lambda c=charge: list(c.lines.all()))
        assert charge.amount_pusd == vector["expected_pusd"], vector["name"]
        priced = Status.UNPRICED if vector["expected_pusd"] is None else Status.EXACT
        assert charge.status == priced, vector["name"]
        flags = [flag for flag in charge.flags if flag != ABOVE_HOLD]
        assert flags == vector.get("flags", []), vector["name"]
        iterated = bool(vector["usage"].get("iterations"))
        cost = Cost(charge.amount_pusd, tuple(lines), ())
        assert by_kind(cost, iterated=iterated) == vector["lines"], vector["name"]


@pytest.mark.usefixtures("running")
async def test_streams_are_charged_as_they_are_priced(
    alice: Any, upstream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for vector in STREAMS:
        upstream.reply_with(vector["events"])
        monkeypatch.setattr(queries, "timezone", Clock(vector["at"]))
        charge = await captured(await db(asked, alice))
        name = vector["name"]
        assert (charge.status, charge.model) == (vector["status"], vector["model"]), name
        assert charge.usage == vector["merged_usage"], name
        assert usd(charge.low_pusd) == vector["lower_usd"], name
        assert usd(charge.high_pusd) == vector["upper_usd"], name
        if charge.status == Status.EXACT:
            assert usd(charge.amount_pusd) == vector["expected_usd"], name
        else:
            assert charge.low_pusd <= charge.amount_pusd <= charge.high_pusd, name


def usd(pusd: int | None) -> str | None:
    return None if pusd is None else money.exact(pusd)
