"""`price_usage`: JSON Lines in and out, through a real process for what only a process shows."""

import json
import subprocess
import sys
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from chatapp.pricing.importing import import_prices
from tests.pricing.examples import STREAMS, VECTORS

pytestmark = [pytest.mark.django_db, pytest.mark.once]
GOOD = {
    "name": "good",
    "model": "claude-haiku-4-5",
    "at": "2026-11-20T12:00:00Z",
    "usage": {"input_tokens": 21, "output_tokens": 77},
}


@pytest.fixture(autouse=True)
def prices(db: None) -> None:
    import_prices()


def run(tmp_path: Path, lines: list[str | bytes], *options: str) -> tuple[list[Any], int]:
    """The command's answers and its exit code."""
    file, out, code = tmp_path / "calls.jsonl", StringIO(), 0
    file.write_bytes(b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines))
    try:
        call_command("price_usage", str(file), *options, stdout=out)
    except SystemExit as stop:
        code = int(str(stop.code))
    return [json.loads(line) for line in out.getvalue().splitlines()], code


def test_every_example_in_the_answers_own_words(tmp_path: Path) -> None:
    answers, code = run(tmp_path, [json.dumps(vector) for vector in VECTORS])
    assert code == 0
    for answer, vector in zip(answers, VECTORS, strict=True):
        assert answer["name"] == vector["name"]
        assert answer["model"] == vector["model"]
        assert answer["cost_usd"] == vector["expected_usd"]
        assert answer["cost_pusd"] == vector["expected_pusd"]
        assert answer["flags"] == vector.get("flags", [])
        assert sum(line["amount_pusd"] for line in answer["lines"]) == (answer["cost_pusd"] or 0)
        for line in answer["lines"]:
            product = line["quantity"] * line["unit_price_pusd"] * line["multiplier_bp"]
            assert product == line["amount_pusd"] * 10_000
            assert line["price_version"] is not None


def test_streams(tmp_path: Path) -> None:
    lines = [json.dumps(vector) for vector in STREAMS[1:]]
    first = {**STREAMS[0], "usage": STREAMS[0]["events"]}
    del first["events"]
    answers, code = run(tmp_path, [json.dumps(first), *lines], "--events")
    assert code == 0
    for answer, vector in zip(answers, STREAMS, strict=True):
        assert answer["status"] == vector["status"]
        assert answer["usage"] == vector["merged_usage"]
        assert answer["lower_usd"] == vector["lower_usd"]
        assert answer["upper_usd"] == vector["upper_usd"]
        assert answer["cost_usd"] == vector["expected_usd"]
        if answer["status"] == "estimated":
            low, likely, high = (answer[key] for key in ("lower_usd", "estimated_usd", "upper_usd"))
            assert Decimal(low) <= Decimal(likely) <= Decimal(high)


def test_a_stream_without_a_start_is_unknown_not_free(tmp_path: Path) -> None:
    call = {"at": "2026-11-20", "events": [{"type": "ping"}]}
    [answer], code = run(tmp_path, [json.dumps(call)], "--events")
    assert (code, answer["status"], answer["cost_usd"]) == (0, "unknown", None)


def test_a_whole_response(tmp_path: Path) -> None:
    vector = next(vector for vector in VECTORS if vector["name"] == "refusal/cyber_pre_output")
    whole = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": vector["model"],
        **vector["response"],
        "usage": vector["usage"],
        "at": vector["at"],
    }
    nested = {"at": vector["at"], "response": {k: v for k, v in whole.items() if k != "at"}}
    answers, code = run(tmp_path, [json.dumps(whole), json.dumps(nested)])
    assert code == 0
    assert [answer["cost_usd"] for answer in answers] == ["0", "0"]
    assert [answer["flags"] for answer in answers] == [["unbilled_refusal"]] * 2


