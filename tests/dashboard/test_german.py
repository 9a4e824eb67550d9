"""The dashboard to a reader of German: words, amounts and days; what programs read is the same."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from chatapp.dashboard.charts import Bucket, Series, stacked
from chatapp.dashboard.demo_data import Maker
from chatapp.dashboard.templatetags.spend import amount, compact
from chatapp.dashboard.ticks import count_tick, usd_tick
from chatapp.dashboard.tokens import ApiToken
from chatapp.dashboard.told import words
from chatapp.pricing.money import PUSD

GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de"}
NBSP = "\N{NO-BREAK SPACE}"


def headers(secret: str, language: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}", "accept-language": language}


@pytest.mark.usefixtures("ledger")
def test_the_page_is_german(payer: Client) -> None:
    page = payer.get("/dashboard/", **GERMAN)
    said = " ".join(page.text.split())
    for text in (
        "<h1>Ausgaben</h1>",
        "22. Okt bis 20. Nov 2026",
        "Eingabe-Tokens",
        "Personen nach Modell",
    ):
        assert text in said
    assert page.context["chart_title"].startswith("Dollar pro Tag nach Modell, ")
    assert all(tick.label.endswith(f"{NBSP}$") for tick in page.context["chart"].ticks)
    assert "<h1>Spend</h1>" in payer.get("/dashboard/").text


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous")
@pytest.mark.parametrize("page", ["spend.json", "spend.csv", "focus.csv"])
def test_what_programs_read_is_english(ledger: Maker, admin: Any, page: str) -> None:
    _, secret = ApiToken.objects.make(name="Finance", by=admin)
    english, german, wrong = (
        Client().get(f"/api/v1/{page}?{query}", headers=headers(secret, language))
        for query, language in (("range=12m", "en"), ("range=12m", "de"), ("team=99999", "de"))
    )
    assert b"".join(german) == b"".join(english)
    assert (wrong.status_code, wrong.json()) == (400, {"errors": ["There is no such team."]})


@pytest.mark.usefixtures("prices")
def test_what_cannot_be_shown_is_said_in_german(payer: Client) -> None:
    page = payer.get("/dashboard/?team=99999&sort=best", **GERMAN)
    assert page.status_code == 400
    assert "Dieses Team gibt es nicht." in page.text


@pytest.mark.once
def test_numbers_are_each_readers_own() -> None:
    said = {}
    for language in ("de", "en", "de"):
        with translation.override(language):
            parts = amount(1_234_567_800_000_000), compact(1_234_567)
            said[language] = (*parts, usd_tick(PUSD // 2, PUSD // 2), count_tick(1500, 500))
    assert f">1.234,57{NBSP}$<" in said["de"][0]
    assert f'value="1234.5678" title="1234,5678{NBSP}$"' in said["de"][0]
    assert f'value="1234567" title="1.234.567">1,23{NBSP}Mio.<' in said["de"][1]
    assert said["de"][2:] == (f"0,50{NBSP}$", f"1,5{NBSP}Tsd.")
    assert ">$1,234.57<" in said["en"][0]
    assert ">1.23M<" in said["en"][1]
    assert said["en"][2:] == ("$0.50", "1.5k")


@pytest.mark.once
def test_places_in_a_chart_are_no_words() -> None:
    with translation.override("de"):
        series = [Series("claude", (1500, 2500))]
        drawn = stacked([Bucket("1. Nov", "1"), Bucket("2. Nov", "2")], series, words("tokens"))
    assert drawn.summary == "Zusammen 4.000 Tokens; am meisten 2. Nov: 2.500 Tokens."
    for column in drawn.columns:
        assert all(float(at) >= 0 for bar in column.bars for at in (bar.y, bar.height))
        assert "," not in column.x + column.width + column.middle


@pytest.mark.usefixtures("ledger")
def test_commands_write_english(capsys: Any) -> None:
    call_command("check_ledger")
    assert "all laws hold" in capsys.readouterr().out
