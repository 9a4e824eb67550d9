"""The ways in which a made-up call can turn out, each rated once and stored often."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from chatapp.ledger.choices import State
from chatapp.ledger.daily import AMOUNT, QUANTITY, counters
from chatapp.ledger.models import Charge
from chatapp.ledger.rating import Rated, rate, tokens
from chatapp.pricing.book import PriceBook
from chatapp.pricing.cost import Line, ceiling
from chatapp.pricing.usage import Certainty, Metered

ASKED_INSTEAD = "claude-haiku-4-5"
ENDED = {Certainty.EXACT: "", Certainty.ESTIMATED: "stopped"}
# Columns of a charge, and of a daily total, that are the same each time.
CHARGE = (
    *("requested_model", "served_model", "model", "speed", "service_tier", "inference_geo"),
    *("max_tokens", "attempt", "state", "status", "held_pusd", "amount_pusd", "low_pusd"),
    *("high_pusd", "tokens_in", "tokens_out", "flags", "usage", "response", "certainty"),
    *("reported_output", "estimated_output", "stop_reason", "error", "first_token_ms"),
    "duration_ms",
)
KINDS = (*QUANTITY.values(), *AMOUNT.values())
LINE = (
    *("segment", "segment_type", "model", "kind", "quantity", "unit_price_pusd", "multiplier_bp"),
    *("amount_pusd", "price_version_id"),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """One of them: `charge` in the order of CHARGE and KINDS, each line in the order of LINE."""

    number: int
    began: timedelta | None
    took: timedelta
    charge: tuple[Any, ...]
    lines: tuple[tuple[Any, ...], ...]


class Shapes:
    """Some for each model and price, made when they are first asked for; `new` were not taken yet."""

    def __init__(self, book: PriceBook, draw: Random, *, each: int) -> None:
        self.book, self.draw, self.each = book, draw, each
        self.new: list[Shape] = []
        self._made: dict[tuple[str, object], list[Shape]] = {}
        self._count = 0

    def of(self, model: str, at: datetime) -> list[Shape]:
        """Those of calls sent at that time. A model that no price book knows was not asked for."""
        asked = model if self.book.resolve(model) else ASKED_INSTEAD
        version = self.book.version(asked, "standard", at)
        key = (model, version and version.valid_from)
        if key not in self._made:
            self._made[key] = [self._shape(model, asked, at) for _ in range(self.each)]
            self.new += self._made[key]
        return self._made[key]

    def between(self, model: str, first: datetime, last: datetime) -> list[Shape] | None:
        """Those of the whole time; None when the price changes in it."""
        found = self.of(model, first)
        return found if found is self.of(model, last) else None

    def _shape(self, model: str, asked: str, at: datetime) -> Shape:
        draw = self.draw
        prompt = min(int(draw.lognormvariate(7.2, 1.3)) + 20, 150_000)
        max_tokens = draw.choice([1024, 4096, 4096, 8192])
        output = min(int(draw.lognormvariate(5.6, 0.9)) + 1, max_tokens)
        metered = self._metered(model, prompt, output)
        held = ceiling(self.book, model=asked, at=at, prompt_tokens=prompt, max_tokens=max_tokens)
        rated = rate(self.book, metered, at=at, max_tokens=max_tokens, held_pusd=held or 0)
        first_ms, whole_ms = draw.randint(250, 1800), int(400 + output * draw.uniform(8, 20))
        values = {
            **_outcome(metered, rated, asked),
            "max_tokens": max_tokens,
            "held_pusd": held or 0,
            "first_token_ms": first_ms,
            "duration_ms": whole_ms,
        }
        counted = counters(Charge(), rated.lines)
        self._count += 1
        return Shape(
            number=self._count,
            began=timedelta(milliseconds=first_ms) if metered.usage else None,
            took=timedelta(milliseconds=first_ms + whole_ms),
            charge=tuple(values[name] for name in CHARGE) + tuple(counted[name] for name in KINDS),
            lines=tuple(_line(line) for line in rated.lines),
        )

    def _metered(self, model: str, prompt: int, output: int) -> Metered:
        """Three in four are cached at least in part; one in forty was stopped; a few are lost."""
        draw = self.draw
        if draw.random() < 0.003:
            return Metered(model, None, {}, Certainty.UNKNOWN)
        kept = int(prompt * draw.uniform(0.3, 0.95)) if draw.random() < 0.75 else 0
        read = kept if draw.random() < 0.8 else 0
        usage = {
            "input_tokens": prompt - kept,
            "cache_creation_input_tokens": kept - read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": kept - read,
                "ephemeral_1h_input_tokens": 0,
            },
            "cache_read_input_tokens": read,
            "output_tokens": output,
            "service_tier": draw.choices(["standard", "priority"], [19, 1])[0],
            "inference_geo": draw.choices(["global", "not_available"], [19, 1])[0],
        }
        if draw.random() < 0.025:
            part = {**usage, "output_tokens": 1}
            return Metered(model, part, {}, Certainty.ESTIMATED, max(1, output // 3), 1)
        return Metered(model, usage, {"stop_reason": "end_turn"}, Certainty.EXACT)


def _outcome(metered: Metered, rated: Rated, asked: str) -> dict[str, Any]:
    """By the names of a charge's columns."""
    usage, served = metered.usage or {}, metered.model if metered.usage else ""
    tokens_in, tokens_out = tokens(rated.lines, usage) if usage else (None, None)
    return {
        "requested_model": asked,
        "served_model": served,
        "model": served or asked,
        "speed": "standard",
        "service_tier": usage.get("service_tier", ""),
        "inference_geo": usage.get("inference_geo", ""),
        "attempt": 1,
        "state": State.CAPTURED.value,
        "status": rated.status.value,
        "amount_pusd": rated.amount_pusd,
        "low_pusd": rated.low_pusd,
        "high_pusd": rated.high_pusd,
        "tokens_in": tokens_in,
        "tokens_out": tokens_out,
        "flags": json.dumps(rated.flags),
        "usage": json.dumps(usage) if usage else None,
        "response": json.dumps(metered.response),
        "certainty": metered.certainty.value,
        "reported_output": metered.reported_output,
        "estimated_output": metered.estimated_output,
        "stop_reason": metered.response.get("stop_reason", ""),
        "error": ENDED.get(metered.certainty, "connection_lost"),
    }


def _line(line: Line) -> tuple[Any, ...]:
    """In the order of LINE."""
    return (
        *(line.segment, line.segment_type, line.model, str(line.kind), line.quantity),
        *(line.unit_price_pusd, line.multiplier_bp, line.amount_pusd, line.price_version),
    )
