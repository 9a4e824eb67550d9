"""What a reply's way through chatapp costs, beside the floors measured in the same run.

`python bench/stream.py [--streams 20 100] [--seconds 8] [--postgresql]`: a canned vendor
(bench/vendor.py), a real `manage.py serve` and one tab a stream, each in a process of its own.
Processor time holds on a busy machine; latencies need a quiet one.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import aiohttp
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import servers  # noqa: E402

BENCH = ROOT / "bench"
RATE = 50  # chunks a second of one stream
RAMP = 40  # streams begun a second
SETTLE = 1.0
STAMP = re.compile(r"@(\d+\.\d{6})")
SOCKETS = 1_000
LONG = 50_000  # characters of a live reply that a new tab catches up with
TARGET_RATIO, TARGET_P99, TARGET_FIRST, TARGET_SEND, TARGET_SOCKETS, TARGET_IDLE, TARGET_CAUGHT = (
    1.5, 100, 15, 10, 40, 150, 150,
)  # fmt: skip
PEOPLE = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from chatapp.accounts.models import User
keys = []
for number in range(%d):
    user = User(username=f"bench{number}", name=f"Bench {number}")
    user.password = "!"
    user.save()
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    keys.append(session.session_key)
print(json.dumps(keys))
"""


@dataclass
class Window:
    """What the tabs saw between two moments."""

    open: bool = False
    chunks: int = 0
    late: list[float] = field(default_factory=list)  # seconds

    def see(self, text: str) -> int:
        # The HTML of ended blocks says it all again.
        stamps = STAMP.findall(text.partition('"blocks"')[0]) if '"delta"' in text[:20] else []
        if self.open:
            now = time.monotonic()
            self.chunks += len(stamps)
            self.late += [now - float(stamp) for stamp in stamps]
        return len(stamps)

    def quantile(self, share: float) -> float:
        """Milliseconds."""
        late = sorted(self.late)
        return 1000 * late[int(share * (len(late) - 1))]


@dataclass
class Tab:
    """One page's socket. `begun` is set at the reply's first text, with the seconds it took."""

    address: str
    headers: dict[str, str]
    window: Window

    async def run(self, session: aiohttp.ClientSession, first_frame: str) -> None:
        self.first = 0.0
        self.begun = asyncio.Event()
        async with session.ws_connect(self.address, headers=self.headers) as socket:
            sent = time.monotonic()
            await socket.send_str(first_frame)
            async for message in socket:
                text = message.data
                if self.window.see(text) and not self.first:
                    self.first = time.monotonic() - sent
                    self.begun.set()
                elif '"type":"done"' in text:
                    return
                elif '"type":"reject"' in text or '"type":"retry"' in text:
                    raise RuntimeError(text)
        raise RuntimeError("the socket closed")


def question(chunks: int, rate: int = RATE) -> str:
    text = f"rate:{rate} chunks:{chunks}"
    frame = {"type": "send", "key": str(uuid4()), "conversation": None, "parent": None}
    return json.dumps(frame | {"text": text, "max_tokens": 4096})


async def watch(tabs: list[Tab], first_frame: Callable[[], str], pid: int, seconds: float) -> float:
    """Run all tabs, and return the server's CPU seconds while all of them stream."""
    server, window = psutil.Process(pid), tabs[0].window
    async with session() as http:
        tasks = []
        for tab in tabs:
            tasks.append(asyncio.create_task(tab.run(http, first_frame())))
            await asyncio.sleep(1 / RAMP)
        await asyncio.gather(*(tab.begun.wait() for tab in tabs))
        await asyncio.sleep(SETTLE)
        before, window.open = sum(server.cpu_times()[:2]), True
        await asyncio.sleep(seconds)
        window.open = False
        cpu = sum(server.cpu_times()[:2]) - before
        await asyncio.gather(*tasks)
    return cpu


def session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


def chunks_for(streams: int, seconds: float) -> int:
    return int(RATE * (streams / RAMP + 3 * SETTLE + seconds + 1))


