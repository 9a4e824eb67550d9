"""Words for people and waits: every fault has both, none repeats what the vendor wrote."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chatapp.claude.errors import KINDS, Fault
from chatapp.claude.translation import failed_midway, refused, seconds, translated


@pytest.mark.parametrize("code", KINDS)
def test_says_what_happened_the_money_and_what_to_do(code: str) -> None:
    for fault, money in (
        (Fault(code, unbilled=True), "Nothing was charged."),
        (Fault(code, started=True), "What was written so far is charged."),
        (Fault(code), "It is not known whether it was charged."),
    ):
        assert fault.message == f"{KINDS[code].happened} {money} {KINDS[code].advice}"


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("12", 12),
        ("0.5", 0.5),
        ("-3", 0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1790000000000", 366 * 86_400),
        ("Sun, 22 Nov 9999 00:00:00 +99999999999", None),
    ],
)
def test_retry_after_in_seconds(header: str, wait: float | None) -> None:
    assert seconds(header) == wait


def test_retry_after_as_a_date() -> None:
    then = datetime.now(UTC) + timedelta(minutes=1)
    assert seconds(format_datetime(then, usegmt=True)) == pytest.approx(60, abs=2)
    assert seconds("Sun, 22 Nov 2020 00:00:00 GMT") == 0


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, "<html>", "unexpected_answer"),
        (307, "", "unexpected_answer"),
        (502, "<html>Bad gateway", "vendor_error"),
        (403, None, "forbidden"),
        (429, {"error": "odd"}, "rate_limited"),
        (418, {"error": {"type": "teapot_error", "message": 7}}, "bad_request"),
        (500, {"error": {"type": ["x"], "details": {"error_code": 3}}}, "vendor_error"),
        (400, {"error": {"message": "input length and `max_tokens` exceed context limit"}},
         "prompt_too_long"),
    ],
)  # fmt: skip
def test_answers_of_any_shape(status: int, body: object, code: str) -> None:
    assert refused(status, body, {}).code == code


def test_is_told_not_to_retry() -> None:
    assert refused(529, None, {}).retryable
    assert not refused(529, None, {"x-should-retry": "false"}).retryable


def test_repeats_nothing_the_vendor_wrote() -> None:
    body = {"error": {"type": "invalid_request_error", "message": "bad: my secret"}}
    fault = refused(400, body, {"request-id": "req_1"})
    assert "secret" not in fault.message + str(fault) + repr(fault)
    assert str(fault) == "bad_request (HTTP 400, invalid_request_error, req_1)"


def test_an_error_before_message_start_was_free() -> None:
    assert failed_midway({"error": {}}, started=False, request_id="").unbilled
    assert not failed_midway([], started=True, request_id="").unbilled


def test_a_mistake_of_ours_is_no_fault_of_the_call() -> None:
    assert translated(AttributeError("ours")) is None
    assert translated(ZeroDivisionError()) is None
