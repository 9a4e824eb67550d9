"""The ledger against a vendor's report: zero on clean data, and every seeded difference named."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from html import unescape
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from chatapp.claude import analytics
from chatapp.claude.connection import import_sdk
from chatapp.dashboard.models import Reconciliation
from chatapp.ledger.models import Charge
from chatapp.pricing.money import PUSD
from chatapp.pricing.usage import Certainty, Metered
from tests.analytics_vendor import AnalyticsVendor, Billed

# While a long prompt still had a price of its own.
NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
HAIKU, SONNET, LONG = "claude-haiku-4-5", "claude-sonnet-4-6", "claude-sonnet-4-5"
FIRST, LAST = date(2026, 4, 10), date(2026, 4, 19)


@pytest.fixture(scope="module", autouse=True)
def sdk() -> None:
    """Imported before a test's transaction begins: PostgreSQL ends one that idles for 8 s."""
    import_sdk()


@pytest.fixture
def vendor(settings: Any) -> Iterator[AnalyticsVendor]:
    with AnalyticsVendor() as vendor:
        settings.ANTHROPIC_BASE_URL = vendor.url
        settings.ANTHROPIC_ADMIN_KEY = "sk-ant-admin-test"
        settings.ANTHROPIC_API_KEY_ID = "apikey_ours"
        yield vendor


Call = Callable[..., Billed]


@pytest.fixture
def call(
    prices: None, alice: Any, vendor: AnalyticsVendor, monkeypatch: pytest.MonkeyPatch
) -> Call:
    """Makes one call: in the ledger, and as the vendor's bill should have it."""

    def make(day: int, model: str = HAIKU, *, likely: int = 0, **usage: Any) -> Billed:
        at = datetime(2026, 4, day, 23, 30, tzinfo=UTC)
        usage = {"input_tokens": 1000 + day, "output_tokens": 77, **usage}
        monkeypatch.setattr(timezone, "now", lambda: at)
        charge = Charge.objects.authorize(
            user=alice,
            source="anthropic",
            purpose="chat",
            model=model,
            max_tokens=1000,
            prompt_tokens=400_000,
            reference=uuid4(),
            web_searches=5,
        )
        metered = Metered(model, usage, {"stop_reason": "end_turn"}, Certainty.EXACT)
        if likely:
            reported = usage | {"output_tokens": 1}
            metered = Metered(model, reported, {}, Certainty.ESTIMATED, likely, 1)
        charge.capture(metered)
        monkeypatch.setattr(timezone, "now", lambda: NOW)
        billed = Billed(at, model, usage)
        vendor.bill.append(billed)
        return billed

    for day in range(10, 20, 3):
        make(day)
        make(day, SONNET, inference_geo="us", cache_read_input_tokens=5000)
    make(
        12,
        SONNET,
        cache_creation={"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 200},
        cache_creation_input_tokens=500,
        server_tool_use={"web_search_requests": 2},
    )
    make(13, LONG, input_tokens=250_000)
    make(14, f"{HAIKU}-20251001")
    vendor.bill[-1].model = HAIKU
    return make


def compare() -> Reconciliation:
    said = StringIO()
    try:
        call_command("reconcile", f"--from={FIRST}", f"--to={LAST}", stdout=said)
        agreed = True
    except CommandError:
        agreed = False
    found = Reconciliation.objects.latest("id")
    assert agreed == found.agrees == ("They agree" in said.getvalue())
    return found


def test_clean_data_has_no_difference(call: Call, vendor: AnalyticsVendor) -> None:
    vendor.discount = Fraction(9, 10)
    found = compare()
    assert (found.agrees, found.difference_pusd, found.findings) == (True, 0, [])
    assert found.calls == len(vendor.bill) == 11
    total = sum((sum(b.dollars().values()) for b in vendor.bill), Fraction(0))
    assert found.ledger_pusd == total * PUSD
    assert found.billed_pusd == total * PUSD * 9 / 10
    assert len(vendor.asked) > 6  # pages were turned


def missing_call(bill: list[Billed], call: Call) -> None:
    bill.append(replace(bill[0]))


def wrong_tier(bill: list[Billed], call: Call) -> None:
    next(billed for billed in bill if billed.model == LONG).samplings = 2


def stopped_reply(bill: list[Billed], call: Call) -> None:
    call(15, likely=40, output_tokens=300)


def web_fee(bill: list[Billed], call: Call) -> None:
    searched = next(billed for billed in bill if billed.searches)
    searched.usage = searched.usage | {"server_tool_use": {"web_search_requests": 3}}


def other_key(bill: list[Billed], call: Call) -> None:
    bill.append(replace(bill[0], key="apikey_theirs"))


def wrong_day(bill: list[Billed], call: Call) -> None:
    late = call(16, "claude-opus-4-7")
    late.at += timedelta(hours=1)


def batch(bill: list[Billed], call: Call) -> None:
    cheap = call(17, "claude-opus-4-5")
    cheap.usage = cheap.usage | {"service_tier": "batch"}


def region(bill: list[Billed], call: Call) -> None:
    abroad = call(18, "claude-opus-4-6")
    abroad.usage = abroad.usage | {"inference_geo": "us"}


# What differs, each by the ledger's count and the vendor's; else a whole call.
KINDS = {"stopped_reply": {"output": (40, 300)}, "web_fee": {"web_search": (2, 3)}, "other_key": {}}
WHOLE = {"requests", "input", "output"}
SEEDS = [missing_call, wrong_tier, stopped_reply, web_fee, other_key, wrong_day, batch, region]


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.__name__)
def test_each_difference_has_its_name(
    seed: Callable[..., None], call: Call, vendor: AnalyticsVendor
) -> None:
    seed(vendor.bill, call)
    found = compare()
    assert [finding.name for finding in found.found] == [seed.__name__]
    aside = seed is other_key
    assert found.agrees == aside
    assert found.found[0].pusd == found.difference_pusd or aside
    kinds = {kind: (ours, theirs) for kind, (ours, _, theirs, _) in found.found[0].kinds.items()}
    assert kinds == KINDS.get(seed.__name__, kinds)
    assert seed.__name__ in KINDS or set(kinds) == WHOLE
    assert all(ours != theirs for ours, theirs in kinds.values())


