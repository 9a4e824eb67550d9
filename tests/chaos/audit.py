"""The invariants I1 to I10, asked after every row; and the vendor's bill beside the ledger."""

import json
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from chatapp.chat.text import clean
from tests.chaos.cluster import KEY, Cluster
from tests.chaos.parts import within
from tests.pricing.by_fractions import dollars
from tests.servers import ROOT
from tests.upstream import Call

PRICES = json.loads((ROOT / "chatapp" / "pricing" / "data" / "prices.json").read_text())
# In every question, so that a log that holds one is found out.
MARK = "wombat"
LEASE = 8.0
GROWTH = 50  # megabytes
REPLIES = """
    SELECT g.id, g.state, g.error, m.text, q.text AS question
    FROM chat_generation g JOIN chat_message m ON m.id = g.message_id
    JOIN chat_message q ON q.id = m.parent_id
"""
CHARGES = """
    SELECT c.reference, c.attempt, c.state, c.status, c.request_id, c.usage, c.amount_pusd,
        c.low_pusd, c.high_pusd
    FROM chat_generation g JOIN ledger_charge c ON c.reference = g.id
    ORDER BY c.reference, c.attempt
"""
# A link to a source, and the new paragraph after a search: ours, not the vendor's words.
SOURCE = re.compile(r"\[\\\[\d+\\\]\]\(<[^>]*>\)")
ENDED = ("done", "stopped", "interrupted", "failed")


@dataclass
class Money:
    """Captured calls of one model, and pico-USD: what the vendor asks, what we booked."""

    calls: int = 0
    # Calls that ended, and what the ledger has as exact.
    finished: int = 0
    exact: int = 0
    # Calls that were cut short.
    unfinished: int = 0
    estimated: int = 0
    low: int = 0
    high: int = 0
    # Calls of which nothing was heard before their process was lost.
    unknown: int = 0
    unheard: int = 0


