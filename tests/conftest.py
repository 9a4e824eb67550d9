"""The cast and the servers every test may ask for.

alice and bob are people, charlie must not see what is theirs, admin is a superuser. Tests whose
code reads the database from other threads (`db()`, consumers, the engine) need
`transactional_db`: what the plain `db` fixture writes is never committed.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import translation

from tests import servers

pytest_plugins = ["tests.ledger.guards", "tests.upstream"]

# Seconds for one test with its fixtures.
LONGEST = 300
# Whoever asks for one of these may meet a database or Redis.
STORED = {"db", "server", "demo_server", "upstream_url", "postgresql_url", "redis_url", "world"}
# Plain queries, or hardly any: `make test` has twenty minutes and tries these beside SQLite only.
# EVERYTHING=1 tries them on PostgreSQL too.
ONCE = {
    "browser": {"finding", "sharing"},
    "chat": {
        *("attachments", "deleting", "endings", "exporting", "faults", "figures", "foreign"),
        *("languages", "many_images", "page_tags", "pages", "projects", "replies", "sharing"),
        *("temporary", "wishes"),
    },
    "claude": {"registration"},
    "dashboard": {
        *("api", "budget_pages", "charts", "earlier", "forecast", "german", "pages", "periods"),
        *("privacy", "what_if"),
    },
    "ledger": {"admin", "german", "plans"},
    "pricing": {"admin", "genai"},
    "web": {"checks", "headers", "serve", "warm"},
}


@pytest.fixture(autouse=True)
def no_language_stays() -> Iterator[None]:
    """A page leaves its reader's language with the thread, and tests share one."""
    yield
    translation.deactivate()


def person(username: str, **fields: Any) -> Any:
    fields = {"name": username.title(), "email": f"{username}@example.com"} | fields
    return get_user_model().objects.create_user(username, password=servers.PASSWORD, **fields)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "once: beside SQLite only, but for EVERYTHING=1")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only what it may change: everything else was tried beside SQLite."""
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return
    same = [item for item in items if not _stores(item)]
    config.hook.pytest_deselected(items=same)
    items[:] = [item for item in items if item not in set(same)]


def _stores(item: pytest.Item) -> bool:
    everything = os.environ.get("EVERYTHING") == "1"
    module = item.path.stem.removeprefix("test_")
    once = item.get_closest_marker("once") or module in ONCE.get(item.path.parent.name, ())
    if once and not everything:
        return False
    names = set(getattr(item, "fixturenames", ()))
    return bool(names & STORED or item.get_closest_marker("django_db"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """A test that hangs fails, and says where each of its tasks waits."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LONGEST)
    try:
        return (yield)
    finally:
        signal.alarm(0)


def _too_long(*_: object) -> None:
    with suppress(RuntimeError):
        for task in asyncio.all_tasks():
            task.print_stack(file=sys.stderr)
    raise TimeoutError(f"longer than {LONGEST} s")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database, which PostgreSQL drops only when no thread's connection is left."""
    yield
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            connection.close_pool()
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


@pytest.fixture
def alice(db: None) -> Any:
    return person("alice")


@pytest.fixture
def bob(db: None) -> Any:
    return person("bob")


@pytest.fixture
def charlie(db: None) -> Any:
    return person("charlie")


@pytest.fixture
def admin(db: None) -> Any:
    return person("admin", is_staff=True, is_superuser=True)


def _missing(reason: servers.Missing) -> None:
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"REQUIRE_ALL=1, and {reason}")
    pytest.skip(f"NOT TESTED: {reason}")


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    try:
        with servers.postgresql() as url:
            yield url
    except servers.Missing as reason:
        _missing(reason)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    try:
        with servers.redis() as url:
            yield url
    except servers.Missing as reason:
        _missing(reason)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    try:
        return servers.chromium()
    except servers.Missing as reason:
        _missing(reason)
        raise


@pytest.fixture(scope="module")
def upstream_url() -> Iterator[str]:
    """The base URL of the scriptable vendor of tests/upstream.py, in a process of its own."""
    with servers.upstream() as url:
        yield url


@pytest.fixture(scope="module")
def server(upstream_url: str) -> Iterator[servers.Server]:
    """A real `manage.py serve` whose vendor is the fake upstream; one for the tests of a module."""
    with servers.chatapp(ANTHROPIC_BASE_URL=upstream_url, ANTHROPIC_API_KEY="test") as running:
        yield running


@pytest.fixture(scope="module")
def demo_server() -> Iterator[servers.Server]:
    """The same without a key: replies come from the bundled stand-in."""
    with servers.chatapp() as running:
        yield running


@pytest.fixture(autouse=True)
def own_files(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
