"""A counter that no rule knows is given a price in Django admin, and the calls that had it are rated."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from chatapp.dashboard.export import _slice
from chatapp.dashboard.filters import Filter
from chatapp.ledger import checking
from chatapp.ledger.models import Charge, ChargeLine, DailyTotal, UnknownCounter
from chatapp.ledger.notices import unknown_counters
from chatapp.pricing.models import CounterPrice, price_book
from tests.ledger.conftest import UNKNOWN, estimated, exact
from tests.ledger.guards import lifted

Authorize = Callable[..., Charge]
ADD = "/admin/pricing/counterprice/add/"
NAME = "server_tool_use.tool_search_requests"
TOOLS: dict[str, Any] = {"server_tool_use": {"tool_search_requests": 2}}
PLAIN = 406 * 10**6  # pico-USD of a call without them
EACH = 10**10  # pico-USD: $10 for 1,000
BEFORE = timezone.now() - timedelta(days=1)


@pytest.fixture
def browser(client: Client, admin: Any) -> Client:
    client.force_login(admin)
    return client


def form(**edit: Any) -> dict[str, Any]:
    told = {"counter": NAME, "unit_price_pusd": "10", "reason": "announced"}
    return told | {"valid_from": BEFORE.isoformat()} | edit


def record(browser: Client, **edit: Any) -> str:
    """Recorded after what the page warned of was confirmed; the warning."""
    asked = browser.post(ADD, form(**edit)).context["adminform"].form
    assert asked.to_confirm
    assert not CounterPrice.objects.filter(reason=edit.get("reason", "announced")).exists()
    assert browser.post(ADD, form(confirm=asked.to_confirm, **edit)).status_code == 302
    return str(asked.warnings)


def notices(user: Any) -> list[str]:
    request = RequestFactory().get("/")
    request.user = user
    return [notice.text for notice in unknown_counters(request)]


def amounts() -> list[int | None]:
    return list(Charge.objects.order_by("pk").values_list("amount_pusd", flat=True))


def test_a_price_rates_the_calls_that_wait(
    authorize: Authorize, admin: Any, browser: Client
) -> None:
    authorize().capture(exact())
    authorize().capture(exact(**TOOLS))
    authorize().capture(estimated(likely=50, **TOOLS))
    late, lost = authorize(), authorize()
    late.capture(UNKNOWN)
    late.adjust(exact(**TOOLS))
    lost.capture(UNKNOWN)
    authorize().capture(exact("claude-unheard-of", **TOOLS))
    assert amounts() == [PLAIN, PLAIN, 271 * 10**6, PLAIN, None, None]
    assert [NAME in text for text in notices(admin)] == [True]
    before = timezone.now()

    assert "3 calls change, by +$0.06" in record(browser)

    rated = 2 * EACH
    assert amounts() == [PLAIN, PLAIN + rated, 271 * 10**6 + rated, PLAIN + rated, None, None]
    assert notices(admin) == []
    assert checking.check().breaks == []
    assert ChargeLine.objects.as_of(before).total() == 3 * PLAIN + 271 * 10**6
    assert sum(total.amount_pusd for total in DailyTotal.objects.all()) == sum(
        amount or 0 for amount in amounts()
    )
    line = ChargeLine.objects.in_force().filter(kind="counter").first()
    assert line
    assert line.counter_price
    assert (line.quantity, line.amount_pusd, line.counter_price.recorded_by) == (2, rated, admin)
    page = browser.get(f"/dashboard/calls/{line.charge.uuid}/").content.decode()
    assert NAME in page
    # From now on a call has it in its first amount.
    authorize().capture(exact(**TOOLS))
    assert amounts()[-1] == PLAIN + rated
    assert checking.check().breaks == []


def test_the_dashboard_shows_them_as_a_kind_of_their_own(
    authorize: Authorize, browser: Client
) -> None:
    CounterPrice.objects.create(counter=NAME, unit_price_pusd=EACH, valid_from=BEFORE)
    authorize().capture(exact(**TOOLS))
    for days in ("today", "7d"):
        page = browser.get(f"/dashboard/?source=anthropic&by=kind&range={days}").content.decode()
        assert "Other counters" in page
    records, _ = _slice(Filter.parse({"source": "anthropic"}, today=timezone.localdate()), None)
    assert [record["amount_usd"] for record in records] == ["0.020406"]


def test_what_a_later_price_leaves_out_is_still_told(authorize: Authorize, admin: Any) -> None:
    authorize().capture(exact(**TOOLS))
    price = {"counter": NAME, "unit_price_pusd": EACH}
    CounterPrice.objects.create(valid_from=timezone.now(), **price)
    assert notices(admin)
    CounterPrice.objects.create(valid_from=BEFORE, **price)
    assert not notices(admin)


def test_a_price_is_corrected_and_ended_by_another(authorize: Authorize, browser: Client) -> None:
    authorize().capture(exact(**TOOLS))
    record(browser)
    knew = timezone.now()
    record(browser, unit_price_pusd="20", reason="corrected")
    assert amounts() == [PLAIN + 4 * EACH]
    assert "by -$0.04" in record(browser, unit_price_pusd="0", reason="free after all")
    assert amounts() == [PLAIN]
    assert [rate.unit_price_pusd for rate in price_book(knew).counters(timezone.now())] == [EACH]
    assert checking.check().breaks == []


def test_from_the_counter_it_is_one_click_to_its_price(
    authorize: Authorize, browser: Client
) -> None:
    authorize().capture(exact(**TOOLS))
    counter = UnknownCounter.objects.get()
    page = browser.get(f"/admin/ledger/unknowncounter/{counter.pk}/change/").content.decode()
    link = page.split("Give it a price")[0].rpartition('href="')[2].partition('"')[0]
    form = browser.get(link.replace("&amp;", "&")).context["adminform"].form
    assert form["counter"].value() == NAME
    first = counter.charge.authorized_at.replace(microsecond=0)
    assert form["valid_from"].value() == f"{first:%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ({"unit_price_pusd": "NaN"}, "Not a finite number."),
        ({"unit_price_pusd": "1e30"}, "This lies between"),
        ({"unit_price_pusd": "1e31"}, "Far too large"),
        ({"unit_price_pusd": "-1"}, "This lies between"),
        ({"unit_price_pusd": "0.000000000001"}, "Too fine"),
        ({"unit_price_pusd": ""}, "This field is required."),
        ({"counter": "input_tokens"}, "its place among the price versions"),
        ({"counter": 'a"b'}, "Letters, digits"),
        ({"valid_from": "yesterday"}, "Type a time"),
        ({"reason": ""}, "This field is required."),
        ({"confirm": "0123456789abcdef"}, "Look again"),
    ],
)
def test_a_form_that_cannot_be_meant_is_refused(
    browser: Client, edit: dict[str, str], told: str
) -> None:
    response = browser.post(ADD, form(**edit))
    assert response.status_code == 200
    assert told in str(response.context["adminform"].form.errors)
    assert not CounterPrice.objects.exists()


def test_nobody_else_gives_prices(client: Client, alice: Any, admin: Any) -> None:
    alice.is_staff = True
    alice.save()
    client.force_login(alice)
    assert client.post(ADD, form()).status_code == 403
    assert not CounterPrice.objects.exists()
    client.force_login(admin)
    price = CounterPrice.objects.create(counter="x", unit_price_pusd=1, valid_from=BEFORE)
    page = f"/admin/pricing/counterprice/{price.pk}/change/"
    assert client.get(page).status_code == 200
    assert client.post(page, form(unit_price_pusd="9")).status_code == 403
    price.refresh_from_db()
    assert price.unit_price_pusd == 1


@pytest.mark.parametrize(
    ("fields", "law"),
    [
        ({"unit_price_pusd": 10**10 // 2, "quantity": 4}, "price_version_reproduces"),
        ({"counter_price": None}, "price_version_reproduces"),
        ({"multiplier_bp": 5000, "quantity": 4}, "price_version_reproduces"),
    ],
)
def test_a_line_that_its_price_does_not_give_is_found(
    authorize: Authorize, fields: dict[str, Any], law: str
) -> None:
    CounterPrice.objects.create(counter=NAME, unit_price_pusd=EACH, valid_from=BEFORE)
    authorize().capture(exact(**TOOLS))
    with lifted():
        ChargeLine.objects.filter(kind="counter").update(**fields)
        assert [broken.law for broken in checking.check().breaks if "guard" not in broken.law] == [
            law
        ]


def test_a_price_that_had_been_replaced_is_found(authorize: Authorize) -> None:
    price = {"counter": NAME, "valid_from": BEFORE}
    CounterPrice.objects.create(unit_price_pusd=EACH, **price)
    authorize().capture(exact(**TOOLS))
    CounterPrice.objects.create(unit_price_pusd=1, recorded_at=BEFORE, **price)
    assert [broken.law for broken in checking.check().breaks] == []
    CounterPrice.objects.create(
        unit_price_pusd=1, counter=NAME, valid_from=BEFORE + timedelta(hours=1), recorded_at=BEFORE
    )
    assert [broken.law for broken in checking.check().breaks] == ["price_version_was_in_force"]
