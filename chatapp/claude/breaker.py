"""Stops asking for a while when Anthropic refuses our key or our money, or a model is overloaded."""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from chatapp.claude.errors import Fault


@dataclass(frozen=True)
class Limit:
    """So many failures in a row open a circuit; one call may try again every `rest` seconds.

    `everywhere`: it concerns every model, not only the one that was asked.
    """

    failures: int
    rest: float
    everywhere: bool = False


# A refusal is told at once, being overloaded often passes. A 403 does not say whether the key may
# do nothing or may not use this model: each model finds out by a call of its own, which is free.
LIMITS = {
    "unauthorized": Limit(1, 15.0, everywhere=True),
    "billing": Limit(1, 15.0, everywhere=True),
    "forbidden": Limit(1, 15.0),
    "overloaded": Limit(5, 5.0),
}


# What does not pass by itself: somebody has to look after the key or the account.
REFUSALS = ("unauthorized", "billing", "forbidden")


@dataclass
class Circuit:
    """Of one model, or of all."""

    code: str = ""
    failures: int = 0
    open_until: float = 0.0
    since: datetime | None = None

    @property
    def state(self) -> str:
        """closed, open (every call fails at once) or half_open (the next one may try)."""
        if not self.open_until:
            return "closed"
        return "open" if time.monotonic() < self.open_until else "half_open"

    @property
    def refusal(self) -> str:
        """The code of the refusal that opened it, until a call succeeds again; else ""."""
        return self.code if self.state != "closed" and self.code in REFUSALS else ""

    def failed(self, code: str, limit: Limit) -> None:
        if code != self.code:
            self.code, self.failures, self.since = code, 0, None
        self.failures += 1
        if self.failures >= limit.failures:
            self.open_until = time.monotonic() + limit.rest
            self.since = self.since or datetime.now(UTC)


class Breaker:
    """Of one process: a circuit for the key and its account, and one for each model."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.account = Circuit()
        self.models: defaultdict[str, Circuit] = defaultdict(Circuit)

    def check(self, model: str) -> None:
        """Let a call pass, or raise the Fault that opened a circuit on its way."""
        way = self.account, self.models[model]
        for circuit in way:
            if circuit.state == "open":
                wait = circuit.open_until - time.monotonic()
                raise Fault(circuit.code, unbilled=True, retry_after=wait)
        for circuit in way:
            if circuit.state == "half_open":
                circuit.open_until = time.monotonic() + LIMITS[circuit.code].rest

    def succeeded(self, model: str) -> None:
        self.account = Circuit()
        self.models.pop(model, None)

    def failed(self, code: str, model: str) -> None:
        """Count a failure of one of the LIMITS; any other tells nothing about the next call."""
        if limit := LIMITS.get(code):
            circuit = self.account if limit.everywhere else self.models[model]
            circuit.failed(code, limit)

    def refusals(self) -> Iterator[tuple[Circuit, str]]:
        """What an admin must look after, and which model it concerns: "" for all of them."""
        for model, circuit in {"": self.account, **self.models}.items():
            if circuit.refusal:
                yield circuit, model


breaker = Breaker()
