"""Database work from the event loop: retried, all or nothing, in bounded threads, never for ever."""

import asyncio
import threading
import time
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection

from chatapp.web import database, postgresql
from chatapp.web.database import db, db_first
from tests.conftest import person


def count() -> int:
    return get_user_model().objects.count()


@pytest.mark.django_db(transaction=True)
class TestDb:
    async def test_runs_in_one_transaction_and_returns_the_result(self) -> None:
        assert await db(lambda: connection.in_atomic_block) is True
        await db(person, "alice", name="A")
        assert await db(count) == 1

    async def test_a_failing_function_leaves_nothing_behind(self) -> None:
        def half() -> None:
            person("alice")
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await db(half)
        assert await db(count) == 0

    async def test_passing_faults_are_tried_again_from_the_start(self) -> None:
        tries: list[int] = []

        def deadlocks_twice() -> str:
            tries.append(1)
            person(f"alice{len(tries)}")
            if len(tries) < 3:
                raise OperationalError("deadlock detected")
            return "done"

        assert await db(deadlocks_twice) == "done"
        assert await db(count) == 1

    async def test_gives_up_after_three(self) -> None:
        tries: list[int] = []

        def down() -> None:
            tries.append(1)
            raise OperationalError("server closed the connection unexpectedly")

        with pytest.raises(OperationalError):
            await db(down)
        assert len(tries) == 3

    async def test_one_slow_function_does_not_hold_up_the_others(self) -> None:
        if connection.vendor == "sqlite":
            pytest.skip("SQLite takes one transaction at a time, by design")
        slow = asyncio.gather(*(db(time.sleep, 2) for _ in range(3)))
        began = time.monotonic()
        await asyncio.sleep(0)
        with_others = await db(lambda: time.monotonic() - began)
        assert with_others < 1.5
        await slow

    async def test_what_is_urgent_does_not_stand_in_line(self) -> None:
        order: list[str] = []
        go = threading.Event()
        busy = [db(go.wait, 5) for _ in range(settings.DATABASE_THREADS)]
        line = [db(order.append, f"{number}") for number in range(5)]
        waiting = [asyncio.ensure_future(job) for job in [*busy, *line]]
        await asyncio.sleep(0)
        first = asyncio.ensure_future(db_first(order.append, "first"))
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*waiting, first)
        assert sorted(order) == ["0", "1", "2", "3", "4", "first"]
        assert order.index("first") < settings.DATABASE_THREADS

    async def test_threads_are_bounded(self, settings: Any) -> None:
        names: set[str] = set()

        def remember() -> None:
            names.add(threading.current_thread().name)
            time.sleep(0.01)

        # Not through db(): SQLite takes one writing transaction at a time.
        loop = asyncio.get_running_loop()
        jobs = [loop.run_in_executor(database.threads, remember) for _ in range(100)]
        await asyncio.gather(*jobs)
        assert len(names) <= settings.DATABASE_THREADS

    async def test_cancelling_the_await_does_not_undo_the_work(self) -> None:
        begun = threading.Event()

        def slow() -> None:
            begun.set()
            time.sleep(0.2)
            person("alice")

        task = asyncio.create_task(db(slow))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.5)
        assert await db(count) == 1


def connect(url: str) -> postgresql.Connection:
    return postgresql.Connection.connect(url, autocommit=True)


def test_a_silent_database_is_given_up_and_its_connection_closed(postgresql_url: str) -> None:
    connection = connect(postgresql_url)
    token = postgresql.patience.set(0.3)
    began = time.monotonic()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT pg_sleep(30)")
    postgresql.patience.reset(token)
    assert time.monotonic() - began < 10
    assert connection.closed


def test_an_ordinary_error_keeps_the_connection(postgresql_url: str) -> None:
    connection = connect(postgresql_url)
    connection.execute("SET statement_timeout = '100ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute("SELECT pg_sleep(30)")
    assert connection.execute("SELECT 1").fetchone() == (1,)
    connection.close()


def test_a_session_that_was_ended_while_it_slept_is_a_passing_fault(postgresql_url: str) -> None:
    connection = connect(postgresql_url)
    connection.execute("SET idle_in_transaction_session_timeout = '50ms'")
    with connection.transaction(), pytest.raises(psycopg.OperationalError, match="idle"):
        connection.execute("SELECT 1")
        time.sleep(0.5)
        connection.execute("SELECT 1")
    assert connection.closed
