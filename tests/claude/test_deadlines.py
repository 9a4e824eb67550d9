"""Patience runs out for the vendor's silence only: not for ours, not for a busy reader's."""

import asyncio
import time

import pytest

from chatapp.claude import deadlines
from chatapp.claude.deadlines import Patience


async def silence(patience: Patience, seconds: float = 5) -> None:
    with patience:
        await asyncio.sleep(seconds)


@pytest.mark.parametrize(
    ("first", "idle", "total", "heard", "code"),
    [
        (0.05, 9, 9, False, "no_answer"),
        (9, 0.05, 9, True, "idle_timeout"),
        (9, 9, 0.05, False, "total_timeout"),
    ],
)
async def test_runs_out(first: float, idle: float, total: float, heard: bool, code: str) -> None:
    patience = Patience(first=first, idle=idle, total=total)
    if heard:
        patience.heard()
    with pytest.raises(asyncio.CancelledError):
        await silence(patience)
    assert patience.ended()
    assert patience.expired == code
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


async def test_the_first_may_take_longer_than_the_next() -> None:
    patience = Patience(first=9, idle=0.05, total=9)
    with pytest.raises(asyncio.CancelledError), patience:
        await asyncio.sleep(0.2)
        patience.heard()
        await asyncio.sleep(5)
    assert patience.ended()
    assert patience.expired == "idle_timeout"


async def test_a_stop_at_the_same_time_is_a_stop() -> None:
    patience = Patience(first=0.05, idle=9, total=9)
    task = asyncio.create_task(silence(patience))
    await asyncio.sleep(0)
    patience._due = 0
    patience._check()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert patience.expired
    assert task.cancelling() == 2


async def test_waits_for_a_busy_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "LAG", 0.05)
    with Patience(first=0.05, idle=9, total=9) as patience:
        patience.leave()
        await asyncio.sleep(0.2)
        assert not patience.expired
        patience.wait()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(5)
    assert patience.ended()


async def test_doubts_itself_after_standing_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "LAG", 0.1)
    monkeypatch.setattr(deadlines, "GRACE", 0.2)
    with Patience(first=0.05, idle=9, total=9) as patience:
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 - the process stands still
        await asyncio.sleep(0.05)
        assert not patience.expired
        patience.heard()
        await asyncio.sleep(0.3)
    assert not patience.expired


async def test_says_last_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "LAST_CALL", 0.05)
    with Patience(first=9, idle=9, total=9) as patience:
        patience.last_call()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(5)
    assert patience.ended()
