"""A charge's life: authorized before the request leaves, then captured or voided, once."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from chatapp.ledger.models import Charge, ChargeLine, DailyTotal, Status, Unpriced
from chatapp.pricing.models import price_book
from chatapp.pricing.usage import Certainty, Metered
from tests.ledger.conftest import HAIKU, OPUS, UNKNOWN, estimated, exact

Authorize = Callable[..., Charge]
MICRO = 10**6


def test_an_authorized_charge_holds_the_worst_case(authorize: Authorize) -> None:
    charge = authorize(prompt_tokens=100, max_tokens=1000)
    # 100 tokens at the dearest write and 1,000 of output, in the dearer region.
    assert charge.held_pusd == (100 * 1_250_000 + 1000 * 5 * MICRO) * 11 // 10
    assert (charge.state, charge.amount_pusd, charge.status) == ("authorized", None, "")


def test_asking_again_answers_with_the_same_charge(authorize: Authorize) -> None:
    reference = uuid4()
    assert authorize(reference=reference) == authorize(reference=reference)
    assert authorize(reference=reference, attempt=2).attempt == 2
    assert Charge.objects.count() == 2


def test_a_model_without_a_price_is_not_authorized(authorize: Authorize) -> None:
    with pytest.raises(Unpriced) as refusal:
        authorize(model="claude-unheard-of")
    assert refusal.value.model == "claude-unheard-of"
    assert not Charge.objects.exists()


def test_a_model_without_a_price_holds_nothing_where_it_may_be_sent_to(
    authorize: Authorize, settings: Any
) -> None:
    settings.SEND_UNPRICED = True
    charge = authorize(model="claude-unheard-of")
    assert (charge.held_pusd, charge.amount_pusd) == (0, None)


def test_a_captured_charge_is_the_sum_of_its_lines(authorize: Authorize) -> None:
    charge = authorize()
    assert charge.capture(exact(), request_id="req_1", message_id="msg_1", duration_ms=900)
    charge.refresh_from_db()
    assert charge.amount_pusd == 21 * MICRO + 77 * 5 * MICRO == 406 * MICRO
    assert charge.amount_pusd == charge.lines.total()
    assert {line.kind: line.quantity for line in charge.lines.all()} == {"input": 21, "output": 77}
    assert (charge.status, charge.tokens_in, charge.tokens_out) == ("exact", 21, 77)
    assert (charge.request_id, charge.stop_reason) == ("req_1", "end_turn")
    assert charge.settled_at


def test_only_the_first_settlement_counts(authorize: Authorize) -> None:
    charge = authorize()
    again = Charge.objects.get(pk=charge.pk)
    assert charge.capture(exact())
    assert not again.capture(exact(output_tokens=9))
    assert not again.void(error="late")
    assert not again.started(metered=exact())
    assert again.amount_pusd == 406 * MICRO
    assert DailyTotal.objects.get().calls == 1


def test_a_void_charge_costs_and_holds_nothing(authorize: Authorize) -> None:
    charge = authorize()
    assert charge.void(error="rate_limited", http_status=429, request_id="req_9")
    assert not charge.capture(exact())
    charge.refresh_from_db()
    assert (charge.state, charge.amount_pusd, charge.status) == ("voided", None, "")
    assert (charge.error, charge.http_status, charge.request_id) == ("rate_limited", 429, "req_9")
    assert not Charge.objects.open().exists()
    assert not DailyTotal.objects.exists()


def test_an_estimate_lies_between_what_was_reported_and_max_tokens(authorize: Authorize) -> None:
    charge = authorize(max_tokens=1000)
    charge.capture(estimated(likely=50, reported=1), error="stream_ended_early")
    assert charge.status == Status.ESTIMATED
    assert charge.amount_pusd == (21 + 50 * 5) * MICRO
    assert charge.low_pusd == (21 + 1 * 5) * MICRO
    assert charge.high_pusd == (21 + 1000 * 5) * MICRO
    assert (charge.estimated_output, charge.reported_output) == (50, 1)
    assert charge.rerated(price_book()).amount_pusd == charge.amount_pusd


def test_an_unknown_call_is_null_not_zero(authorize: Authorize) -> None:
    charge = authorize()
    charge.capture(UNKNOWN, request_id="req_1", error="no_answer")
    assert (charge.status, charge.amount_pusd) == (Status.UNKNOWN, None)
    assert (charge.tokens_in, charge.tokens_out) == (None, None)
    assert not ChargeLine.objects.exists()
    total = DailyTotal.objects.get()
    assert (total.calls, total.amount_pusd, total.held_pusd) == (1, 0, charge.held_pusd)


def test_a_call_served_by_an_unpriced_model_keeps_its_usage(authorize: Authorize) -> None:
    charge = authorize()
    charge.capture(exact("claude-unheard-of", new_counter={"kept": 3}))
    charge.refresh_from_db()
    assert (charge.status, charge.amount_pusd) == (Status.UNPRICED, None)
    assert charge.flags == ["unpriced_model"]
    assert charge.usage["new_counter"] == {"kept": 3}
    assert (charge.tokens_in, charge.tokens_out) == (21, 77)
    assert charge.model == charge.served_model == "claude-unheard-of"


def test_an_unbilled_refusal_is_a_real_zero(authorize: Authorize) -> None:
    charge = authorize()
    charge.capture(exact(input_tokens=0, output_tokens=0))
    assert (charge.status, charge.amount_pusd) == (Status.EXACT, 0)


def test_every_sampling_of_a_call_counts_in_the_days_total(authorize: Authorize) -> None:
    counts = {"input_tokens": 100, "cache_read_input_tokens": 10, "output_tokens": 20}
    steps = [{"type": "message", **counts}, {"type": "compaction", **counts}]
    charge = authorize()
    # The top level counts for nothing beside iterations, so it may as well be absent.
    charge.capture(exact(input_tokens=None, iterations=steps))
    assert (charge.status, charge.tokens_in, charge.tokens_out) == ("exact", 220, 40)
    total = DailyTotal.objects.get()
    assert (total.input_tokens, total.cache_read_tokens, total.output_tokens) == (200, 20, 40)
    assert (total.input_pusd, total.output_pusd) == (200 * MICRO, 40 * 5 * MICRO)


def test_an_unpriced_call_keeps_its_whole_prompt(authorize: Authorize) -> None:
    charge = authorize()
    cache = {"cache_creation_input_tokens": 30, "cache_read_input_tokens": 400}
    charge.capture(exact("claude-unheard-of", output_tokens=0, **cache))
    assert (charge.tokens_in, charge.tokens_out) == (21 + 30 + 400, 0)


def test_the_alias_served_is_kept_beside_the_model_it_means(authorize: Authorize) -> None:
    charge = authorize()
    charge.capture(exact(f"{HAIKU}-20251001"))
    assert charge.served_model == f"{HAIKU}-20251001"
    assert charge.model == charge.requested_model == HAIKU


def test_every_field_of_the_usage_is_kept_and_billed_by_what_was_got(authorize: Authorize) -> None:
    charge = authorize(prompt_tokens=100_000)
    usage = {
        "cache_creation_input_tokens": 300,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
        "cache_read_input_tokens": 4000,
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
        "inference_geo": "us",
        "service_tier": "priority",
        "speed": "standard",
        "output_tokens_details": {"thinking_tokens": 30},
        "fallback_credit": {"status": "applied"},
    }
    charge.capture(exact(**usage))
    charge.refresh_from_db()
    assert charge.usage == {"input_tokens": 21, "output_tokens": 77} | usage
    assert {line.kind for line in charge.lines.all()} == {
        *("input", "cache_write_5m", "cache_write_1h", "cache_read", "output", "web_search")
    }
    assert (charge.service_tier, charge.inference_geo) == ("priority", "us")
    assert charge.tokens_in == 21 + 300 + 4000
    assert charge.amount_pusd == charge.lines.total()
    total = DailyTotal.objects.get()
    assert (total.web_searches, total.web_search_pusd) == (2, 2 * 10**10)


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": -5},
        {"output_tokens": "many"},
        {"output_tokens": 10**30},
        {"input_tokens": None},
        {"iterations": "none"},
    ],
)
def test_what_is_no_usage_is_quarantined(authorize: Authorize, usage: dict[str, Any]) -> None:
    charge = authorize()
    charge.capture(exact(**usage))
    charge.refresh_from_db()
    assert (charge.status, charge.amount_pusd) == (Status.UNKNOWN, None)
    assert charge.flags == ["invalid_usage"]
    assert usage.items() <= charge.usage.items()


@pytest.mark.parametrize("usage", [{"output_tokens": 10**12}, {"input_tokens": 10**9}])
def test_a_usage_that_cannot_be_true_is_quarantined(
    authorize: Authorize, usage: dict[str, int]
) -> None:
    charge = authorize(prompt_tokens=100, max_tokens=1000)
    charge.capture(exact(**usage))
    assert (charge.status, charge.amount_pusd) == (Status.UNKNOWN, None)
    assert charge.flags == ["implausible_usage"]
    assert not charge.lines.exists()


def test_what_is_dearer_than_the_hold_is_booked_as_reported(authorize: Authorize) -> None:
    charge = authorize(prompt_tokens=20, max_tokens=10)
    charge.capture(exact(input_tokens=4_000_000, output_tokens=1_000_000))
    assert (charge.status, charge.amount_pusd) == (Status.EXACT, 9 * 10**12)
    assert charge.flags == ["above_hold"]


@pytest.mark.parametrize(
    ("told", "heard_ms", "flags"),
    [
        ({}, 300, ["zero_usage"]),
        ({"iterations": [{"type": "message", "input_tokens": 21}]}, 300, ["zero_usage"]),
        ({"output_tokens": 1}, 300, []),
        ({"stop_reason": "refusal"}, 300, None),
        ({}, None, []),
    ],
)
def test_a_reply_that_was_heard_and_is_reported_as_none_is_flagged(
    authorize: Authorize, told: dict[str, Any], heard_ms: int | None, flags: list[str] | None
) -> None:
    charge = authorize()
    charge.capture(exact(**{"output_tokens": 0} | told), first_token_ms=heard_ms)
    charge.refresh_from_db()
    assert charge.status == Status.EXACT
    assert charge.flags == flags if flags is not None else "zero_usage" not in charge.flags
    assert list(charge.rerated(price_book()).flags) == charge.flags


def test_a_loop_of_searches_may_write_more_than_one_sampling(authorize: Authorize) -> None:
    charge = authorize(prompt_tokens=1000, max_tokens=100)
    charge.capture(exact(output_tokens=600, server_tool_use={"web_search_requests": 3}))
    assert charge.status == Status.EXACT
    assert "above_hold" in charge.flags


def test_text_that_no_database_stores_does_not_lose_the_charge(authorize: Authorize) -> None:
    charge = authorize()
    charge.capture(exact(odd="a\0b\ud83d", more=[float("nan")]))
    charge.refresh_from_db()
    assert charge.usage["odd"] == "a\ufffdb?"
    assert charge.amount_pusd == 406 * MICRO


def test_words_of_the_vendor_are_kept_to_the_length_of_their_column(authorize: Authorize) -> None:
    long = "x" * 1000
    charge = authorize()
    usage = {"speed": long, "service_tier": long, "inference_geo": long}
    charge.capture(
        exact(long, stop_reason=long, **usage), request_id=long, message_id=long, error=long
    )
    void = authorize()
    void.void(error=long, request_id=long)
    for kept, names in {
        charge: "served_model speed service_tier inference_geo stop_reason message_id",
        void: "request_id error",
    }.items():
        kept.refresh_from_db()
        for name in ["request_id", "error", *names.split()]:
            assert len(getattr(kept, name)) == Charge._meta.get_field(name).max_length, name


def test_what_was_heard_at_the_start_is_not_lost_by_silence_at_the_end(
    authorize: Authorize,
) -> None:
    charge = authorize()
    assert charge.metered().model == HAIKU
    charge.started(metered=estimated(f"{HAIKU}-20251001"), request_id="req_1", message_id="msg_1")
    charge.capture(charge.metered())
    assert (charge.request_id, charge.message_id, charge.speed) == ("req_1", "msg_1", "standard")
    assert charge.metered().model == f"{HAIKU}-20251001"


def test_message_start_leaves_a_lower_bound(authorize: Authorize) -> None:
    charge = authorize()
    assert charge.started(metered=estimated(likely=1), request_id="req_1", message_id="msg_1")
    charge.refresh_from_db()
    assert (charge.state, charge.low_pusd) == ("authorized", (21 + 5) * MICRO)
    assert charge.started_at
    assert charge.capture(charge.interrupted(estimated_output=40), error="process_gone")
    assert (charge.status, charge.amount_pusd) == (Status.ESTIMATED, (21 + 40 * 5) * MICRO)
    assert charge.request_id == "req_1"


@pytest.mark.parametrize(("saved", "counted"), [(0, 1), (40, 40), (5000, 1000)])
def test_what_was_saved_counts_within_what_is_possible(
    authorize: Authorize, saved: int, counted: int
) -> None:
    charge = authorize(max_tokens=1000)
    charge.started(metered=estimated(likely=1, reported=1))
    assert charge.interrupted(saved).estimated_output == counted


def test_a_call_whose_end_was_stored_before_the_crash_is_exact(authorize: Authorize) -> None:
    charge = authorize()
    charge.started(metered=exact())
    charge.capture(charge.interrupted(9))
    assert (charge.status, charge.amount_pusd) == (Status.EXACT, 406 * MICRO)


def test_a_call_interrupted_before_message_start_is_unknown(authorize: Authorize) -> None:
    charge = authorize()
    assert charge.interrupted(estimated_output=9).certainty is Certainty.UNKNOWN


def test_late_evidence_restates_the_charge_once(authorize: Authorize) -> None:
    charge = authorize()
    charge.capture(estimated(likely=50))
    before = charge.amount_pusd
    adjustment = charge.adjust(exact())
    assert adjustment
    assert charge.adjust(exact(output_tokens=99)) is None
    charge.refresh_from_db()
    assert (charge.status, charge.amount_pusd, charge.low_pusd) == ("exact", 406 * MICRO, None)
    assert charge.amount_pusd == charge.lines.total() == sum_in_force(charge)
    assert (adjustment.amount_before_pusd, adjustment.amount_after_pusd) == (before, 406 * MICRO)
    assert charge.metered() == exact()
    totals = {total.status: (total.calls, total.amount_pusd) for total in DailyTotal.objects.all()}
    assert totals == {"estimated": (0, 0), "exact": (1, 406 * MICRO)}


def test_late_evidence_does_not_touch_what_is_exact_or_open_or_void(authorize: Authorize) -> None:
    opened, known, void = authorize(), authorize(), authorize()
    known.capture(exact())
    void.void(error="refused")
    for charge in (opened, known, void):
        assert charge.adjust(exact(output_tokens=9)) is None
    late = authorize()
    late.capture(UNKNOWN)
    assert late.adjust(estimated()) is None
    assert late.adjust(exact())
    assert late.amount_pusd == 406 * MICRO


def test_days_are_those_of_the_business_time_zone(authorize: Authorize, settings: Any) -> None:
    from datetime import UTC, datetime

    from chatapp.ledger.models import business_day

    moment = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert str(business_day(moment)) == "2026-11-22"
    settings.TIME_ZONE = "Europe/Berlin"
    assert str(business_day(moment)) == "2026-11-23"


def test_words_select_by_source_person_and_state(authorize: Authorize, bob: Any) -> None:
    first, second, demo = authorize(), authorize(user=bob), authorize(source="demo", model=OPUS)
    first.capture(exact())
    demo.capture(exact(OPUS))
    charges = Charge.objects
    assert set(charges.captured()) == {first, demo}
    assert set(charges.open()) == set(charges.of(bob)) == {second}
    assert set(charges.captured().real()) == {first}
    assert set(charges.demo()) == {demo}
    assert set(charges.between(first.day, first.day)) == {first, second, demo}


def sum_in_force(charge: Charge) -> int:
    return sum(line.amount_pusd for line in charge.lines.in_force())


def test_metered_evidence_survives_the_database(authorize: Authorize) -> None:
    charge = authorize()
    metered = Metered(HAIKU, {"input_tokens": 3}, {"stop_reason": None}, Certainty.ESTIMATED, 7, 2)
    charge.capture(metered)
    charge.refresh_from_db()
    assert charge.metered() == metered
