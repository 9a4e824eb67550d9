"""The book in the database: in force, as known at a time, and fresh in every process."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import ProtectedError
from django.utils import translation

from chatapp.pricing.book import Version
from chatapp.pricing.importing import import_prices
from chatapp.pricing.models import Edition, Model, PriceVersion, price_book

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
HAIKU = "claude-haiku-4-5"


@pytest.fixture(autouse=True)
def prices(db: None) -> None:
    import_prices()


def haiku(at: datetime = NOW, known_at: datetime | None = None) -> Version:
    version = price_book(known_at).version(HAIKU, "standard", at)
    assert version is not None
    return version


def dearer(valid_from: datetime, output: int = 6_000_000) -> PriceVersion:
    tier = replace(haiku().tiers[0], output=output)
    version = replace(haiku(), valid_from=valid_from, tiers=(tier,), id=None)
    return PriceVersion.objects.record(version, reason="dearer")


def test_a_new_price_holds_at_once_and_from_its_time_on() -> None:
    assert haiku().tiers[0].output == 5_000_000
    recorded = dearer(NOW - timedelta(hours=1))
    assert haiku().tiers[0].output == 6_000_000
    assert haiku().id == recorded.pk
    assert haiku(NOW - timedelta(hours=2)).tiers[0].output == 5_000_000


def test_a_version_between_two_others_ends_where_the_next_begins() -> None:
    dearer(NOW - timedelta(hours=1), 8_000_000)
    dearer(NOW - timedelta(hours=3), 6_000_000)
    outputs = [haiku(NOW - timedelta(hours=h)).tiers[0].output for h in (4, 2, 0)]
    assert outputs == [5_000_000, 6_000_000, 8_000_000]


def test_as_it_was_known() -> None:
    PriceVersion.objects.update(recorded_at=NOW - timedelta(days=30))
    late = dearer(NOW - timedelta(days=9))
    assert haiku(NOW - timedelta(days=5)).tiers[0].output == 6_000_000
    as_of = NOW - timedelta(days=2)
    assert haiku(NOW - timedelta(days=5), known_at=as_of).tiers[0].output == 5_000_000
    PriceVersion.objects.filter(pk=late.pk).update(recorded_at=NOW - timedelta(days=3))
    assert haiku(NOW - timedelta(days=5), known_at=as_of).tiers[0].output == 6_000_000
    assert price_book(NOW - timedelta(days=31)).version(HAIKU, "standard", NOW) is None


def test_a_cancelled_version_was_known_until_then(admin: Any) -> None:
    future = dearer(NOW + timedelta(days=9))
    later = NOW + timedelta(days=10)
    before = datetime.now(UTC)
    future.cancel(by=admin)
    assert haiku(later).tiers[0].output == 5_000_000
    assert haiku(later, known_at=before).tiers[0].output == 6_000_000
    with pytest.raises(ValidationError):
        future.cancel(by=admin)
    with pytest.raises(ValidationError):
        PriceVersion.objects.get(pk=haiku().id).cancel(by=admin)


def test_the_book_is_read_once_and_again_after_a_change(
    django_assert_num_queries: Any,
) -> None:
    price_book()
    with django_assert_num_queries(1):
        same = price_book()
    assert same is price_book()
    dearer(NOW)
    assert price_book() is not same


def test_a_change_rolled_back_leaves_no_trace_in_the_cache() -> None:
    price_book()
    with pytest.raises(RuntimeError), transaction.atomic():
        dearer(NOW - timedelta(hours=1))
        assert haiku().tiers[0].output == 6_000_000
        raise RuntimeError
    assert haiku().tiers[0].output == 5_000_000


@pytest.mark.django_db(transaction=True)
def test_another_process_sees_the_change() -> None:
    script = (
        "import django; django.setup(); from django.db import connections;"
        f"connections['default'].settings_dict['NAME'] = {str(connection.settings_dict['NAME'])!r};"
        "from datetime import *; from chatapp.pricing.models import price_book;"
        "rate = lambda: price_book().version("
        f"'{HAIKU}', 'standard', datetime.now(UTC)).tiers[0].output;"
        "print(rate(), flush=True); input(); print(rate(), flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "5000000\n"
        dearer(datetime.now(UTC) - timedelta(seconds=1))
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "6000000\n"


def test_without_an_edition_nothing_is_kept() -> None:
    Edition.objects.all().delete()
    assert price_book() is not price_book()


def test_models_on_offer() -> None:
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    offered = set(Model.objects.offered(at).values_list("pk", flat=True))
    assert HAIKU in offered
    assert "claude-opus-4-1" not in offered  # retired
    assert "claude-sonnet-4-5" in offered
    retired = datetime(2026, 11, 30, tzinfo=UTC)
    assert "claude-sonnet-4-5" not in Model.objects.offered(retired).values_list("pk", flat=True)
    early = datetime(2026, 10, 6, tzinfo=UTC)
    assert "claude-haiku-5-5" not in Model.objects.offered(early).values_list("pk", flat=True)
    Model.objects.filter(pk=HAIKU).update(offered=False)
    assert not Model.objects.offered(at).filter(pk=HAIKU).exists()


def test_a_model_taken_off_sale_is_not_offered() -> None:
    PriceVersion.objects.record(
        replace(haiku(), valid_from=NOW - timedelta(hours=1), available=False, tiers=(), id=None)
    )
    assert not Model.objects.offered().filter(pk=HAIKU).exists()
    assert Model.objects.get(pk=HAIKU).price is None


def test_what_a_model_says_of_itself() -> None:
    haiku_ = Model.objects.get(pk=HAIKU)
    assert haiku_.price is not None
    assert haiku_.price.tiers[0].input == 1_000_000
    assert haiku_.end_of_life == ""
    assert Model.objects.get(pk="claude-opus-4-1").end_of_life == "retires 5 Aug 2026"
    with translation.override("de"):
        assert Model.objects.get(pk="claude-opus-4-1").end_of_life == "endet am 5. Aug 2026"
    assert ends(">=2027-11-09") == "retires 9 Nov 2027 or later"
    assert ends("next year") == "retires next year"
    assert ends("") == ends("2027-11-09", called_off=False) == ""


def ends(retires: str, *, called_off: bool = True) -> str:
    return Model(retires=retires, deprecated=NOW.date() if called_off else None).end_of_life


def test_what_was_recorded_stays() -> None:
    with pytest.raises(ProtectedError):
        Model.objects.get(pk=HAIKU).delete()
    version = PriceVersion.objects.get(pk=haiku().id)
    for row in (version, *version.tiers.all()):
        with pytest.raises(TypeError, match="never changed"):
            row.save()
        with pytest.raises(TypeError, match="never deleted"):
            row.delete()
