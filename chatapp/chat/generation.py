"""The story of one reply: ask, hear it out, perhaps wait and ask again; and how it ended."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass

from chatapp.claude.client import Prompt, Reply
from chatapp.claude.errors import Fault

ATTEMPTS = 4
# A vendor who asks for more patience than this is answered with a time, not with a wait.
LONGEST_WAIT = 10.0  # seconds

Door = Callable[[Prompt], AbstractAsyncContextManager[Reply]]
Piece = tuple[str, str]


@dataclass(frozen=True)
class Asking:
    """A request is about to leave; the listener makes sure that money is held for it."""

    attempt: int


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
class Ended:
    """Nothing follows. Without a fault the reply is whole."""

    fault: Fault | None = None


Event = Asking | Answered | Started | Waiting | Ended | Piece


async def tell(
    prompt: Prompt, door: Door, rest: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> AsyncGenerator[Event]:
    """Tell the reply to this prompt, event by event, until an Ended.

    Only an attempt that has not shown a word is made again, for faults that may pass, at most three
    times.
    """
    for attempt in range(1, ATTEMPTS + 1):
        yield Asking(attempt)
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
            yield Ended()
            return
        except Fault as fault:
            wait = pause(attempt, fault)
            if heard or not fault.retryable or attempt == ATTEMPTS or wait > LONGEST_WAIT:
                yield Ended(fault)
                return
            yield Waiting(fault, wait)
            await rest(wait)


def pause(attempt: int, fault: Fault) -> float:
    """Seconds until the next attempt: what the vendor asked for, else full jitter."""
    jitter = random.uniform(0, min(1.5, 0.5 * 2**attempt))  # noqa: S311 - jitter, not a secret
    return jitter if fault.retry_after is None else fault.retry_after + jitter / 10
