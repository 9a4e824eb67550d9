"""What a process frees in small pieces goes back to the system."""

import asyncio
import re
from pathlib import Path

import pytest

from chatapp.web import memory


def resident() -> int:
    """Megabytes."""
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) // 1024


@pytest.mark.skipif(memory._trim is None, reason="only glibc keeps what is freed")
def test_holes_between_what_stays_are_given_back() -> None:
    # Longer than what Python's own allocator takes.
    pieces = [bytes(600) for _ in range(100_000)]
    stay = pieces[::64]
    del pieces
    full = resident()
    memory.give_back()
    assert full - resident() > 20
    assert len(stay) == 1563


async def test_it_is_done_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    done, thrice = iter(range(3)), asyncio.Event()
    monkeypatch.setattr(memory, "EVERY", 0.001)
    monkeypatch.setattr(memory, "give_back", lambda: next(done, None) is None and thrice.set())
    await memory.watch()
    await asyncio.wait_for(thrice.wait(), 10)
