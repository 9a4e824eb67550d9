"""Freed memory goes back to the system: glibc keeps it in holes, and a process would grow for days."""

import asyncio
import ctypes
from typing import Any

EVERY = 60.0  # seconds

# Other C libraries have no such call, and less need of it.
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


async def watch(**kwargs: Any) -> None:
    """For `server_started`: once a minute for as long as the loop runs."""
    _again(asyncio.get_running_loop())


def _again(loop: asyncio.AbstractEventLoop) -> None:
    give_back()
    loop.call_later(EVERY, _again, loop)


def give_back() -> None:
    """A millisecond or two, and 1 ms more for each megabyte that goes."""
    if _trim:
        _trim(0)
