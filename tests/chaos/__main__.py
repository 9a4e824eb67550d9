"""The whole fault matrix, its table and its bill: `make chaos`.

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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.servers import ROOT

KINDS = {"SQLite": "", "PostgreSQL": "postgres://chaos"}
# Rows that another part of the tests runs.
ELSEWHERE = {"F32": ("a frozen browser", "tests/browser/test_frozen.py")}
WORST = ("failed", "skipped", "passed")
WORDS = {"passed": "pass", "failed": "**FAIL**", "skipped": "not tested", "": ""}
Found = dict[tuple[str, str], dict[str, Any]]


def command(kind: str, rows: list[str], folder: Path) -> tuple[list[str], dict[str, str]]:
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    env |= {"CHAOS": "full", "CHAOS_ROWS": " ".join(rows), "PYTHONUNBUFFERED": "1"}
    env |= {"CHAOS_RESULTS": str(folder / "results"), "CHAOS_MONEY": str(folder / "money")}
    env |= {"DATABASE_URL": KINDS[kind]} if KINDS[kind] else {}
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/chaos"], env


def results(kind: str, rows: list[str], folder: Path) -> Iterator[dict[str, Any]]:
    """Of each row, as soon as it has run."""
    arguments, env = command(kind, rows, folder)
    (folder / "results").touch()
    with (folder / "output").open("wb") as output, (folder / "results").open() as news:
        pytest = subprocess.Popen(arguments, cwd=ROOT, env=env, stdout=output, stderr=output)
        ended = False
        while not ended:
            ended = pytest.poll() is not None
            yield from map(json.loads, news)
            time.sleep(0.2)
    if pytest.returncode not in (0, 5):
        print((folder / "output").read_text()[-20_000:])


def run(kind: str, rows: list[str], found: Found) -> dict[str, Any]:
    """Notes what each row came to, and returns the money."""
    print(f"\n### {kind}\n", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chatapp-chaos-") as name:
        for row in results(kind, rows, Path(name)):
            note(found.setdefault((row["id"], row["fault"]), {}), kind, row)
            at = f"{time.monotonic() - began:5.0f} s"
            print(f"{at}  {row['outcome']}  {row['id']} {row['fault']}", flush=True)
            for line in row["told"].splitlines():
                print(f"{'':>9}{line}", flush=True)
        money = Path(name, "money")
        return json.loads(money.read_text()) if money.exists() else {}


def note(seen: dict[str, Any], kind: str, row: dict[str, Any]) -> None:
    """A row has passed when all its tests have."""
    seen[kind] = min(seen.get(kind, "passed"), row["outcome"], key=WORST.index)
    seen["test"] = re.sub(r"\[.*", "", row["test"].removeprefix("tests/chaos/"))


def table(found: Found) -> None:
    print("\n| Row | Fault | Test | SQLite | PostgreSQL, Redis, nginx |\n|---|---|---|---|---|")
    for (id, fault), seen in sorted(found.items(), key=lambda row: (number(row[0][0]), row[0])):
        words = [WORDS[seen.get(kind, "")] for kind in KINDS]
        print(f"| {id} | {fault} | {seen['test']} | {' | '.join(words)} |")
    for id, (fault, place) in ELSEWHERE.items():
        print(f"| {id} | {fault} | {place} | elsewhere | elsewhere |")


def number(id: str) -> int:
    return int(id[1:] or 99)


def bill(kind: str, money: dict[str, Any]) -> None:
    """The vendor's own bill beside the ledger."""
    print(f"\n{kind}: what the vendor bills, and what the ledger has\n")
    print(
        "| Model | Calls | Finished: billed | exact | Cut short: billed | estimated | low to high |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)
    for model, sums in money.items():
        of = {name: f"${value / 10**12:.6f}" for name, value in sums.items()}
        print(
            f"| {model} | {sums['calls']} | {of['finished']} | {of['exact']} | {of['unfinished']}"
            f" | {of['estimated']} | {of['low']} to {of['high']} |"
        )
    unknown = sum(sums["unknown"] for sums in money.values())
    unheard = sum(sums["unheard"] for sums in money.values()) / 10**12
    if unknown:
        print(f"\n{unknown} calls unknown: their process was lost before it heard of them.")
        print(f"The vendor bills ${unheard:.6f} for these.", flush=True)


def main(rows: list[str]) -> int:
    found: Found = {}
    bills = {kind: run(kind, rows, found) for kind in KINDS}
    table(found)
    for kind, money in bills.items():
        bill(kind, money)
    outcomes = [seen[kind] for seen in found.values() for kind in KINDS if kind in seen]
    return "failed" in outcomes or "passed" not in outcomes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
