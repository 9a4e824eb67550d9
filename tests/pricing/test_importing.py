"""A price file comes into the book once, in one piece, and drift is told."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chatapp.pricing import repricing
from chatapp.pricing.importing import BUNDLED, import_prices
from chatapp.pricing.models import Model, PriceVersion, RefusalRule, price_book
from chatapp.pricing.price_file import PriceFileError
from chatapp.web.management.commands import setup

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
RATES = ("input", "write_5m", "write_1h", "read", "output")


def changed(tmp_path: Path, **edit: Any) -> Path:
    """The bundled file with the first version's keys changed."""
    data = json.loads(BUNDLED.read_text())
    data["versions"][0] |= edit
    path = tmp_path / "newer.json"
    path.write_text(json.dumps(data))
    return path


def test_the_first_import_brings_everything_and_the_second_nothing(bundled: Any) -> None:
    first = import_prices()
    assert (len(first.models), len(first.versions), len(first.rules)) == (19, 34, 3)
    assert not import_prices().brings_something
    assert (Model.objects.count(), PriceVersion.objects.count()) == (19, 34)
    assert RefusalRule.objects.count() == 3
    for model in bundled.models:
        for speed in ("standard", "fast"):
            stored = price_book().version(model.id, speed, NOW)
            filed = bundled.book().version(model.id, speed, NOW)
            assert (stored and stored.tiers) == (filed and filed.tiers)


def test_a_corrected_price_is_a_new_version_and_the_old_row_stays(tmp_path: Path) -> None:
    import_prices()
    tier = json.loads(BUNDLED.read_text())["versions"][0]["tiers"][0]
    path = changed(tmp_path, tiers=[tier | {"output": "44"}])
    news = import_prices(path)
    assert [version.tiers[0].output for version, _ in news.versions] == [44_000_000]
    assert PriceVersion.objects.count() == 35
    version = price_book().version("claude-fable-5-2", "standard", NOW)
    assert version is not None
    assert version.tiers[0].output == 44_000_000
    assert not import_prices(path).brings_something


def test_what_people_decided_here_survives_an_import() -> None:
    import_prices()
    haiku = Model.objects.get(pk="claude-haiku-4-5")
    haiku.offered = False
    haiku.aliases = [*haiku.aliases, "our-haiku"]
    haiku.save()
    assert not import_prices().brings_something
    haiku.refresh_from_db()
    assert not haiku.offered
    assert price_book().resolve("our-haiku") == "claude-haiku-4-5"


def test_a_cancelled_version_is_not_brought_back(admin: Any, tmp_path: Path) -> None:
    path = changed(tmp_path, valid_from=(NOW + timedelta(days=9)).isoformat())
    import_prices(path)
    PriceVersion.objects.get(valid_from__gt=NOW + timedelta(days=8.5)).cancel(by=admin)
    assert not import_prices(path).brings_something


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ({"tiers": []}, "needs the rates"),
        ({"batch": "nan"}, "basis point"),
        ({"web_search_per_1000": "-1"}, "not negative"),
        ({"model": "nobody"}, "not listed"),
        ({"valid_from": "soon"}, "soon"),
        ({"geo_us": "1.00001"}, "basis point"),
        ({"tiers": [dict.fromkeys(RATES, "1e29") | {"over": 0}]}, "too dear"),
        ({"tiers": [dict.fromkeys(RATES, "1e999999999") | {"over": 0}]}, "too large"),
        ({"tiers": [{"over": 0}]}, "'input' is missing"),
        ({"tiers": 7}, "wrong shape"),
    ],
)
def test_a_bad_file_changes_nothing(tmp_path: Path, edit: dict[str, Any], told: str) -> None:
    with pytest.raises(PriceFileError, match=told):
        import_prices(changed(tmp_path, **edit))
    assert not Model.objects.exists()


def test_the_command_says_what_it_did_and_check_exits_1_on_drift(tmp_path: Path) -> None:
    out = StringIO()
    with pytest.raises(SystemExit) as drift:
        call_command("import_prices", "--check", stdout=out)
    assert drift.value.code == 1
    assert not Model.objects.exists()
    call_command("import_prices", stdout=out)
    call_command("import_prices", "--check", stdout=out)
    assert out.getvalue().endswith("Nothing new.\n")
    with pytest.raises(CommandError, match=r"nowhere\.json"):
        call_command("import_prices", str(tmp_path / "nowhere.json"), stdout=out)


def test_a_price_that_stands_only_here_is_drift(bundled: Any) -> None:
    import_prices()
    PriceVersion.objects.record(replace(bundled.versions[0], valid_from=NOW))
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("import_prices", "--check", stdout=out)
    assert "only in the book: claude-fable-5-2 standard" in out.getvalue()
    assert not import_prices().brings_something


def test_each_start_says_in_a_line_what_it_imported(bundled: Any) -> None:
    first = setup.import_prices()
    assert (
        first
        == f"{len(bundled.models) + len(bundled.versions) + len(bundled.refusal_rules)} added."
    )
    PriceVersion.objects.record(replace(bundled.versions[0], valid_from=NOW))
    assert setup.import_prices() == "Nothing new."


def test_calls_are_priced_anew_once_a_price_arrives_late(monkeypatch: Any) -> None:
    asked: list[Any] = []

    class Ledger(repricing.Nobody):
        def apply(self, book: Any, *, model: str, **rest: Any) -> repricing.Effect:
            asked.append(model)
            return repricing.Effect(1, 5, 1)

        def rate_waiting(self, book: Any) -> int:
            asked.append("waiting")
            return 1

    monkeypatch.setattr(repricing, "_repricer", Ledger())
    import_prices()
    assert asked[-1] == "waiting"
    assert sorted(asked[:-1]) == sorted(Model.objects.values_list("pk", flat=True))
