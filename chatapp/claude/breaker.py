"""Stops asking for a while when Anthropic refuses our key or our money, or is overloaded throughout."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from chatapp.claude.errors import Fault


@dataclass(frozen=True)
class Limit:
    """So many failures in a row open the breaker; one call may try again every `rest` seconds."""

    failures: int
    rest: float


# One refusal of the key or of payment concerns every call; being overloaded often passes at once.
LIMITS = {
    "unauthorized": Limit(1, 15.0),
    "billing": Limit(1, 15.0),
    "overloaded": Limit(5, 5.0),
}


# What does not pass by itself: somebody has to look after the key or the account.
REFUSALS = ("unauthorized", "billing")


@dataclass
class Breaker:
    """Of one process."""

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

    def check(self) -> None:
        """Let a call pass, or raise the Fault that opened the breaker."""
        match self.state:
            case "open":
                wait = self.open_until - time.monotonic()
                raise Fault(self.code, unbilled=True, retry_after=wait)
            case "half_open":
                self.open_until = time.monotonic() + LIMITS[self.code].rest

    def succeeded(self) -> None:
        self.code, self.failures, self.open_until, self.since = "", 0, 0.0, None

    def failed(self, code: str) -> None:
        """Count a failure of one of the LIMITS; any other tells nothing about the next call."""
        if limit := LIMITS.get(code):
            if code != self.code:
                self.code, self.failures, self.since = code, 0, None
            self.failures += 1
            if self.failures >= limit.failures:
                self.open_until = time.monotonic() + limit.rest
                self.since = self.since or datetime.now(UTC)


breaker = Breaker()
