"""The receipt: its lines add up to its total, and every word of it is plain."""

from collections.abc import Callable
from typing import Any

import pytest
from django.template.loader import render_to_string

from chatapp.ledger.models import Charge
from chatapp.ledger.receipts import FLAGS
from tests.ledger.conftest import HAIKU, OPUS, UNKNOWN, estimated, exact

Authorize = Callable[..., Charge]


def page(charge: Charge) -> str:
    charge.refresh_from_db()
    return render_to_string("ledger/_receipt.html", {"receipt": charge.receipt()})


def test_the_lines_add_up_to_the_total(authorize: Authorize) -> None:
    charge = authorize(prompt_tokens=10_000)
    charge.capture(
        exact(
            cache_read_input_tokens=5000,
            inference_geo="us",
            server_tool_use={"web_search_requests": 1},
            output_tokens_details={"thinking_tokens": 12},
        ),
        request_id="req_42",
        first_token_ms=310,
        duration_ms=1234,
    )
    receipt = charge.receipt()
    assert sum(entry.amount_pusd for entry in receipt.entries) == charge.amount_pusd
    shown = page(charge)
    for words in ("req_42", "$1 per", "1.1", "$0.01 each", "1,234", "12 of them thinking", "5,000"):
        assert words in shown
    assert receipt.total in shown


def test_a_call_like_this(authorize: Authorize) -> None:
    charge = authorize()
    charge.capture(exact())
    shown = page(charge)
    assert "A call like this costs $0.000406; 2,463 of them cost a dollar." in shown
    assert "$0.000021" in shown
    assert "$0.000385" in shown


def test_an_estimate_shows_its_bounds(authorize: Authorize) -> None:
    charge = authorize()
    charge.capture(estimated(likely=50), error="stream_ended_early")
    shown = page(charge)
    assert "at least $0.000026 and at most $0.00502" in shown
    assert "stream ended early" in shown


@pytest.mark.parametrize(
    ("metered", "words"),
    [
        (UNKNOWN, "Budgets count the"),
        (exact("unheard-of"), "The price book does not know this model."),
        (exact(input_tokens=-1), "is not valid, so nothing was booked"),
        (exact(input_tokens=0, output_tokens=0), "A call like this costs nothing."),
    ],
)
def test_what_has_no_amount_says_why(authorize: Authorize, metered: Any, words: str) -> None:
    charge = authorize()
    charge.capture(metered)
    shown = page(charge)
    assert words in shown
    assert "$0.00 " not in shown


def test_open_and_void_charges_have_receipts_too(authorize: Authorize) -> None:
    opened, void = authorize(), authorize()
    void.void(error="overloaded", http_status=529)
    assert "are held for it" in page(opened)
    assert "The call was not billed." in page(void)


def test_a_correction_is_told(authorize: Authorize) -> None:
    charge = authorize()
    charge.capture(UNKNOWN)
    charge.adjust(exact(inference_geo="us", output_tokens_details={"thinking_tokens": 60}))
    shown = page(charge)
    for words in ("60 of them thinking", "finished", "<dd>us</dd>", "inference_geo"):
        assert words in shown
    assert "final usage arrived late, unknown → $0.000447" in shown
    assert "$0.0004235" in shown


def test_several_samplings_name_their_models(authorize: Authorize) -> None:
    charge = authorize(model=OPUS, prompt_tokens=10_000)
    counts = {"input_tokens": 100, "output_tokens": 20}
    steps = [
        {"type": "message", **counts},
        {"type": "advisor_message", "model": HAIKU, **counts},
        {"type": "message", **counts},
    ]
    charge.capture(exact(OPUS, iterations=steps))
    shown = page(charge)
    assert f"2 · advisor · {HAIKU}" in shown
    assert f"3 · {OPUS}" in shown


def test_names_from_the_wire_are_escaped(authorize: Authorize) -> None:
    charge = authorize()
    charge.capture(exact("<script>", odd="</pre><script>"), request_id="<b>")
    assert "<script>" not in page(charge)
    assert "<b>" not in page(charge)


def test_every_flag_has_words() -> None:
    assert all(words.endswith(".") for words in FLAGS.values())
