"""Database work off the event loop: bounded threads, one transaction a function, safe to repeat."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from itertools import count
from queue import PriorityQueue
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)
from django.utils.translation import get_language, override

from chatapp.web import postgresql

P = ParamSpec("P")
T = TypeVar("T")

TRIES = 3
# Seconds for one answer of PostgreSQL here; pages with long queries have more.
PATIENCE = 5.0

logger = logging.getLogger(__name__)


def keep_connection() -> None:
    """SQLite's stays open with its thread: to open is dear, and the last to close syncs the file."""
    if connection.vendor == "sqlite":
        connection.settings_dict = connection.settings_dict | {"CONN_MAX_AGE": None}


threads = ThreadPoolExecutor(settings.DATABASE_THREADS, "database", keep_connection)
# Not urgent?, the order it came in, the work, and who waits for it.
jobs: PriorityQueue[tuple[bool, int, Callable[[], Any], Future[Any]]] = PriorityQueue()
numbers = count()


async def db(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` in a thread, inside one transaction of its own.

    Lost connections, locks, deadlocks and serialization failures are tried again, up to three
    times in all, so `function` must be safe to repeat: a commit whose answer was lost runs twice.
    Cancelling the await does not stop the thread; the transaction may still commit.
    """
    return await _queued(partial(function, *args, **kwargs), urgent=False)


async def db_first(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`db`, before all that waits for a thread: for short work that is worth nothing late."""
    return await _queued(partial(function, *args, **kwargs), urgent=True)


async def _queued(function: Callable[[], T], *, urgent: bool) -> T:
    done: Future[T] = Future()
    work = partial(copy_context().run, _speaking, get_language(), function)
    jobs.put((not urgent, next(numbers), work, done))
    threads.submit(_work_off)
    return await asyncio.wrap_future(done)


def _speaking(language: str | None, function: Callable[[], T]) -> T:
    """The context comes along, but asgiref keeps its own variables to the thread they were set in."""
    with override(language):
        return persist(function)


def _work_off() -> None:
    *_, work, done = jobs.get()
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(work())
    except BaseException as fault:
        done.set_exception(fault)


def persist(function: Callable[[], T]) -> T:
    """`function()` in a transaction on a fresh connection, tried again after a passing fault."""
    postgresql.patience.set(PATIENCE)
    for pause in [0.05 * 2**n for n in range(TRIES - 1)]:
        try:
            return transact(function)
        except (OperationalError, InterfaceError) as fault:
            logger.warning("database: %s, trying again", type(fault).__name__)
        time.sleep(random.uniform(pause, 2 * pause))  # noqa: S311 - jitter, not a secret
    return transact(function)


def transact(function: Callable[[], T]) -> T:
    close_old_connections()
    try:
        with transaction.atomic():
            return function()
    finally:
        close_old_connections()
