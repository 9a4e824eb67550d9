"""Prices in Django admin: added and cancelled, never changed, and no slip gets through."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from chatapp.pricing import repricing
from chatapp.pricing.importing import import_prices
from chatapp.pricing.models import Model, PriceTier, PriceVersion, price_book
from chatapp.pricing.segments import TOKEN_KINDS

pytestmark = pytest.mark.django_db
HAIKU = "claude-haiku-4-5"
ADD = "/admin/pricing/priceversion/add/"
SOON = datetime.now(UTC) + timedelta(days=1)
BEFORE = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture(autouse=True)
def prices(db: None) -> None:
    import_prices()


@pytest.fixture
def browser(client: Client, admin: Any) -> Client:
    client.force_login(admin)
    return client


def form(**edit: Any) -> dict[str, Any]:
    """A new price of Haiku 4.5 from tomorrow on, a tenth dearer."""
    return {
        "model": HAIKU,
        "speed": "standard",
        "valid_from": SOON.isoformat(),
        "available": "on",
        "batch_bp": "0.5",
        "geo_us_bp": "",
        "web_search_pusd": "10",
        "reason": "announced",
        "source": "",
        "tiers-TOTAL_FORMS": "1",
        "tiers-INITIAL_FORMS": "0",
        "tiers-0-over": "0",
        "tiers-0-input": "1.1",
        "tiers-0-cache_write_5m": "1.375",
        "tiers-0-cache_write_1h": "2.2",
        "tiers-0-cache_read": "0.11",
        "tiers-0-output": "5.5",
    } | edit


def errors(response: Any) -> str:
    formset = response.context["inline_admin_formsets"][0].formset
    return str([response.context["errors"], formset.non_form_errors()])


def haiku(at: datetime) -> Any:
    version = price_book().version(HAIKU, "standard", at)
    assert version is not None
    return version


def test_a_scheduled_price_holds_from_its_time_on(browser: Client, admin: Any) -> None:
    response = browser.post(ADD, form())
    assert response.status_code == 302, errors(response)
    assert haiku(SOON - timedelta(seconds=1)).tiers[0].input == 1_000_000
    assert haiku(SOON).tiers[0].rates == (1_100_000, 1_375_000, 2_200_000, 110_000, 5_500_000)
    version = PriceVersion.objects.get(pk=haiku(SOON).id)
    assert (version.recorded_by, version.reason) == (admin, "announced")
    assert (version.batch_bp, version.web_search_pusd) == (5_000, 10**10)
    assert abs(version.recorded_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_without_a_time_a_price_holds_from_now_on(browser: Client) -> None:
    before = haiku(datetime.now(UTC))
    asked = browser.post(ADD, form(valid_from="", **{"tiers-0-output": "12"}))
    confirm = asked.context["inline_admin_formsets"][0].formset.to_confirm
    time.sleep(1)  # who reads the warning comes back later, and means the same
    data = form(valid_from="", confirm=confirm, **{"tiers-0-output": "12"})
    response = browser.post(ADD, data)
    assert response.status_code == 302, errors(response)
    now = datetime.now(UTC)
    assert haiku(now - timedelta(minutes=1)) == before
    assert haiku(now + timedelta(seconds=2)).tiers[0].output == 12_000_000


def test_a_new_version_begins_as_the_one_it_is_made_from(browser: Client) -> None:
    tiered = price_book().version("claude-haiku-5-5", "standard", datetime.now(UTC))
    assert tiered is not None
    page = browser.get(f"{ADD}?from={tiered.id}").content.decode()
    assert 'value="claude-haiku-5-5" selected' in page
    assert 'name="tiers-TOTAL_FORMS" value="2"' in page
    for name, value in {
        "tiers-0-input": "0.1",
        "tiers-1-over": "100000",
        "tiers-1-cache_write_5m": "0.625",
        "batch_bp": "0.5",
        "geo_us_bp": "1.1",
        "web_search_pusd": "10",
    }.items():
        assert f'name="{name}" value="{value}"' in page
    rows = {}
    for index, tier in enumerate(PriceTier.objects.filter(version=tiered.id)):
        rows[f"tiers-{index}-over"] = tier.over
        rows |= {f"tiers-{index}-{kind}": getattr(tier, kind) / 10**6 for kind in TOKEN_KINDS}
    data = form(model="claude-haiku-5-5", geo_us_bp="1.1", **rows) | {"tiers-TOTAL_FORMS": "2"}
    response = browser.post(f"{ADD}?from={tiered.id}", data)
    assert response.status_code == 302, errors(response)
    copy = price_book().version("claude-haiku-5-5", "standard", SOON)
    assert copy is not None
    assert copy.tiers == tiered.tiers
    assert copy.id != tiered.id


@pytest.mark.parametrize("pk", ["0", "x", "99999999", "²", "9" * 40])
def test_an_unknown_origin_is_an_empty_form(browser: Client, pk: str) -> None:
    assert browser.get(ADD, {"from": pk}).status_code == 200


@pytest.mark.parametrize(
    "value",
    ["NaN", "inf", "-inf", "-1", "1e30", "1e999999999", "0.123456789012", "x", "1,5", "9" * 60],
)
def test_no_such_price(browser: Client, value: str) -> None:
    fields = [f"tiers-0-{kind}" for kind in TOKEN_KINDS] + ["web_search_pusd"]
    response = browser.post(ADD, form(**dict.fromkeys(fields, value)))
    assert response.status_code == 200
    [inline] = response.context["inline_admin_formsets"]
    assert set(inline.formset.errors[0]) >= {"input", "cache_write_1h", "cache_read", "output"}
    assert "web_search_pusd" in response.context["adminform"].form.errors
    assert PriceVersion.objects.count() == 34


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ({"batch_bp": "1.5"}, "between 0.0001 and 1"),
        ({"batch_bp": "0.33333"}, "Too fine"),
        ({"batch_bp": "NaN"}, "finite"),
        ({"geo_us_bp": "0.9"}, "between 1 and 10"),
        ({"tiers-0-input": "1.000001", "batch_bp": "0.55"}, "fraction of a pico-USD"),
        ({"tiers-0-cache_read": "1.2"}, "at most what input"),
        ({"tiers-0-cache_write_5m": "1"}, "at least what input"),
        ({"tiers-0-cache_write_1h": "1.3"}, "at least one for 5 min"),
        ({"tiers-0-over": "5"}, "start at 0"),
        ({"tiers-0-over": "-5"}, "greater than or equal to 0"),
        ({"tiers-TOTAL_FORMS": "0"}, "needs the rates"),
        ({f"tiers-0-{kind}": "" for kind in TOKEN_KINDS}, "needs the rates"),
        ({"tiers-0-output": ""}, "required"),
        ({"valid_from": "tomorrow"}, "Type a time"),
        ({"valid_from": "0001-01-01T00:00+14:00"}, "Type a time"),
        ({"valid_from": "2024-01-01"}, "was launched on 2025-10-15"),
        ({"model": "nobody"}, "valid choice"),
        ({"speed": "warp"}, "valid choice"),
        ({"reason": ""}, "required"),
    ],
)
def test_no_such_version(browser: Client, edit: dict[str, str], told: str) -> None:
    response = browser.post(ADD, form(**edit))
    assert response.status_code == 200
    assert told in response.content.decode()
    assert PriceVersion.objects.count() == 34


def test_a_leap_is_asked_again_and_the_answer_is_for_these_prices_only(browser: Client) -> None:
    dear = form(**{"tiers-0-output": "8"})
    asked = browser.post(ADD, dear)
    assert "Output goes from $5 to $8." in asked.content.decode()
    assert "Input goes" not in asked.content.decode()
    token = asked.context["inline_admin_formsets"][0].formset.to_confirm
    other = browser.post(ADD, dear | {"tiers-0-output": "80", "confirm": token})
    assert "Output goes from $5 to $80." in other.content.decode()
    assert PriceVersion.objects.count() == 34
    assert browser.post(ADD, dear | {"confirm": token}).status_code == 302
    assert haiku(SOON).tiers[0].output == 8_000_000


@pytest.mark.parametrize(("output", "asks"), [("7.5", False), ("2.5", False), ("2.4", True)])
def test_half_is_no_leap_and_more_is(browser: Client, output: str, asks: bool) -> None:
    response = browser.post(ADD, form(**{"tiers-0-output": output}))
    assert (response.status_code == 200) == asks


def test_a_price_from_the_past_is_previewed_and_then_rated(
    browser: Client, admin: Any, monkeypatch: Any
) -> None:
    done: list[Any] = []

    class Ledger(repricing.Nobody):
        def preview(
            self, book: Any, *, since: datetime, model: str = "", counter: str = ""
        ) -> repricing.Effect:
            tier = book.version(model, "standard", since).tiers[0]
            return repricing.Effect(1_204, (tier.input - 1_000_000) * 31_100_000, 3)

        def apply(self, book: Any, **details: Any) -> repricing.Effect:
            done.append((book.version(HAIKU, "standard", BEFORE).tiers[0].input, details))
            return repricing.Effect(1_204, 3_110_000_000_000, 3)

    monkeypatch.setattr(repricing, "_repricer", Ledger())
    past = form(valid_from=BEFORE.isoformat())
    asked = browser.post(ADD, past)
    assert "1,204 calls change, by +$3.11 in all" in asked.content.decode().replace("&#x2B;", "+")
    assert not done
    assert PriceVersion.objects.count() == 34
    token = asked.context["inline_admin_formsets"][0].formset.to_confirm
    assert browser.post(ADD, past | {"confirm": token}).status_code == 302
    [(rate, details)] = done
    assert rate == 1_100_000
    what = {"model": HAIKU, "counter": "", "since": BEFORE}
    assert details == what | {"note": "announced", "by": admin}


def test_nothing_recorded_can_be_changed_or_deleted(browser: Client) -> None:
    for version in (
        PriceVersion.objects.get(pk=haiku(datetime.now(UTC)).id),
        PriceVersion.objects.filter(valid_from__gt=datetime.now(UTC)).first()
        or PriceVersion.objects.earliest("pk"),
    ):
        before = PriceVersion.objects.filter(pk=version.pk).values().get()
        tiers = list(PriceTier.objects.filter(version=version).values())
        change = reverse("admin:pricing_priceversion_change", args=[version.pk])
        page = browser.get(change)
        assert page.status_code == 200
        assert b'name="_save"' not in page.content
        forged = form(**{"tiers-INITIAL_FORMS": "1", "tiers-0-id": tiers and tiers[0]["id"]})
        assert browser.post(change, forged).status_code == 403
        assert browser.post(change + "../delete/", {"post": "yes"}).status_code == 403
        listed = {"form-TOTAL_FORMS": "1", "form-0-id": version.pk, "form-0-speed": "fast"}
        browser.post("/admin/pricing/priceversion/", listed | {"_save": "Save"})
        browser.post(
            "/admin/pricing/priceversion/",
            {"action": "delete_selected", "_selected_action": version.pk, "post": "yes"},
        )
        assert PriceVersion.objects.filter(pk=version.pk).values().get() == before
        assert list(PriceTier.objects.filter(version=version).values()) == tiers


def test_a_version_is_cancelled_only_before_it_starts(browser: Client, admin: Any) -> None:
    browser.post(ADD, form())
    future = PriceVersion.objects.get(pk=haiku(SOON).id)
    cancel = reverse("admin:pricing_priceversion_cancel", args=[future.pk])
    assert b"has not begun" in browser.get(cancel).content
    assert haiku(SOON).tiers[0].input == 1_100_000
    browser.post(cancel)
    assert haiku(SOON).tiers[0].input == 1_000_000
    future.refresh_from_db()
    assert future.cancelled_by == admin
    current = haiku(SOON).id
    forged = browser.post(reverse("admin:pricing_priceversion_cancel", args=[current]), follow=True)
    assert b"has not begun can be cancelled" in forged.content
    assert PriceVersion.objects.get(pk=current).cancelled_at is None


def test_the_list_tells_what_is_in_force(browser: Client) -> None:
    browser.post(ADD, form())
    PriceVersion.objects.get(pk=haiku(SOON).id).cancel(by=None)
    states = {
        version.pk: version.state
        for version in browser.get("/admin/pricing/priceversion/?all=").context["cl"].result_list
    }
    assert set(states.values()) == {"current", "past", "future", "cancelled"}
    assert states[haiku(SOON).id] == "current"
    assert list(states.values()).count("cancelled") == 1


@pytest.mark.parametrize("grants", [[], ["view_priceversion"]])
def test_only_who_may(client: Client, alice: Any, grants: list[str]) -> None:
    alice.is_staff = True
    alice.save()
    alice.user_permissions.set(Permission.objects.filter(codename__in=grants))
    client.force_login(alice)
    version = haiku(SOON).id
    assert client.post(ADD, form()).status_code == 403
    assert client.get(ADD).status_code == 403
    cancel = reverse("admin:pricing_priceversion_cancel", args=[version])
    assert client.post(cancel).status_code == 403
    seen = client.get(reverse("admin:pricing_priceversion_change", args=[version]))
    assert seen.status_code == (200 if grants else 403)
    assert b"New version from this one" not in seen.content
    assert PriceVersion.objects.count() == 34


def test_people_without_staff_rights_do_not_get_in(client: Client, bob: Any) -> None:
    client.force_login(bob)
    assert client.get(ADD).status_code == 302
    assert client.post(ADD, form()).status_code == 302
    assert PriceVersion.objects.count() == 34


def test_a_model_is_withdrawn_and_gets_another_name(browser: Client) -> None:
    page = browser.get(f"/admin/pricing/model/{HAIKU}/change/").content.decode()
    assert "claude-haiku-4-5-20251001" in page
    model = Model.objects.get(pk=HAIKU)
    data = {
        "name": model.name,
        "aliases": "claude-haiku-4-5-20251001\nhaiku",
        "launched": "2025-10-15",
        "context_window": "200000",
        "max_output": "64000",
    }
    assert browser.post(f"/admin/pricing/model/{HAIKU}/change/", data).status_code == 302
    assert price_book().resolve("haiku") == HAIKU
    assert not Model.objects.offered().filter(pk=HAIKU).exists()
    data["aliases"] = "claude-opus-5"
    clash = browser.post(f"/admin/pricing/model/{HAIKU}/change/", data)
    assert b"Another model goes by claude-opus-5" in clash.content
    listed = browser.get("/admin/pricing/model/").content.decode()
    assert "$1 · $5" in listed
    assert "no price in force" not in listed.replace("retires", "")
