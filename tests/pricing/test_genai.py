"""genai-prices beside the book: differences are shown, and only what a person ticks is recorded."""

import sys
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from chatapp.pricing import genai, importing
from chatapp.pricing.models import PriceVersion, price_book

pytest.importorskip("genai_prices")

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
COMPARE = "/admin/pricing/priceversion/compare/"


@pytest.fixture
def book(db: None) -> None:
    importing.import_prices()


def dearer(model: str, percent: int) -> PriceVersion:
    """A version of ours, from now on, that genai-prices does not know."""
    ours = price_book().version(model, "standard", NOW)
    assert ours
    tiers = [
        genai.replace(tier, output=tier.output * (100 + percent) // 100) for tier in ours.tiers
    ]
    changed = genai.replace(ours, tiers=tuple(tiers), valid_from=NOW, id=None)
    version = PriceVersion.objects.record(changed)
    genai.Edition.renew()
    return version


def compare(*arguments: str) -> str:
    out = StringIO()
    call_command("import_prices", "--from", "genai-prices", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("book")
def test_most_of_the_bundled_book_is_confirmed() -> None:
    found = {(p.ours.model, p.ours.speed) for p in genai.proposals(NOW)}
    assert found == {("claude-sonnet-4-5", "standard")}  # whose long tier ended in May


@pytest.mark.usefixtures("book")
def test_the_command_shows_and_changes_nothing() -> None:
    dearer("claude-haiku-5-5", 10)
    before = PriceVersion.objects.count()
    said = compare()
    assert "claude-haiku-5-5 standard output: $0.55 -> $0.50" in said
    assert "claude-haiku-5-5 standard output over 100,000:" in said
    with pytest.raises(SystemExit) as exit:
        compare("--check")
    assert exit.value.code == 1
    assert PriceVersion.objects.count() == before


@pytest.mark.usefixtures("book")
def test_a_person_takes_over_what_they_tick(admin: Any, client: Client) -> None:
    dearer("claude-haiku-5-5", 10)
    before = PriceVersion.objects.count()
    client.force_login(admin)
    page = client.get(COMPARE).content.decode()
    keys = [proposal.key for proposal in genai.proposals(timezone.now())]
    assert all(f'value="{key}"' in page for key in keys)
    chosen = [key for key in keys if key.startswith("claude-haiku-5-5:")]
    client.post(COMPARE, {"take": [*chosen, "claude-haiku-5-5:standard:forged"]})
    assert PriceVersion.objects.count() == before + 1
    taken = PriceVersion.objects.get(source="genai-prices")
    assert (taken.recorded_by, taken.tiers.count()) == (admin, 2)
    now = price_book().version("claude-haiku-5-5", "standard", timezone.now())
    assert now
    assert now.tiers[0].output == 500_000
    assert "claude-haiku-5-5" not in compare()


@pytest.mark.usefixtures("book")
def test_only_who_may_add_prices_compares(alice: Any, client: Client) -> None:
    alice.is_staff = True
    alice.save()
    client.force_login(alice)
    assert client.get(COMPARE).status_code == 403
    assert client.post(COMPARE, {"take": ["x"]}).status_code == 403


@pytest.mark.usefixtures("book")
def test_without_the_package_it_says_what_to_install(
    admin: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices.data", None)
    with pytest.raises(CommandError, match="pip install genai-prices"):
        compare()
    client.force_login(admin)
    assert "pip install genai-prices" in client.get(COMPARE).content.decode()
