"""How long the dashboard's pages take at the server, with the same question on raw rows beside it.

Uses the database of the environment when it holds calls already, else makes its own: run it with
`python bench/dashboard.py [--calls N] [--people N] [--days N] [--rounds N] [--captures N]`.
`--no-raw` leaves the raw rows out: with millions of calls they take longer than all pages.
"""

import argparse
import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")

LIMIT_MS = 200
SPEND = {
    "today": "?range=today",
    "today, by person": "?range=today&by=user",
    "30 days": "?range=30d",
    "30 days, by person": "?range=30d&by=user",
    "30 days, page 40 of people": "?range=30d&page=40",
    "this month, forecast": "?range=month",
    "last month, one team": "?range=last-month&team={team}",
    "12 months": "?range=12m",
    "12 months, by person": "?range=12m&by=user&unit=tokens",
    "12 months, one person": "?range=12m&user={user}",
    "12 months, one model": "?range=12m&model=claude-haiku-4-5",
    "12 months, one team": "?range=12m&team={team}",
    "12 months, estimated": "?range=12m&status=estimated",
    "12 months, titles": "?range=12m&purpose=title",
    "an old month": "?from={old}&to={old_end}",
    "two years, by team": "?from={first}&by=team",
}
OTHERS = {
    "one day of a person, by hour": "?from={day}&to={day}&user={user}",
    "a person's priority calls, 30 days": "?range=30d&user={user}&tier=priority",
    "calls, 30 days": "calls/?range=30d",
    "calls, 12 months, deep": "calls/?range=12m&after={deep}",
    "calls, old month": "calls/?from={old}&to={old_end}",
    "calls, one person": "calls/?range=12m&user={user}",
    "calls, one team": "calls/?range=12m&team={team}",
    "calls, one model": "calls/?range=12m&model=claude-fable-5",
    "calls, estimated": "calls/?range=12m&status=estimated",
    "calls, unpriced": "calls/?range=12m&status=unpriced",
    "calls, titles": "calls/?range=12m&purpose=title",
    "a receipt": "calls/{deep}/",
    "budgets": "budgets/",
    "what if, one person, 7 days": "what-if/?range=7d&user={user}&cache=off",
    "as known earlier, one day": "earlier/?from={day}&to={day}&user={user}",
    "usage, 30 days": "/usage/?range=30d",
    "usage, 12 months": "/usage/?range=12m",
    "usage, calls": "/usage/calls/?range=12m",
    "export.csv, first line": "export.csv?range=12m",
}


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="chatapp-bench-") as folder:
        if options.data_dir or "DATABASE_URL" in os.environ:
            os.environ["DATA_DIR"] = options.data_dir or folder
        else:
            os.environ |= {"DATA_DIR": folder, "ENV_FILE": os.devnull}
        import django
        from django.conf import settings

        django.setup()
        settings.ALLOWED_HOSTS.append("testserver")
        fill(options)
        # As the server does once it is ready.
        gc.collect()
        gc.freeze()
        with patience():
            measure(options.rounds, options.only, raw=not options.no_raw)
        captures(options.captures)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--captures", type=int, default=200)
    parser.add_argument("--only", default="", help="pages whose name has this in it")
    parser.add_argument("--no-raw", action="store_true", help="leave the raw rows out")
    parser.add_argument("--data-dir", help="with a db.sqlite3 that is filled already")
    return parser.parse_args()


def fill(options: argparse.Namespace) -> None:
    from django.core.management import call_command

    from chatapp.ledger.models import Charge

    call_command("setup", stdout=StringIO())
    if not Charge.objects.exists():
        began, cpu = time.perf_counter(), processor()
        made = {"calls": options.calls, "people": options.people, "days": options.days}
        call_command("make_demo_data", **made)
        seconds = time.perf_counter() - began
        print(f"made in {seconds:.0f} s, {(processor() - cpu) / 1000:.0f} s of them CPU")


