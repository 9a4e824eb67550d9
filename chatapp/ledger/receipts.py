"""A charge as a receipt: lines that add up to the total, and what stands behind them."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from chatapp.ledger.choices import TOKENS, Kind, State, Status
from chatapp.ledger.lines import Adjustment, ChargeLine
from chatapp.pricing.models import PriceVersion
from chatapp.pricing.money import exact
from chatapp.pricing.usage import Metered
from chatapp.pricing.words import calls_like_this, per_mtok, placed, usd
from chatapp.web.numbers import localized

if TYPE_CHECKING:
    from chatapp.ledger.charges import Charge

FLAGS = {
    "unpriced_model": noop("The price book does not know this model."),
    "unpriced_date": noop("The model had no price yet, or no longer, at that time."),
    "unpriced_speed": noop("This speed had no price at that time."),
    "unpriced_batch": noop("Batches have no price for this model and speed."),
    "priority_list_equivalent": noop("Served with priority; shown at the list price."),
    "unbilled_refusal": noop("The model declined before any output; that is not billed."),
    "refusal_category_unknown_or_null": noop("The refusal names no category that has a rule."),
    "tier_ambiguous": noop("Several samplings in one sum: the long-prompt rate may not apply."),
    "unknown_iteration_type": noop("A new kind of sampling, billed like a message."),
    "code_execution_time_not_in_usage": noop("Code was run; container time is billed apart."),
    "unknown_service_tier": noop("A new service tier, billed like the standard one."),
    "unknown_inference_geo": noop("A new region, billed like the global one."),
    "invalid_usage": noop("The usage that was reported is not valid, so nothing was booked."),
    "implausible_usage": noop("The usage reported cannot be true, so nothing was booked."),
    "zero_usage": noop("A reply was heard, and the usage reported says that none was written."),
    "above_hold": noop("It cost more than the worst case that was held for it."),
}
STOPS = {
    "end_turn": noop("finished"),
    "max_tokens": noop("reached the limit of tokens"),
    "stop_sequence": noop("reached a stop sequence"),
    "tool_use": noop("asked for a tool"),
    "pause_turn": noop("paused"),
    "refusal": noop("declined"),
    "model_context_window_exceeded": noop("the context window is full"),
    "stopped": noop("stopped"),
    "interrupted": noop("interrupted"),
    "connection_lost": noop("connection lost"),
    "no_answer": noop("no answer"),
    "idle_timeout": noop("idle timeout"),
    "total_timeout": noop("total timeout"),
    "overloaded_error": noop("overloaded error"),
    "rate_limit_error": noop("rate limit error"),
    "api_error": noop("api error"),
}
SEGMENTS = {
    "compaction": noop("compaction"),
    "advisor_message": noop("advisor"),
    "fallback_message": noop("fallback"),
}


@dataclass(frozen=True)
class Entry:
    """One line: `quantity` x `unit_price` x `multiplier` = `amount_pusd`.

    The unit price is of a million tokens, or of one search or whatever else is counted.
    """

    label: str
    part: str
    quantity: int
    unit_price: str
    multiplier: str
    amount_pusd: int
    per_token: bool


@dataclass(frozen=True)
class Receipt:
    """What ledger/_receipt.html shows. The amounts of `entries` add up to the charge's.

    `metered` is the evidence that counts: what came late, when something did.
    """

    charge: "Charge"
    metered: Metered
    entries: tuple[Entry, ...]
    prices: tuple[PriceVersion, ...]
    adjustments: tuple[Adjustment, ...]

    @property
    def total(self) -> str:
        """Every digit of the dollars, or the word for why there are none."""
        if self.charge.amount_pusd is not None:
            return placed(f"${exact(self.charge.amount_pusd)}")
        match self.charge.state, self.charge.status:
            case State.AUTHORIZED, _status:
                return _("not known yet")
            case State.VOIDED, _status:
                return _("not billed")
            case State.CAPTURED, Status.UNPRICED:
                return _("unpriced")
        return _("unknown")

    @property
    def sentence(self) -> str:
        return calls_like_this(self.charge.amount_pusd)

    @property
    def flags(self) -> list[str]:
        """The charge's flags in words."""
        return [_(FLAGS.get(flag, _spelled(flag))) for flag in self.charge.flags]

    @property
    def stop(self) -> str:
        """Why the reply ended, in a few words."""
        match self.metered.response:
            case {"stop_reason": str(reason)}:
                pass
            case _:
                # Cut short without an error: by a person.
                cut = self.charge.status == Status.ESTIMATED
                reason = self.charge.error or ("stopped" if cut else "")
        return _(STOPS.get(reason, _spelled(reason))) if reason else ""

    @property
    def thinking_tokens(self) -> int | None:
        """Of the output, where the API says so; they are billed as output."""
        match self.metered.usage:
            case {"output_tokens_details": {"thinking_tokens": int(tokens)}}:
                return tokens
        return None

    @property
    def raw(self) -> str:
        """The usage as it was reported, and what else the price rests on."""
        if self.metered.usage is None:
            return ""
        told = {"usage": self.metered.usage, "response": self.metered.response}
        return json.dumps(told, indent=2, ensure_ascii=False)

    @property
    def served(self) -> str:
        """The service tier, the speed and the region that the call got."""
        got = self.metered.usage or {}
        told = [got.get(key) for key in ("service_tier", "speed", "inference_geo")]
        return ", ".join(str(word) for word in told if word) or _("not reported")


def of(charge: "Charge") -> Receipt:
    lines = list(charge.lines.in_force().select_related("price_version", "counter_price"))
    samplings = {line.segment for line in lines if line.kind in TOKENS}
    return Receipt(
        charge=charge,
        metered=charge.metered(),
        entries=tuple(_entry(line, several=len(samplings) > 1) for line in lines),
        prices=tuple(dict.fromkeys(line.price_version for line in lines if line.price_version)),
        adjustments=tuple(charge.adjustments.select_related("recorded_by")),
    )


def _entry(line: ChargeLine, *, several: bool) -> Entry:
    tokens = line.kind in TOKENS
    counter = line.counter_price.counter if line.counter_price else ""
    return Entry(
        label=counter or Kind(line.kind).head,
        part=_part(line) if several and tokens else "",
        quantity=line.quantity,
        unit_price=per_mtok(line.unit_price_pusd) if tokens else usd(line.unit_price_pusd, "exact"),
        multiplier=_multiplier(line.multiplier_bp),
        amount_pusd=line.amount_pusd,
        per_token=tokens,
    )


def _part(line: ChargeLine) -> str:
    """Which sampling of several: "2 · advisor · claude-opus-5-5"."""
    word = SEGMENTS.get(line.segment_type)
    return " · ".join([str(line.segment + 1), *([_(word)] if word else []), line.model])


def _multiplier(basis_points: int) -> str:
    return "" if basis_points == 10_000 else localized(f"{Decimal(basis_points) / 10_000:f}")


def _spelled(code: str) -> str:
    return code.replace("_", " ")
