"""The tests on each kind of server: `python -m tests [sqlite] [servers] [browser]`.

The servers are real and started here. What this machine cannot offer is said loudly at the end;
REQUIRE_ALL=1 turns it into a failure.
"""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from tests import servers

Environment = dict[str, str]
# Playwright's loop and ours do not mix: the browser's tests have processes of their own, two of
# them, since all of them one after the other would take longest.
UNITS = ["tests", "--ignore=tests/browser"]
BROWSER = sorted(f"{path}" for path in Path("tests/browser").glob("test_*.py"))
HALVES = {"browser, one half,": BROWSER[::2], "browser, the other half,": BROWSER[1::2]}
# Each waits for its servers some of the time; more of them only make one another late.
AT_ONCE = 3
# What hangs ends; a slow machine may take its time.
LONGEST = "45m"
NOTHING_FOUND = 5
# What each run said, and what took it longest.
KEPT = servers.ROOT / "var" / "tests"


@dataclass
class Run:
    """One pytest process: some tests on one kind of server."""

    name: str
    tests: list[str]
    env: Environment
    fine: bool = False
    output: str = ""

    def go(self) -> None:
        began = time.monotonic()
        limit = ["timeout", "--signal=INT", "--kill-after=1m", LONGEST]
        command = [*limit, sys.executable, "-m", "pytest", "-q", "--durations=30", *self.tests]
        done = subprocess.run(
            command,
            cwd=servers.ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = done.stdout
        KEPT.mkdir(parents=True, exist_ok=True)
        (KEPT / f"{self.name}.txt").write_text(self.output)
        self.fine = done.returncode in (0, NOTHING_FOUND)
        summary = self.output.strip().rpartition("\n")[2]
        print(f"{'ok' if self.fine else 'FAILED':>8}  {self.name}: {summary}", flush=True)
        if not self.fine:
            print(self.output, f"{self.name}: {time.monotonic() - began:.0f} s", flush=True)

    @property
    def untested(self) -> set[str]:
        return {f"{self.name}: {text}" for text in re.findall(r"NOT TESTED: (.*)", self.output)}


def kinds(stack: ExitStack, missing: set[str]) -> dict[str, Environment]:
    """The environment of each kind of server there is, started for as long as the stack lives."""
    plain = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    # Looked for once: several at a time could not install it.
    with suppress(servers.Missing):
        plain["CHROMIUM_PATH"] = servers.chromium()
    found = {"SQLite": plain}
    try:
        urls = {
            "DATABASE_URL": stack.enter_context(servers.postgresql()),
            "REDIS_URL": stack.enter_context(servers.redis()),
        }
    except servers.Missing as reason:
        missing.add(str(reason))
    else:
        found["PostgreSQL and Redis"] = plain | urls
    return found


def planned(wanted: list[str], found: dict[str, Environment]) -> list[Run]:
    units = [
        Run(f"units on {name}", UNITS, env)
        for name, env in found.items()
        if ("sqlite" if name == "SQLite" else "servers") in wanted
    ]
    browser = [
        Run(f"{half} on {name}", tests, env)
        for name, env in found.items()
        for half, tests in HALVES.items()
    ]
    # What takes longest first.
    return browser + units if "browser" in wanted else units


def main(wanted: list[str]) -> int:
    missing: set[str] = set()
    with ExitStack() as stack:
        runs = planned(wanted, kinds(stack, missing))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(Run.go, runs))
    missing |= {text for run in runs for text in run.untested}
    for text in sorted(missing):
        print(f"\n*** NOT TESTED: {text}")
    required = os.environ.get("REQUIRE_ALL") == "1"
    return int(not all(run.fine for run in runs) or bool(required and missing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["sqlite", "servers", "browser"]))
