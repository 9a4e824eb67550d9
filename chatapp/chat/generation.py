"""The story of one reply: ask, hear it out, perhaps wait and ask again; and how it ended."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass

from chatapp.claude.client import Prompt, Reply
from chatapp.claude.errors import Fault

ATTEMPTS = 4
TURNS = 5  # calls that one reply may take when the model pauses it
# A vendor who asks for more patience than this is answered with a time, not with a wait.
LONGEST_WAIT = 10.0  # seconds

Door = Callable[[Prompt], AbstractAsyncContextManager[Reply]]
Piece = tuple[str, str]


@dataclass(frozen=True)
class Asking:
    """A request is about to leave; the listener makes sure that money is held for it."""

    attempt: int
    prompt: Prompt


@dataclass(frozen=True)
class Answered:
    """The connection stands: from here on its meter knows what may be billed."""

    reply: Reply


@dataclass(frozen=True)
class Started:
    """message_start: the prompt is billed from here on."""


@dataclass(frozen=True)
class Waiting:
    """The attempt failed before its first word and will be made again."""

    fault: Fault
    seconds: float


@dataclass(frozen=True)
class Paused:
    """The model let go in the middle. This call is over, and another goes on where it stopped."""

    prompt: Prompt


@dataclass(frozen=True)
class Ended:
    """Nothing follows. Without a fault the reply is whole."""

    fault: Fault | None = None


Event = Asking | Answered | Started | Waiting | Paused | Ended | Piece


async def tell(
    prompt: Prompt, door: Door, rest: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> AsyncGenerator[Event]:
    """Tell the reply to this prompt, event by event, until an Ended.

    Only an attempt that has not shown a word is made again, for faults that may pass, at most three
    times. A paused reply goes on by itself, in a few calls at most.
    """
    calls, turn, attempt = 0, 1, 1
    while True:
        calls += 1
        yield Asking(calls, prompt)
        heard = False
        try:
            async with door(prompt) as reply, aclosing(aiter(reply)) as pieces:
                yield Answered(reply)
                async for piece in pieces:
                    if piece[0] == "start":
                        yield Started()
                    else:
                        heard = True
                        yield piece
            if (rest_of_it := reply.rest) is None or turn == TURNS:
                yield Ended()
                return
            yield Paused(rest_of_it)
            prompt, turn, attempt = rest_of_it, turn + 1, 1
        except Fault as fault:
            too_late = (fault.retry_after or 0) > LONGEST_WAIT
            if heard or not fault.retryable or attempt == ATTEMPTS or too_late:
                yield Ended(fault)
                return
            wait = pause(attempt, fault)
            yield Waiting(fault, wait)
            await rest(wait)
            attempt += 1


def pause(attempt: int, fault: Fault) -> float:
    """Seconds until the next attempt: what the vendor asked for, else full jitter."""
    jitter = random.uniform(0, min(1.5, 0.5 * 2**attempt))  # noqa: S311 - jitter, not a secret
    return jitter if fault.retry_after is None else fault.retry_after + jitter / 10
