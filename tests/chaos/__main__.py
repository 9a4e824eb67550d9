"""The whole fault matrix, and its table: `make chaos`.

First the single process on SQLite, then two behind nginx on PostgreSQL and Redis.
ARGS="F41 F50" runs these rows alone.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tests.servers import ROOT

KINDS = {"SQLite, one process": "", "PostgreSQL, Redis, nginx, two processes": "postgres://chaos"}
# Rows that another part of the tests runs, or that one machine cannot run honestly.
ELSEWHERE = {
    "F32": "tests/browser: a real browser frozen; here F31's silence is the same to the server",
    "F58": "NOT RUN: the audit itself finds no free connection then",
    "F60": "NOT RUN: a full disk needs a file system of its own, which needs root's mount",
    "F66": "NOT RUN: needs faketime; leases are compared on the database's clock alone",
    "F67": "bench/dashboard.py: the dashboard over a million calls",
}


def run(url: str, rows: list[str], folder: Path) -> tuple[dict[str, list[str]], dict[str, int]]:
    """Outcomes by row, and the money."""
    results, money = folder / "results.jsonl", folder / "money.json"
    results.write_text("")
    money.write_text("{}")
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    env |= {"CHAOS": "full", "CHAOS_RESULTS": str(results), "CHAOS_MONEY": str(money)}
    env |= {"CHAOS_ROWS": " ".join(rows)} | ({"DATABASE_URL": url} if url else {})
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/chaos"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    if done.returncode not in (0, 5):
        print(done.stdout[-30_000:])
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for line in results.read_text().splitlines():
        row = json.loads(line)
        outcomes = found[f"{row['id']}\t{row['fault']}"]
        if outcomes.get(row["test"]) != "failed":
            outcomes[row["test"]] = row["outcome"]
    return {name: list(outcomes.values()) for name, outcomes in found.items()}, json.loads(
        money.read_text()
    )


def table(found: dict[str, list[str]]) -> bool:
    fine = True
    order = sorted(found, key=lambda name: int(re.sub(r"\D", "", name.partition("\t")[0]) or 99))
    print("| Row | Fault | Result |\n|---|---|---|")
    for name in order:
        id, _, fault = name.partition("\t")
        good = sum(outcome == "passed" for outcome in found[name])
        word = "pass" if good == len(found[name]) else "FAIL"
        fine &= word == "pass"
        print(f"| {id} | {fault} | {word} ({good} of {len(found[name])}) |")
    return fine


def bill(money: dict[str, int]) -> None:
    if not money:
        return
    dollars = {name: f"${value / 10**12:.6f}" for name, value in money.items()}
    print("\n| Calls captured | The vendor's bill | The ledger |\n|---|---|---|")
    print(f"| finished | {dollars['finished']} | {dollars['booked']} |")
    print(
        f"| cut short | {dollars['unfinished']} | {dollars['estimated']} estimated, between"
        f" {dollars['low']} and {dollars['high']}; {money['unknown']} calls unknown |"
    )
    print(f"\n{money['calls']} calls.\n", flush=True)


def main(rows: list[str]) -> int:
    fine = True
    for kind, url in KINDS.items():
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="chatapp-chaos-") as folder:
            found, money = run(url, rows, Path(folder))
        print(f"\n### {kind} ({time.monotonic() - began:.0f} s)\n")
        fine &= bool(found) and table(found)
        bill(money)
    for id, reason in ELSEWHERE.items():
        print(f"{id}: {reason}")
    return not fine


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
