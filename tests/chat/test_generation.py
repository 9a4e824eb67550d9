"""The story of a reply alone, with a door that fails and nobody who really waits."""

from typing import Any

import pytest

from chatapp.chat.generation import Ended, Waiting, tell
from chatapp.claude.client import Prompt
from chatapp.claude.errors import Fault


@pytest.mark.parametrize(
    ("retry_after", "told"),
    [(0, [*[Waiting] * 3, Ended]), (10, [*[Waiting] * 3, Ended]), (10.5, [Ended])],
)
async def test_up_to_ten_seconds_are_waited_for(retry_after: float, told: list[type]) -> None:
    waited: list[float] = []

    def door(prompt: Prompt) -> Any:
        raise Fault("rate_limited", unbilled=True, retry_after=retry_after)

    async def rest(seconds: float) -> None:
        waited.append(seconds)

    prompt = Prompt("claude-haiku-4-5", [{"role": "user", "content": "Hello"}])
    events = [type(event) async for event in tell(prompt, door, rest)]
    assert [kind for kind in events if kind in (Waiting, Ended)] == told
    assert all(seconds >= retry_after for seconds in waited)
