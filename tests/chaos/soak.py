"""An hour of 200 sockets and steady sends, and what becomes of memory: `make soak`."""

import argparse
import asyncio
import contextlib
import statistics
import sys
import time

from tests import servers
from tests.chaos.audit import Audit
from tests.chaos.browser import Browser, Rejected
from tests.chaos.cluster import Cluster, cluster
from tests.chaos.conftest import BRIEF, question

SOCKETS = 200
PAUSE = 8.0  # seconds between two questions of one asker
ASKERS = 20
WARM = 0.15  # share of the time before memory counts


async def ask_on(browser: Browser, until: float, replies: list[float]) -> None:
    place: dict[str, str | None] = {"conversation": None, "parent": None}
    while time.monotonic() < until:
        began = time.monotonic()
        with contextlib.suppress(Rejected, TimeoutError):
            ack = await browser.ask(question("words:60+slow:30"), **place)
            await browser.finish(ack["gen"])
            browser.replies.pop(ack["gen"])
            replies.append(time.monotonic() - began)
        await asyncio.sleep(PAUSE)


async def soak(made: Cluster, minutes: float) -> list[tuple[float, int]]:
    """(Seconds, megabytes of all web processes) once in a while."""
    nodes = made.nodes
    browsers = [
        Browser(made, f"person{n % 24}", address=f"127.0.0.{2 + n % 8}") for n in range(SOCKETS)
    ]
    for start in range(0, SOCKETS, 20):
        await asyncio.gather(*(browser.open() for browser in browsers[start : start + 20]))
    began, replies, memory = time.monotonic(), list[float](), list[tuple[float, int]]()
    until = began + 60 * minutes
    asking = [asyncio.create_task(ask_on(b, until, replies)) for b in browsers[:ASKERS]]
    while time.monotonic() < until:
        await asyncio.sleep(min(10, 6 * minutes))
        memory.append((time.monotonic() - began, sum(node.memory for node in nodes)))
        made.vendor.bill[:-1000] = []
    await asyncio.gather(*asking)
    lost = sum(len(browser.closed) for browser in browsers)
    await asyncio.gather(*(browser.close() for browser in browsers))
    print(f"{len(replies)} replies, median {statistics.median(replies):.2f} s; {lost} sockets lost")
    return memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    minutes = parser.parse_args().minutes
    with cluster(**BRIEF) as made:
        memory = asyncio.run(soak(made, minutes))
        Audit(made).rest()
        made.manage("check_ledger")
    settled = [point for point in memory if point[0] > 60 * minutes * WARM]
    slope = statistics.linear_regression(*zip(*settled, strict=True)).slope
    tenths = [memory[len(memory) * tenth // 10][1] for tenth in range(10)]
    print(f"MB at each tenth of the time: {' '.join(map(str, tenths))}; {memory[-1][1]} at last")
    print(f"{SOCKETS} sockets, {minutes:g} minutes: slope {3600 * slope:+.1f} MB an hour after the")
    print(f"first {WARM:.0%}, two processes together")


if __name__ == "__main__":
    try:
        main()
    except servers.Missing as reason:
        sys.exit(f"{reason}")
