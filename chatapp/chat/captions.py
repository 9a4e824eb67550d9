"""What stands with a reply: its price in one line, why it ended, what it thought, who wrote it."""

import re
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from chatapp.claude.sources import FAILED, SEARCHED, SEARCHED_FOR, TROUBLE
from chatapp.ledger.models import Charge, State, Status
from chatapp.pricing.words import usd
from chatapp.web.numbers import number

Calls = Sequence[Charge]

STOPS = {
    "end_turn": noop("finished"),
    "stop_sequence": noop("finished at a stop sequence"),
    "max_tokens": noop("cut off at the token limit"),
    "model_context_window_exceeded": noop("cut off: the context window is full"),
    "pause_turn": noop("paused"),
    "refusal": noop("declined"),
}
# What a person can do about it.
ADVICE = {
    "max_tokens": noop(
        "The reply reached its longest length, which the settings of this chat say."
    ),
    "pause_turn": noop("Claude paused in the middle of a long search. It can go on from here."),
    "model_context_window_exceeded": noop(
        "The conversation and the reply fill all that this model can read. "
        "Go on in a new chat, or with a model that reads more."
    ),
    "refusal": noop("Claude declined to answer this. Ask in other words, or choose another model."),
}
CAN_GO_ON = {"max_tokens", "pause_turn"}
SEARCH = re.compile(SEARCHED_FOR.replace("%(words)s", "(.+)"))
ENDS = {"stopped": noop("stopped"), "interrupted": noop("interrupted")}


def price_line(calls: Calls) -> str:
    """ "claude-haiku-4-5 · 21 in · 77 out · $0.000406", of all calls that the reply took.

    In is the whole prompt, cached or not.
    """
    if not calls or any(call.state == State.AUTHORIZED for call in calls):
        return ""
    billed = [call for call in calls if call.state == State.CAPTURED]
    if not billed:
        return f"{calls[-1].model} · {_('nothing charged')}"
    parts = [billed[-1].model]
    for tokens, words in ("tokens_in", _("%(tokens)s in")), ("tokens_out", _("%(tokens)s out")):
        counts = [n for call in billed if (n := getattr(call, tokens)) is not None]
        if counts:
            parts.append(words % {"tokens": number(sum(counts))})
    return " · ".join([*parts, _amount(billed)])


def pusd(calls: Calls) -> int | None:
    """What is known of their cost, in pico-USD; None when nothing is."""
    amounts = [call.amount_pusd for call in calls if call.amount_pusd is not None]
    return sum(amounts) if amounts else None


def _amount(billed: Calls) -> str:
    known, statuses = pusd(billed), {call.status for call in billed}
    unpriced, unknown = Status.UNPRICED in statuses, Status.UNKNOWN in statuses
    if known is None:
        return _("unpriced") if unpriced else _("cost unknown") if unknown else ""
    amount = usd(known)
    if Status.ESTIMATED in statuses:
        amount = _("about %(amount)s") % {"amount": amount}
    if unpriced:
        return _("%(amount)s and a part unpriced") % {"amount": amount}
    return _("%(amount)s and a part cost unknown") % {"amount": amount} if unknown else amount


def stop_words(state: str, stop_reason: str) -> str:
    """Why a reply ended; `state` is its generation's."""
    if said := ENDS.get(state) or STOPS.get(stop_reason):
        return _(said)
    return _("ended with %(reason)s") % {"reason": stop_reason} if stop_reason else ""


def advice(state: str, stop_reason: str) -> str:
    return _(ADVICE[stop_reason]) if state == "done" and stop_reason in ADVICE else ""


def thought_words(calls: Calls, thought_ms: int | None) -> str:
    """ "Thought for 12 s, 340 tokens", or what of it is known."""
    tokens = sum(_thinking_tokens(call.usage) for call in calls)
    searches = sum(_searches(call.usage) for call in calls)
    if searches and not tokens:
        return _("Searched the web")
    words = (
        _("Thinking")
        if thought_ms is None
        else _("Thought for %(time)s") % {"time": _seconds(thought_ms)}
    )
    if not tokens:
        return words
    return _("%(thought)s, %(tokens)s tokens") % {"thought": words, "tokens": number(tokens)}


def worded(thinking: str) -> str:
    """What a reply thought and looked for, its searches in the language of the moment."""
    return "\n".join(map(_worded, thinking.split("\n")))


def _worded(line: str) -> str:
    if search := SEARCH.fullmatch(line):
        return _(SEARCHED_FOR) % {"words": search[1]}
    return _(line) if line in (SEARCHED, FAILED, *TROUBLE.values()) else line


def served_words(calls: Calls) -> str:
    """That another model answered than the one that was asked."""
    if not calls or not calls[-1].served_model:
        return ""
    call = calls[-1]
    same = call.served_model.startswith(call.requested_model) or call.model == call.requested_model
    if same:
        return ""
    words = _("%(model)s answered, %(asked)s was asked")
    return words % {"model": call.model, "asked": call.requested_model}


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