def test_all_at_once(call: Call, vendor: AnalyticsVendor, payer: Client) -> None:
    for seed in SEEDS:
        seed(vendor.bill, call)
    found = compare()
    assert {finding.name for finding in found.found} == {seed.__name__ for seed in SEEDS}
    assert len(found.found) == len(SEEDS)
    between = sum(finding.pusd for finding in found.found if not finding.aside)
    assert between == found.difference_pusd
    page = unescape(payer.get("/dashboard/reconciliation/").text)
    assert all(finding.words in page for finding in found.found)
    assert "Output: 40 in the ledger, 300 at Anthropic" in page
    assert "Web search: 2 in the ledger, 3 at Anthropic" in page


def test_what_only_the_ledger_has_and_what_it_does_not_know(
    call: Call, vendor: AnalyticsVendor
) -> None:
    del vendor.bill[0]
    Charge.objects.authorize(
        user=Charge.objects.all()[0].user,
        source="demo",
        purpose="chat",
        model=HAIKU,
        max_tokens=10,
        prompt_tokens=10,
        reference=uuid4(),
    ).capture(Metered(HAIKU, {"input_tokens": 1, "output_tokens": 1}, {}, Certainty.EXACT))
    (finding,) = compare().found
    assert (finding.name, finding.requests) == ("not_billed", -1)


def test_another_price_for_the_same_tokens(call: Call, vendor: AnalyticsVendor) -> None:
    billed = vendor.bill[0]
    dearer = {part: 2 * dollars for part, dollars in billed.dollars().items()}
    billed.dollars = lambda: dearer  # type: ignore[method-assign]
    (finding,) = compare().found
    assert (finding.name, finding.tokens) == ("price", 0)
    assert set(finding.kinds) == {"input", "output"}
    for ours, paid, theirs, billed in finding.kinds.values():
        assert (theirs, billed) == (ours, 2 * paid)


def test_a_long_range_is_asked_for_in_31_days(call: Call, vendor: AnalyticsVendor) -> None:
    call_command("reconcile", "--from=2026-01-03", f"--to={LAST}", stdout=StringIO())
    usage = [asked for asked in vendor.asked if asked["report"] == "usage"]
    starts = sorted(
        {(asked["start"].date(), (asked["end"] - asked["start"]).days) for asked in usage}
    )
    assert starts == [
        (date(2026, 1, 3), 31),
        (date(2026, 2, 3), 31),
        (date(2026, 3, 6), 31),
        (date(2026, 4, 6), 14),
    ]


def test_it_says_what_it_lacks(call: Call, vendor: AnalyticsVendor, settings: Any) -> None:
    days = (f"--from={FIRST}", f"--to={LAST}")
    settings.ANTHROPIC_ADMIN_KEY = "sk-ant-api-plain"
    with pytest.raises(CommandError, match="does not accept"):
        call_command("reconcile", *days)
    settings.ANTHROPIC_ADMIN_KEY = ""
    with pytest.raises(CommandError, match="Set ANTHROPIC_ADMIN_KEY"):
        call_command("reconcile", *days)
    with pytest.raises(CommandError, match="past days"):
        call_command("reconcile", f"--from={FIRST}", f"--to={NOW.date()}")
    assert not Reconciliation.objects.exists()


def test_fractional_cents_are_exact() -> None:
    assert analytics.pusd("0.0000000001") == 1
    assert analytics.pusd("123456789.0123456789") == 1234567890123456789


def test_the_page(call: Call, vendor: AnalyticsVendor, payer: Client, bob: Any) -> None:
    page = "/dashboard/reconciliation/"
    assert "Nothing has been compared yet" in payer.get(page).text
    compare()
    assert "They agree" in payer.get(page).text
    missing_call(vendor.bill, call)
    made = compare()
    text = payer.get(page).text
    assert "Anthropic counts calls that the ledger does not have" in text
    assert "They differ" in text
    assert payer.get(f"{page}{made.pk}/").status_code == 200
    stranger = Client()
    stranger.force_login(bob)
    assert stranger.get(page).status_code == 404
    assert Client().get(page).status_code == 302
