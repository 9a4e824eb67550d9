"""A cluster (on PostgreSQL) or a single process (on SQLite), and an audit after every row.

CHAOS=full runs every row; otherwise the cluster meets those that take a moment.
"""

import itertools
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import pytest

from tests import servers
from tests.chaos import cluster as clusters
from tests.chaos.audit import LEASE, MARK, Audit
from tests.chaos.browser import Browser
from tests.chaos.cluster import Cluster

FULL = os.environ.get("CHAOS") == "full"
CLUSTERED = os.environ.get("DATABASE_URL", "").startswith("postgres")
ROWS = set(os.environ.get("CHAOS_ROWS", "").split())
BRIEF = {
    "FIRST_BYTE_TIMEOUT": "5",
    "IDLE_TIMEOUT": "5",
    "TOTAL_TIMEOUT": "90",
    "LEASE_SECONDS": str(LEASE),
}
people = itertools.cycle(f"person{number}" for number in range(clusters.PEOPLE))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "row(id, fault): a row of the fault matrix")
    config.addinivalue_line("markers", "full: only in the whole matrix, make chaos")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = [item for item in items if "chaos" in item.path.parts]
    left_out = set()
    for item in here:
        item.user_properties += [("row", mark.args) for mark in item.iter_markers("row")]
        names = getattr(item, "fixturenames", ())
        if ("cluster" in names and not CLUSTERED) or ("single" in names and CLUSTERED):
            left_out.add(item)
        brief = CLUSTERED and not item.get_closest_marker("full")
        if "world" in names and not brief and not FULL:
            left_out.add(item)
        ids = {mark.args[0] for mark in item.iter_markers("row")}
        if ROWS and not ROWS & ids:
            left_out.add(item)
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A line for each row that ran: it failed if it, or the audit after it, did."""
    path = os.environ.get("CHAOS_RESULTS")
    if not path or (report.when != "teardown" and not report.failed):
        return
    rows = [args for name, args in report.user_properties if name == "row"]
    told = report.capstdout.strip() if report.when == "teardown" else ""
    with Path(path).open("a") as out:
        for id, fault in rows:
            found = {"id": id, "fault": fault, "outcome": report.outcome, "test": report.nodeid}
            out.write(json.dumps(found | {"told": told}) + "\n")


@pytest.fixture(scope="session")
def audited() -> Iterator[Audit]:
    """The running whole, with its auditor."""
    run = clusters.cluster if CLUSTERED else clusters.single
    try:
        with run(**BRIEF) as made:
            audit = Audit(made)
            yield audit
            found = json.loads(made.manage("check_ledger", "--json"))
            assert found["ok"], found
            if path := os.environ.get("CHAOS_MONEY"):
                money = {model: asdict(sums) for model, sums in audit.money.items()}
                Path(path).write_text(json.dumps(money))
    except servers.Missing as reason:
        untested(reason)


def untested(reason: servers.Missing) -> NoReturn:
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"REQUIRE_ALL=1, and {reason}")
    pytest.skip(f"NOT TESTED: {reason}")


@pytest.fixture
def world(audited: Audit) -> Iterator[Cluster]:
    """Cluster or single process, audited afterwards."""
    audited.odd = False
    yield audited.cluster
    audited.cluster.heal()
    audited.check()


@pytest.fixture
def cluster(world: Cluster) -> Cluster:
    return world


@pytest.fixture
def single(world: Cluster) -> Cluster:
    return world


@pytest.fixture
def odd(audited: Audit, world: Cluster) -> None:
    """The vendor says impossible things here: its bill is no measure."""
    audited.odd = True


@pytest.fixture
def long() -> None:
    """This test may take half an hour."""
    signal.alarm(1800)


@pytest.fixture
async def tab(world: Cluster) -> AsyncIterator[Callable[..., Any]]:
    """Opens a tab: `await tab()` of the next person, `await tab("person3", port=…)`."""
    opened: list[Browser] = []

    async def open(person: str = "", **options: Any) -> Browser:
        opened.append(Browser(world, person or next(people), **options))
        return await opened[-1].open()

    yield open
    for browser in opened:
        await browser.close()


def question(directive: str = "words:20") -> str:
    """A question that no other is like, and what the vendor shall do."""
    return f"{MARK} {uuid4().hex[:12]} [[{directive}]]"
