"""What stands with a reply: its price in one line, why it ended, what it thought, who wrote it."""

from collections.abc import Sequence
from typing import Any

from chatapp.ledger.models import Charge, State, Status
from chatapp.pricing.money import format_usd

Calls = Sequence[Charge]

STOPS = {
    "": "",
    "end_turn": "finished",
    "stop_sequence": "finished at a stop sequence",
    "max_tokens": "cut off at the token limit",
    "model_context_window_exceeded": "cut off: the context window is full",
    "pause_turn": "paused",
    "refusal": "declined",
}
# What a person can do about it.
ADVICE = {
    "max_tokens": "The reply reached its longest length, which the settings of this chat say.",
    "pause_turn": "Claude paused in the middle of a long search. It can go on from here.",
    "model_context_window_exceeded": (
        "The conversation and the reply fill all that this model can read. "
        "Go on in a new chat, or with a model that reads more."
    ),
    "refusal": "Claude declined to answer this. Ask in other words, or choose another model.",
}
CAN_GO_ON = {"max_tokens", "pause_turn"}


def price_line(calls: Calls) -> str:
    """ "claude-haiku-4-5 · 21 in · 77 out · $0.000406", of all calls that the reply took.

    In is the whole prompt, cached or not.
    """
    if not calls or any(call.state == State.AUTHORIZED for call in calls):
        return ""
    billed = [call for call in calls if call.state == State.CAPTURED]
    if not billed:
        return f"{calls[-1].model} · nothing charged"
    parts = [billed[-1].model]
    for tokens, words in ("tokens_in", "in"), ("tokens_out", "out"):
        counts = [n for call in billed if (n := getattr(call, tokens)) is not None]
        if counts:
            parts.append(f"{sum(counts):,} {words}")
    return " · ".join([*parts, _amount(billed)])


def pusd(calls: Calls) -> int | None:
    """What is known of their cost, in pico-USD; None when nothing is."""
    amounts = [call.amount_pusd for call in calls if call.amount_pusd is not None]
    return sum(amounts) if amounts else None


def _amount(billed: Calls) -> str:
    known, statuses = pusd(billed), {call.status for call in billed}
    missing = (
        "unpriced"
        if Status.UNPRICED in statuses
        else "cost unknown"
        if Status.UNKNOWN in statuses
        else ""
    )
    if known is None:
        return missing
    about = "about " if Status.ESTIMATED in statuses else ""
    return f"{about}{format_usd(known)}" + (f" and a part {missing}" if missing else "")


def stop_words(state: str, stop_reason: str) -> str:
    """Why a reply ended; `state` is its generation's."""
    if state in ("stopped", "interrupted"):
        return state
    return STOPS.get(stop_reason, f"ended with {stop_reason}")


def advice(state: str, stop_reason: str) -> str:
    return ADVICE.get(stop_reason, "") if state == "done" else ""


def thought_words(calls: Calls, thought_ms: int | None) -> str:
    """ "Thought for 12 s, 340 tokens", or what of it is known."""
    tokens = sum(_thinking_tokens(call.usage) for call in calls)
    searches = sum(_searches(call.usage) for call in calls)
    if searches and not tokens:
        return "Searched the web"
    words = "Thinking" if thought_ms is None else f"Thought for {_seconds(thought_ms)}"
    return f"{words}, {tokens:,} tokens" if tokens else words


def served_words(calls: Calls) -> str:
    """That another model answered than the one that was asked."""
    if not calls or not calls[-1].served_model:
        return ""
    call = calls[-1]
    same = call.served_model.startswith(call.requested_model) or call.model == call.requested_model
    return "" if same else f"{call.model} answered, {call.requested_model} was asked"


def _seconds(ms: int) -> str:
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{max(seconds, 1)} s"


def _thinking_tokens(usage: Any) -> int:
    match usage:
        case {"output_tokens_details": {"thinking_tokens": int(tokens)}}:
            return tokens
    return 0


def _searches(usage: Any) -> int:
    match usage:
        case {"server_tool_use": {"web_search_requests": int(searches)}}:
            return searches
    return 0