@contextmanager
def process(*command: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A program of ours and the first line it prints."""
    running = subprocess.Popen(  # noqa: S603 - our own programs
        [sys.executable, *command], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert running.stdout
        yield running, running.stdout.readline().strip()
    finally:
        running.terminate()
        running.wait()


def sdk_floor(vendor: str, streams: int, seconds: float) -> dict[str, float]:
    """Processor seconds and chunks of the SDK alone; of one stream, the seconds to first text."""
    chunks = int(RATE * (seconds + 2)) if streams > 1 else 5
    command = [sys.executable, str(BENCH / "floors.py"), "sdk", vendor, str(streams), str(chunks)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    found: dict[str, float] = json.loads(done.stdout)
    return found


def asgi_floor(streams: int, seconds: float) -> float:
    """Microseconds of processor a frame of Daphne alone."""
    port = servers.free_port()
    with process(str(BENCH / "floors.py"), "asgi", str(port)) as (running, _):
        window = Window()
        address = f"http://127.0.0.1:{port}/"
        tabs = [Tab(address, {}, window) for _ in range(streams)]
        chunks = str(chunks_for(streams, seconds))
        cpu = asyncio.run(watch(tabs, lambda: chunks, running.pid, seconds))
    return 1e6 * cpu / window.chunks


def headers(server: servers.Server, key: str) -> dict[str, str]:
    return {"Origin": server.url, "Cookie": f"sessionid={key}"}


def report_streams(server: servers.Server, keys: list[str], vendor: str, seconds: float) -> None:
    streams = len(keys)
    found = sdk_floor(vendor, streams, seconds)
    sdk = 1e6 * found["cpu"] / found["chunks"]
    asgi = asgi_floor(streams, seconds)
    window = Window()
    tabs = [Tab(f"{server.url}/ws/chat/", headers(server, key), window) for key in keys]
    chunks = chunks_for(streams, seconds)
    assert server.process
    cpu = asyncio.run(watch(tabs, lambda: question(chunks), server.process.pid, seconds))
    whole = 1e6 * cpu / window.chunks
    print(
        f"{streams:>7}{window.chunks / seconds:>10,.0f}{100 * cpu / seconds:>7.0f}{sdk:>8.0f}"
        f"{asgi:>8.0f}{whole:>9.0f}{whole / (sdk + asgi):>8.2f}"
        f"{window.quantile(0.5):>8.1f}{window.quantile(0.99):>8.1f}",
        flush=True,
    )


def report_first(server: servers.Server, keys: list[str], vendor: str) -> None:
    """One send after the other, then all at once."""
    direct = 1000 * sdk_floor(vendor, 1, 0)["first"]

    async def one(key: str) -> float:
        tab = Tab(f"{server.url}/ws/chat/", headers(server, key), Window())
        async with session() as http:
            await tab.run(http, question(5))
        return 1000 * tab.first

    async def all_of() -> tuple[float, list[float], list[float]]:
        first = await one(keys[0])
        alone = [await one(key) for key in keys]
        return first, alone, list(await asyncio.gather(*map(one, keys)))

    first, alone, burst = asyncio.run(all_of())
    middle = statistics.median(alone)
    print(f"\ntime to first text, ms: {direct:.1f} straight from the vendor")
    print(f"  {first:.1f} the server's first send ever")
    print(
        f"  {middle:.1f} median of {len(alone)}, {max(alone):.1f} longest: "
        f"{middle - direct:.1f} above the vendor's (at most {TARGET_FIRST})"
    )
    print(f"  {statistics.median(burst):.1f} median, {max(burst):.1f} longest of as many at once")


def report_catching_up(server: servers.Server, key: str) -> None:
    """A new tab's milliseconds from connecting to the whole text of a long reply under way."""
    address, own = f"{server.url}/ws/chat/", headers(server, key)

    async def caught_up(http: aiohttp.ClientSession, conversation: str) -> float:
        began = time.monotonic()
        async with http.ws_connect(address, headers=own, max_msg_size=0) as socket:
            await socket.send_json({"type": "watch", "conversation": conversation})
            async for message in socket:
                frame = json.loads(message.data)
                if frame["type"] == "snapshot" and not frame["more"]:
                    return 1000 * (time.monotonic() - began)
        raise RuntimeError("the socket closed")

    async def measure() -> tuple[int, list[float]]:
        length, conversation, times = 0, "", []
        async with session() as http, http.ws_connect(address, headers=own) as socket:
            await socket.send_str(question(3_000, rate=400))
            async for message in socket:
                frame = json.loads(message.data)
                conversation = frame.get("conversation") or conversation
                length = frame.get("off", length)
                if length > LONG:
                    times.append(await caught_up(http, conversation))
                if len(times) == 9 or frame["type"] == "done":
                    await socket.send_json({"type": "stop", "gen": frame["gen"]})
                    return length, times
        raise RuntimeError("the socket closed")

    length, times = asyncio.run(measure())
    print(
        f"a new tab at {length:,} characters of a live reply: {statistics.median(times):.0f} ms"
        f" median of {len(times)}, {max(times):.0f} longest (at most {TARGET_CAUGHT})"
    )


def report_memory(server: servers.Server, keys: list[str]) -> None:
    assert server.process
    running = psutil.Process(server.process.pid)

    async def crowd() -> float:
        async with session() as http:
            before = running.memory_info().rss
            sockets = [
                await http.ws_connect(
                    f"{server.url}/ws/chat/", headers=headers(server, keys[number % len(keys)])
                )
                for number in range(SOCKETS)
            ]
            for socket in sockets:
                await socket.receive()
            grown = running.memory_info().rss - before
            await asyncio.gather(*(socket.close() for socket in sockets))
        return grown / 2**20

    grown = asyncio.run(crowd())
    print(f"{SOCKETS:,} idle sockets: {grown:.0f} MB (at most {TARGET_SOCKETS})")


def report_idle(server: servers.Server) -> None:
    assert server.process
    rss = psutil.Process(server.process.pid).memory_info().rss / 2**20
    print(f"\nidle process: {rss:.0f} MB (at most {TARGET_IDLE})")


def report_sends(server: servers.Server) -> None:
    """A send's transaction, in a process of its own on the server's database."""
    print(server.manage("shell", "--no-imports", "-v0", "-c", SENDS).strip())


SENDS = """
import statistics, time, uuid
from django.db import connection
from django.test.utils import CaptureQueriesContext
from datetime import timedelta
from chatapp.accounts.models import User
from chatapp.chat.conversation import Taker, post
from chatapp.chat.draft import Ask
from chatapp.chat.sessions import person
from chatapp.web.database import threads, persist
from django.contrib.sessions.models import Session

key = Session.objects.first().session_key
def send():
    taker = Taker(uuid.uuid4(), "bench", timedelta(seconds=30))
    return persist(lambda: post(person(key), Ask(key=uuid.uuid4(), text="Hello"), taker)).generation
def timed():
    began = time.perf_counter()
    generation = send()
    took = 1000 * (time.perf_counter() - began)
    persist(generation.delete)
    return took
threads.submit(timed).result()
times = [threads.submit(timed).result() for _ in range(100)]
def counted():
    with CaptureQueriesContext(connection) as queries:
        send()
    return len(queries)
print(f"a send's database work: {statistics.median(times):.1f} ms median,"
      f" {threads.submit(counted).result()} statements (at most 10 ms)")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="*", default=[20, 100, 200])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    # So that an end from outside also ends the server and the vendor.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with ExitStack() as stack:
        _, vendor = stack.enter_context(process(str(BENCH / "vendor.py")))
        extra = {"ANTHROPIC_BASE_URL": vendor, "ANTHROPIC_API_KEY": "bench"}
        if options.postgresql:
            extra["DATABASE_URL"] = stack.enter_context(servers.postgresql())
        server = stack.enter_context(servers.chatapp(**extra))
        most = max([40, *options.streams])
        keys = json.loads(server.manage("shell", "--no-imports", "-v0", "-c", PEOPLE % most))
        print(
            f"{'PostgreSQL' if options.postgresql else 'SQLite'}, {os.cpu_count()} processors, "
            f"load {os.getloadavg()[0]:.1f}"
        )
        report_idle(server)
        report_first(server, keys[:27], vendor)
        report_sends(server)
        report_catching_up(server, keys[0])
        print(
            f"\nmicroseconds of processor a chunk, {RATE} chunks/s a stream; the product's share "
            f"of SDK + Daphne is to be at most {TARGET_RATIO}\n"
            "and its added latency at 200 streams "
            f"at most {TARGET_P99} ms at p99\n"
            f"{'streams':>7}{'chunks/s':>10}{'CPU %':>7}{'SDK':>8}{'Daphne':>8}{'product':>9}"
            f"{'ratio':>8}{'p50 ms':>8}{'p99 ms':>8}"
        )
        for streams in options.streams:
            report_streams(server, keys[:streams], vendor, options.seconds)
        report_memory(server, keys)


if __name__ == "__main__":
    main()