def bad(**edit: Any) -> str:
    return json.dumps({**GOOD, **edit})


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "null",
        '"x"',
        b"\xff\xfe",
        "[" * 100_000,
        "9" * 5_000,
        bad(usage=None),
        bad(usage=[]),
        bad(usage={}),
        bad(usage={"input_tokens": -1}),
        bad(usage={"input_tokens": 1.0}),
        bad(usage={"input_tokens": True}),
        bad(usage={"input_tokens": "7"}),
        bad(usage={"input_tokens": 10**30}),
        bad(usage={"input_tokens": 2**62, "output_tokens": 2**62}),
        bad(usage={"input_tokens": float("nan")}),
        bad(usage={"input_tokens": 1, "cache_creation": []}),
        bad(usage={"input_tokens": 1, "server_tool_use": 3}),
        bad(usage={"input_tokens": 1, "server_tool_use": {"web_search_requests": -3}}),
        bad(usage={"input_tokens": 1, "iterations": {}}),
        bad(usage={"input_tokens": 1, "iterations": [1]}),
        bad(usage={"input_tokens": 1, "iterations": [{"type": "message"}]}),
        bad(usage={"input_tokens": 1, "speed": 1}),
        bad(at="yesterday"),
        bad(at=7),
        bad(at="0001-01-01T00:00:00+14:00"),
        bad(model=None),
        bad(response="refused"),
        json.dumps({key: GOOD[key] for key in ("model", "usage")}),
        json.dumps({key: GOOD[key] for key in ("model", "at")}),
    ],
)
def test_a_bad_line_is_told_and_the_others_are_priced(tmp_path: Path, line: str | bytes) -> None:
    answers, code = run(tmp_path, [json.dumps(GOOD), line, "", json.dumps(GOOD)])
    assert code == 1
    assert [answer.get("cost_usd") for answer in answers] == ["0.000406", None, "0.000406"]
    assert answers[1]["line"] == 2
    assert answers[1]["error"]


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"1e999"])
def test_no_number_is_answered_that_json_does_not_have(tmp_path: Path, number: bytes) -> None:
    start = {"type": "message_start", "message": {"model": GOOD["model"], "usage": GOOD["usage"]}}
    stream = {**GOOD, "events": [start], "max_tokens": 100}
    lines = [json.dumps(call).replace("77", '77, "new": 0.5') for call in (GOOD, stream)]
    lines = [line.replace('"good"', "0.5") for line in lines]
    odd = [line.encode().replace(b"0.5", number) for line in lines]
    [priced], _ = run(tmp_path, odd[:1])
    assert (priced["name"], priced["cost_usd"]) == (number.decode(), "0.000406")
    [estimated], _ = run(tmp_path, odd[1:], "--events")
    assert estimated["usage"]["new"] == number.decode()


def test_a_time_may_be_written_small(tmp_path: Path) -> None:
    [answer], code = run(tmp_path, [bad(at="2026-11-20t12:00:00z")])
    assert (code, answer["cost_usd"]) == (0, "0.000406")


@pytest.mark.parametrize("edit", [{"events": {}}, {"events": [], "max_tokens": "many"}])
def test_bad_events_are_told(tmp_path: Path, edit: dict[str, Any]) -> None:
    [answer], code = run(tmp_path, [json.dumps({"at": "2026-11-20", **edit})], "--events")
    assert code == 1
    assert "error" in answer


def test_events_may_hold_anything(tmp_path: Path) -> None:
    odd: list[Any] = [None, 1, "x", [], {}, {"type": 7}, {"type": "message_start"}]
    odd += [{"type": "message_delta"}, {"type": "message_delta", "delta": 1, "usage": 2}]
    call = {"at": "2026-11-20", "events": [*odd, *STREAMS[0]["events"][:1], *odd]}
    [answer], code = run(tmp_path, [json.dumps(call)], "--events")
    assert (code, answer["status"], answer["upper_usd"]) == (0, "estimated", None)


def test_100_000_lines_run_in_constant_memory(transactional_db: None, tmp_path: Path) -> None:
    import_prices()
    sizes = [peak(tmp_path, lines) for lines in (1_000, 100_000)]
    assert sizes[1] < sizes[0] * 1.05


def peak(tmp_path: Path, lines: int) -> int:
    """Resident memory in KiB of a process that prices so many lines of standard input."""
    file = tmp_path / "many.jsonl"
    with file.open("w") as out:
        out.writelines(json.dumps(GOOD) + "\n" for _ in range(lines))
    code = (
        "import resource, django; django.setup();"
        "from django.db import connections; from django.core.management import call_command;"
        f"connections['default'].settings_dict['NAME'] = {str(connection.settings_dict['NAME'])!r};"
        "call_command('price_usage');"
        "import sys; sys.stderr.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))"
    )
    with file.open("rb") as source:
        done = subprocess.run(
            [sys.executable, "-c", code], stdin=source, capture_output=True, text=True, check=True
        )
    assert done.stdout.count('"cost_usd": "0.000406"') == lines
    return int(done.stderr.split()[-1])