@dataclass
class Audit:
    """Checks what came since the last check."""

    cluster: Cluster
    # Of this row: the vendor says impossible things. Its bill is in no sum then, and no call must
    # be exact.
    odd: bool = False
    money: dict[str, Money] = field(default_factory=lambda: defaultdict(Money))
    seen: set[str] = field(default_factory=set)
    read: dict[str, int] = field(default_factory=dict)
    # Megabytes of each process, at first and after the row before.
    memory: dict[int, tuple[int, int]] = field(default_factory=dict)

    def check(self) -> None:
        self.rest()
        calls: dict[str, list[Call]] = defaultdict(list)
        for call in list(self.cluster.vendor.bill):
            calls[clean(call.prompt)].append(call)
        charges: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for reference, *rest in self.cluster.query(CHARGES):
            charges[str(reference)].append(tuple(rest))
        for id, state, error, text, question in self.cluster.query(REPLIES):
            if str(id) not in self.seen:
                self.seen.add(str(id))
                self.reply(state, error, text, calls[question], charges[str(id)])
        self.logs()
        self.sizes()

    def rest(self) -> None:
        """I2, I4: all ended, and nothing held."""
        live = "SELECT COUNT(*) FROM chat_generation WHERE state IN ('queued', 'running')"
        within(LEASE + 20, lambda: self.cluster.query(live) == [(0,)], "I2: replies end")
        held = "SELECT COALESCE(SUM(held_pusd), 0) FROM ledger_charge WHERE state = 'authorized'"
        assert self.cluster.query(held) == [(0,)], "I4: holds are let go"
        assert self.cluster.query("SELECT COUNT(*) FROM chat_chunk") == [(0,)]
        within(10, lambda: not self.cluster.vendor.open, "the vendor's streams are closed")
        time.sleep(0.1)  # its bill is written as they close

    def reply(
        self, state: str, error: str, text: str, calls: list[Call], charges: list[Any]
    ) -> None:
        assert state in ENDED
        assert [charge[0] for charge in charges] == [*range(1, len(charges) + 1)], "I3"
        assert all(charge[1] in ("captured", "voided") for charge in charges), "I3"
        assert len(calls) <= len(charges), f"I5: {len(calls)} calls, {len(charges)} charges"
        requests = {call.request_id: call for call in calls}
        if state == "done" or text:
            # A paused reply goes on in a call more; what is asked again had shown nothing.
            written = clean("".join(call.text for call in calls))
            if SOURCE.search(text):
                written, text = run_together(written), run_together(SOURCE.sub("", text))
            assert written.startswith(text), f"I6: {text[-60:]!r} is not what the vendor wrote"
        for _, how, status, request_id, usage, amount, low, high in charges:
            call = requests.get(request_id) or (
                calls[0] if len(calls) == len(charges) == 1 else None
            )
            if how == "captured":
                usage = json.loads(usage) if isinstance(usage, str) else usage
                self.captured(status, usage, amount, (low, high), call)
            else:
                assert not (call and call.usage), "I7: voided, and the vendor bills it"
        if state == "done":
            assert charges[-1][2] == "exact" or (self.odd and charges[-1][2] == "unknown"), "I7"
            assert requests[charges[-1][3]].stop_reason, "I7: done before the vendor said so"
            assert error == "", f"I7: done, with the error {error}"

    def captured(
        self, status: str, usage: Any, amount: Any, bounds: Any, call: Call | None
    ) -> None:
        name = call.model if call else "never reached the vendor"
        money = Money() if self.odd else self.money[name]
        money.calls += 1
        assert amount is None or amount >= 0, "I8: a call never gives money back"
        true = priced(call) if call and call.usage else None
        match status:
            case "exact":
                assert call, "I7: exact without a call"
                assert call.usage, "I7: exact, and the vendor bills nothing"
                # What the vendor did not tell, it may bill all the same.
                told = {name: call.usage.get(name) for name in usage} if self.odd else call.usage
                assert usage == told, "I7: tokens are the vendor's"
                assert true is None or amount == true, f"I7: {amount} is not {true}"
                money.finished += true or 0
                money.exact += amount
            case "unknown":
                assert amount is None
                money.unknown += 1
                money.unheard += true or 0
            case "estimated":
                assert call
                assert call.usage
                assert usage["input_tokens"] == call.usage["input_tokens"], "I8: the input is exact"
                low, high = bounds
                assert low <= amount <= high
                assert true is None or low <= true <= high, f"I8: {true} is not in {low}..{high}"
                money.unfinished += true or 0
                money.estimated += amount
                money.low += low
                money.high += high
            case other:
                raise AssertionError(f"I8: {other}")

    def logs(self) -> None:
        """I10: no secrets, no prompts, no tracebacks."""
        for node in self.cluster.nodes:
            text = node.log.read_text()
            new = text[self.read.get(str(node.log), 0) :]
            self.read[str(node.log)] = len(text)
            assert KEY not in text, "I10: the key is in a log"
            assert MARK not in new, "I10: a question is in a log"
            traces = [line[:3000] for line in new.splitlines() if "Traceback" in line]
            assert not traces, f"I10: {traces}"

    def sizes(self) -> None:
        """I9: as large as after the row before, give or take, and as after the first, give twice."""
        for node in self.cluster.nodes:
            now = node.memory
            first, before = self.memory.get(node.pid, (now, now))
            self.memory[node.pid] = first, now
            told = f"I9: {first} MB at first, {before} before this row, {now} after it"
            assert now <= min(before + GROWTH, first + 2 * GROWTH), told


def run_together(text: str) -> str:
    return "".join(text.split())


def priced(call: Call) -> int | None:
    """What this call costs by the vendor's price list, in pico-USD."""
    usage = call.usage or {}
    try:
        at = datetime.fromtimestamp(call.began, UTC)
        cost = dollars(PRICES, call.model, at, usage, {"stop_reason": call.stop_reason})
    except (TypeError, KeyError):
        return None
    if cost is None:
        return None
    exact = Fraction(cost) * 10**12
    assert exact.denominator == 1
    return int(exact)
