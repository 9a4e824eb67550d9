"""What stands under a reply: its price in one line, why it ended, and what went wrong."""

from chatapp.ledger.models import Charge, State, Status
from chatapp.pricing.money import format_usd

STOPS = {
    "": "",
    "end_turn": "finished",
    "stop_sequence": "finished at a stop sequence",
    "max_tokens": "cut off at the token limit",
    "model_context_window_exceeded": "cut off: the context window is full",
    "pause_turn": "paused",
    "refusal": "declined",
}


def price_line(charge: Charge | None) -> str:
    """ "claude-haiku-4-5 · 21 in · 77 out · $0.000406"; in is the whole prompt, cached or not."""
    if charge is None or charge.state == State.AUTHORIZED:
        return ""
    if charge.state == State.VOIDED:
        return f"{charge.model} · nothing charged"
    parts = [charge.model]
    if charge.tokens_in is not None:
        parts.append(f"{charge.tokens_in:,} in")
    if charge.tokens_out is not None:
        parts.append(f"{charge.tokens_out:,} out")
    return " · ".join([*parts, _amount(charge)])


def _amount(charge: Charge) -> str:
    match charge.status:
        case Status.EXACT:
            return format_usd(charge.amount_pusd)
        case Status.ESTIMATED:
            return f"about {format_usd(charge.amount_pusd)}"
        case Status.UNPRICED:
            return "unpriced"
        case _:
            return "cost unknown"


def stop_words(state: str, stop_reason: str) -> str:
    """Why a reply ended; `state` is its generation's."""
    if state in ("stopped", "interrupted"):
        return state
    return STOPS.get(stop_reason, f"ended with {stop_reason}")
