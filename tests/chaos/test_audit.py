"""The audit of the rows finds what it looks for: each of these would pass for right otherwise."""

from typing import Any

import pytest

from tests.chaos.audit import Audit, priced
from tests.upstream import Call

USAGE = {"input_tokens": 10, "output_tokens": 3}


def call(**fields: Any) -> Call:
    usual = {"usage": USAGE, "stop_reason": "end_turn", "text": "w0 w1", "began": 1_780_000_000.0}
    return Call("req_1", "claude-haiku-4-5", "Go", 100, **usual | fields)


def charge(status: str = "exact", amount: int | None = None, **fields: Any) -> tuple[Any, ...]:
    usual = {"how": "captured", "usage": USAGE, "low": 0, "high": 10**12}
    row = usual | fields
    return 1, row["how"], status, "req_1", row["usage"], amount, row["low"], row["high"]


RIGHT = priced(call())
NEGATIVE = {"input_tokens": 10, "output_tokens": -5}


def audit(*, odd: bool = False) -> Audit:
    return Audit(cluster=None, odd=odd)  # type: ignore[arg-type]


@pytest.mark.parametrize("odd", [False, True])
def test_what_is_right_passes(odd: bool) -> None:
    found = audit(odd=odd)
    found.reply("done", "", "w0 w1", [call()], [charge(amount=RIGHT)])
    assert [money.finished for money in found.money.values()] == ([] if odd else [RIGHT])


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize(
    ("why", "state", "error", "text", "vendor", "ledger"),
    [
        ("before the vendor said", "done", "", "w0", call(stop_reason=""), charge(amount=RIGHT)),
        ("error", "done", "overloaded", "w0", call(), charge(amount=RIGHT)),
        ("I7", "done", "", "w0", call(), charge("estimated", RIGHT)),
        ("I6", "done", "", "w1", call(), charge(amount=RIGHT)),
        ("I7", "done", "", "w0", call(), charge(amount=RIGHT and RIGHT + 1)),
        ("I7", "done", "", "w0", call(usage=NEGATIVE), charge(amount=RIGHT)),
        ("I8", "done", "", "w0", call(usage=NEGATIVE), charge(amount=-1, usage=NEGATIVE)),
        ("I7: voided", "failed", "forbidden", "", call(), charge("", how="voided")),
        ("I8", "interrupted", "x", "w0", call(), charge("estimated", 1, high=1)),
        ("I8", "interrupted", "x", "w0", call(), charge("estimated", -1, low=-2)),
    ],
)
def test_what_is_wrong_is_found(
    odd: bool, why: str, state: str, error: str, text: str, vendor: Call, ledger: Any
) -> None:
    with pytest.raises(AssertionError, match=why):
        audit(odd=odd).reply(state, error, text, [vendor], [ledger])