@contextmanager
def patience() -> Iterator[None]:
    """Raw rows may take longer than any page may."""
    from django.db import connection

    from chatapp.ledger.sums import unhurried

    with unhurried(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET statement_timeout = 0")
        yield


def measure(rounds: int, only: str, *, raw: bool) -> None:
    from django.db import connection

    from chatapp.ledger.models import Charge, DailyTotal
    from chatapp.ledger.rollups import Rollup

    counts = [f"{model.objects.count():,}" for model in (Charge, DailyTotal, Rollup)]
    print(
        f"{connection.vendor}: {counts[0]} calls, {counts[1]} daily totals, {counts[2]} rollups; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; ms, of {rounds} visits\n"
    )
    head = ("page", "median", "least", "first", "CPU", "KB", "queries", "raw rows")
    print(f"{head[0]:<36}" + "".join(f"{name:>9}" for name in head[1:]), flush=True)
    places, slow = known_places(), []
    for name, path in (SPEND | OTHERS).items():
        if only not in name:
            continue
        visited = visits(path.format(**places), rounds)
        asked = f"{raw_rows(path.format(**places)):9.0f}" if raw and name in SPEND else ""
        print(f"{name:<36}{visited}{asked}", flush=True)
        if visited.median > LIMIT_MS:
            slow.append(name)
    print(f"\nover {LIMIT_MS} ms: {', '.join(slow) or 'none'}")


@dataclass(frozen=True)
class Visits:
    """Milliseconds of each visit, and the least CPU of one, the database's connection included."""

    times: list[float]
    cpu: float
    bytes: int
    queries: int

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    def __str__(self) -> str:
        times = (self.median, min(self.times), self.times[0], self.cpu)
        return "".join(f"{ms:9.0f}" for ms in times) + f"{self.bytes // 1024:9}{self.queries:9}"


def visits(path: str, rounds: int) -> Visits:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    get, path = getter(path), path if path.startswith("/") else f"/dashboard/{path}"
    times, cpu = [], []
    for _ in range(rounds):
        began = processor()
        with CaptureQueriesContext(connection) as queries:
            milliseconds, content = timed(lambda: get(path))
        times.append(milliseconds)
        cpu.append(processor() - began)
    # PostgreSQL's part is told in hundredths of a second only: the mean is finer than the least.
    least = statistics.mean(cpu) if connection.vendor == "postgresql" else min(cpu)
    return Visits(times, least, len(content), len(queries))


def getter(path: str) -> Callable[[str], bytes]:
    """Fetches a page as who may see it; of an export only the first lines."""
    from asgiref.sync import async_to_sync
    from django.test import AsyncClient, Client

    payer, person = people()
    if "export" in path:
        client = AsyncClient()
        client.force_login(payer)

        async def first(path: str) -> bytes:
            lines = aiter(await client.get(path))
            return await anext(lines) + await anext(lines)

        return async_to_sync(first)
    signed_in = Client()
    signed_in.force_login(person if path.startswith("/usage") else payer)

    def page(path: str) -> bytes:
        answer = signed_in.get(path)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")
        return answer.content

    return page


def processor() -> float:
    """Milliseconds that this process worked so far, and PostgreSQL for its connection (on Linux)."""
    from django.db import connection

    own = time.process_time() * 1000
    if connection.vendor != "postgresql":
        return own
    connection.ensure_connection()
    stat = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return own + (int(user) + int(system)) * 1000 / os.sysconf("SC_CLK_TCK")


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
    last = Charge.objects.select_related("user").order_by("-id")[0]
    deep = Charge.objects.filter(id__lte=last.pk * 3 // 4).order_by("-id")[0]
    return {
        "user": last.user.username,
        "day": last.day,
        "team": Team.objects.values_list("pk", flat=True)[0],
        "first": first,
        "old": old.first,
        "old_end": old.last,
        "deep": deep.uuid,
    }


def people() -> tuple[Any, Any]:
    """Who may see everything, and whoever made the last call."""
    from chatapp.accounts.models import User
    from chatapp.ledger.models import Charge

    found = User.objects.filter(username="bench").first()
    payer = found or User.objects.create_superuser("bench", password=None)
    return payer, Charge.objects.select_related("user").order_by("-id")[0].user


def captures(count: int) -> None:
    """What a capture costs, with the rollups and without; nothing of it is kept."""
    from django.db import connection, transaction

    from chatapp.ledger import rolling

    with transaction.atomic(), connection.cursor() as cursor:
        told = {"with rollups": capture(count)}
        rolling.remove(cursor, connection.vendor)
        told["with daily totals only"] = capture(count)
        transaction.set_rollback(True)
    print(f"\ncapture of {count} calls, ms (median, CPU):")
    for name, (median, cpu) in told.items():
        print(f"{name:<36}{median:9.2f}{cpu:9.2f}")


def capture(count: int) -> tuple[float, float]:
    """Milliseconds of one at the median, without the commit, and of CPU at the mean."""
    from random import Random
    from uuid import uuid4

    from chatapp.accounts.models import User
    from chatapp.ledger.models import Charge, Source
    from chatapp.pricing.usage import Certainty, Metered

    model, usage = "claude-haiku-4-5", {"input_tokens": 900, "output_tokens": 300}
    metered = Metered(model, usage, {"stop_reason": "end_turn"}, Certainty.EXACT)
    people = Random(1).choices(User.objects.select_related("team"), k=count)  # noqa: S311
    call = {"source": Source.DEMO, "purpose": "chat", "model": model, "max_tokens": 1024}
    opened = [
        Charge.objects.authorize(user=user, prompt_tokens=900, reference=uuid4(), **call)
        for user in people
    ]
    began = processor()
    times = [timed(lambda charge=charge: charge.capture(metered))[0] for charge in opened]
    return statistics.median(times), (processor() - began) / count


if __name__ == "__main__":
    main()
