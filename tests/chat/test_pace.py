"""Reads are paced when many streams fill the loop's thread, and only then."""

from typing import Any

import pytest

from chatapp.chat import pace
from chatapp.chat.pace import Pace


@pytest.mark.parametrize(
    ("streams", "share", "seconds"),
    [(200, 0.1, 0.0), (200, 0.3, 0.03), (200, 0.5, 0.05), (200, 0.9, 0.05), (5, 0.9, 0.0)],
)
def test_streams_wait_for_company_as_the_thread_fills(
    monkeypatch: Any, streams: int, share: float, seconds: float
) -> None:
    calm = Pace()
    calm.streams = streams
    for second in range(1, 30):
        monkeypatch.setattr(pace, "thread_time", lambda worked=second * share: worked)
        calm.look(float(second))
    assert calm.seconds == pytest.approx(seconds, abs=0.001)
