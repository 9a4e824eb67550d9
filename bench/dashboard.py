"""How long the dashboard's pages take at the server, with the same question on raw rows beside it.

Uses the database of the environment when it holds calls already, else makes its own: run it with
`python bench/dashboard.py [--calls N] [--people N] [--days N] [--rounds N]`.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")

LIMIT_MS = 200
PAGES = {
    "today": "?range=today",
    "30 days": "?range=30d",
    "30 days by person": "?range=30d&by=user",
    "this month, forecast": "?range=month",
    "last month, one team": "?range=last-month&team={team}",
    "12 months": "?range=12m",
    "12 months, one person": "?range=12m&user={user}",
    "12 months, one model": "?range=12m&model=claude-haiku-4-5",
    "an old month": "?from={old}&to={old_end}",
    "two years by team": "?from={first}&by=team",
}
LISTS = {
    "calls, 30 days": "calls/?range=30d",
    "calls, old month": "calls/?from={old}&to={old_end}",
    "calls, one person": "calls/?range=12m&user={user}",
    "calls, unpriced": "calls/?range=12m&status=unpriced",
}


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="chatapp-bench-") as folder:
        if options.data_dir or "DATABASE_URL" in os.environ:
            os.environ["DATA_DIR"] = options.data_dir or folder
        else:
            os.environ |= {"DATA_DIR": folder, "ENV_FILE": os.devnull}
        import django

        django.setup()
        fill(options)
        measure(options.rounds)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data-dir", help="with a database.sqlite3 that is filled already")
    return parser.parse_args()


def fill(options: argparse.Namespace) -> None:
    from django.core.management import call_command

    from chatapp.ledger.models import Charge

    call_command("setup", stdout=StringIO())
    if not Charge.objects.exists():
        began = time.perf_counter()
        made = {"calls": options.calls, "people": options.people, "days": options.days}
        call_command("make_demo_data", **made)
        seconds = time.perf_counter() - began
        print(f"made in {seconds:.0f} s, {options.calls / seconds:,.0f} calls/s")


def measure(rounds: int) -> None:
    from django.db import connection
    from django.test import Client

    from chatapp.ledger.models import Charge, DailyTotal

    print(
        f"{connection.vendor}: {Charge.objects.count():,} calls,"
        f" {DailyTotal.objects.count():,} daily totals; median (first) of {rounds}, ms\n"
    )
    client, places = Client(SERVER_NAME="127.0.0.1"), known_places()
    client.force_login(payer())
    head = f"{'page':<24}{'median':>8}{'first':>8}{'CPU':>6}{'KB':>7}{'queries':>9}{'raw rows':>10}"
    print(head, flush=True)
    slow = []
    for name, path in (PAGES | LISTS).items():
        times, cpu, size, queries = visits(client, "/dashboard/" + path.format(**places), rounds)
        raw = f"{raw_rows(path.format(**places)):.0f}" if name in PAGES else ""
        median = statistics.median(times)
        line = f"{name:<24}{median:>8.0f}{times[0]:>8.0f}{cpu:>6.0f}{size // 1024:>7}{queries:>9}"
        print(f"{line}{raw:>10}", flush=True)
        if median > LIMIT_MS:
            slow.append(name)
    print(f"\nover {LIMIT_MS} ms: {', '.join(slow) or 'none'}")


def visits(client: Any, path: str, rounds: int) -> tuple[list[float], float, int, int]:
    """Milliseconds of each visit, the least CPU of one (without PostgreSQL's), bytes, queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    times, cpu = [], []
    for _ in range(rounds):
        began = time.process_time()
        with CaptureQueriesContext(connection) as queries:
            milliseconds, answer = timed(lambda: client.get(path))
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")
        times.append(milliseconds)
        cpu.append((time.process_time() - began) * 1000)
    return times, min(cpu), len(answer.content), len(queries)


def raw_rows(query: str) -> float:
    """The matrix's question asked of the calls themselves, in milliseconds."""
    from django.db.models import Count, Sum
    from django.http import QueryDict

    from chatapp.dashboard.filters import Filter, business_today

    asked = Filter.parse(QueryDict(query.partition("?")[2]).dict(), today=business_today())
    calls = asked.charges().order_by().values("user", "model")
    sums = calls.annotate(amount=Sum("amount_pusd"), calls=Count("pk"))
    return timed(lambda: list(sums))[0]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return (time.perf_counter() - began) * 1000, result


def known_places() -> dict[str, Any]:
    from chatapp.accounts.models import Team
    from chatapp.dashboard.periods import Period
    from chatapp.ledger.models import Charge, DailyTotal

    first = DailyTotal.objects.order_by("day").values_list("day", flat=True)[0]
    old = Period.month(first.replace(day=28))
    charge = Charge.objects.select_related("user").order_by("-id")[0]
    return {
        "user": charge.user.username,
        "team": Team.objects.values_list("pk", flat=True)[0],
        "first": first,
        "old": old.first,
        "old_end": old.last,
    }


def payer() -> Any:
    from chatapp.accounts.models import User

    found = User.objects.filter(username="bench").first()
    return found or User.objects.create_superuser("bench", password=None)


if __name__ == "__main__":
    main()
