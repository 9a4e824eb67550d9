"""F58, F60, F66, F69: no connection left, no room on the disk, clocks that jump, a newer schema."""

import asyncio
import os
import shutil
import signal
import struct
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import servers
from tests.chaos.cluster import Cluster
from tests.chaos.conftest import question, untested
from tests.chaos.parts import Part
from tests.chaos.test_people import whole
from tests.chaos.test_processes import talk

Tab = Callable[..., Any]
HOUR = 3600
# What the next version's migration does first; the old one must live with it.
EXPAND = (
    "ALTER TABLE chat_message ADD COLUMN next_version integer NOT NULL DEFAULT 0",
    "CREATE INDEX next_version ON chat_message (next_version)",
)
CONTRACT = "DROP INDEX next_version", "ALTER TABLE chat_message DROP COLUMN next_version"


def page(world: Cluster, person: str, path: str = "/") -> int:
    """The status of a page, by default the one that lists somebody's chats."""
    cookie = f"{world.cookie}={world.sessions[person]}"
    request = urllib.request.Request(f"{world.url}{path}", headers={"Cookie": cookie})
    with urllib.request.urlopen(request, timeout=30, context=world.tls) as answer:
        answer.read()
        return int(answer.status)


@pytest.mark.row("F58", "PostgreSQL has four connections for two processes")
@pytest.mark.full
async def test_few_connections(cluster: Cluster, tab: Tab) -> None:
    postgres = cluster.postgres
    assert postgres
    mine = postgres.url.replace("postgres@", "chatapp@")
    with postgres.limited("max_connections=15"), ExitStack() as others:
        for _ in range(8):  # three of the fifteen are kept for administrators
            others.enter_context(psycopg.connect(mine))
        asking = asyncio.create_task(talk(tab, 20, "words:60+slow:40"))
        pages = [asyncio.to_thread(page, cluster, f"person{n}") for n in range(20)]
        assert set(await asyncio.gather(*pages)) == {200}
        for browser, ack in await asking:
            await whole(cluster, browser, ack["gen"])
        with pytest.raises(psycopg.OperationalError):
            for _ in range(8):
                others.enter_context(psycopg.connect(mine))


@contextmanager
def small_disk(part: Part, folder: Path, room: int) -> Iterator[Path]:
    """Its `folder` on a file system with so many megabytes left, and a file that may take them."""
    if os.geteuid():
        untested(servers.Missing("the right to mount a small file system"))
    kept = folder.with_name(f"{folder.name}-kept")
    used = int(subprocess.check_output(["du", "-sm", folder]).split()[0])
    part.stop(signal.SIGINT)
    folder.rename(kept)
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={used + room}m", "tmpfs", str(folder)]
    subprocess.run(mount, check=True)
    subprocess.run(["cp", "-a", f"{kept}/.", str(folder)], check=True)
    try:
        yield folder / "filler"
    finally:
        part.stop(signal.SIGINT)
        (folder / "filler").unlink(missing_ok=True)
        shutil.rmtree(kept)
        subprocess.run(["cp", "-a", str(folder), str(kept)], check=True)
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()
        kept.rename(folder)


def fill(filler: Path) -> None:
    """Until nothing fits any more."""
    with suppress(OSError), filler.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.mark.row("F60", "the database's disk is full for four seconds")
@pytest.mark.full
async def test_disk_full(world: Cluster, tab: Tab) -> None:
    part: Part = world.postgres or world.nodes[0]
    folder = world.postgres.data if world.postgres else world.folder / "data"
    with small_disk(part, folder, room=8) as filler:
        await asyncio.to_thread(world.heal)
        late = await tab("person0")
        talks = await talk(tab, 4, "words:300+slow:40")
        before = part.log.stat().st_size
        if not world.postgres:  # SQLite's log would write where it has written before
            await asyncio.to_thread(world.query, "PRAGMA wal_checkpoint(TRUNCATE)")
        await asyncio.to_thread(fill, filler)
        asking = asyncio.create_task(late.ask(question("words:5"), within=60))
        await asyncio.sleep(4)
        filler.unlink()
        await asyncio.to_thread(world.heal)  # PostgreSQL stops when its log finds no room
        await whole(world, late, (await asking)["gen"])
        ended = [(await browser.finish(ack["gen"]))["state"] for browser, ack in talks]
        assert set(ended) <= {"done", "interrupted"}
        felt = "No space left on device" if world.postgres else "disk is full"
        assert felt in part.log.read_text()[before:]


@contextmanager
def movable_clock(world: Cluster) -> Iterator[Callable[[int], Any]]:
    """Moves the processes' clocks by so many seconds; on SQLite that is the database's clock too."""
    if not (compiler := shutil.which("cc")):
        untested(servers.Missing("a C compiler, to move a clock"))
    library, offset = world.folder / "clock.so", world.folder / "clock"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    offset.write_bytes(struct.pack("l", 0))
    with world.changed(LD_PRELOAD=str(library), CLOCK_FILE=str(offset)), offset.open("r+b") as file:

        def move(seconds: int) -> None:
            file.seek(0)
            file.write(struct.pack("l", seconds))
            file.flush()

        yield move


@pytest.mark.row("F66", "clocks jump by an hour, forth and back")
@pytest.mark.full
async def test_clocks_jump(world: Cluster, tab: Tab) -> None:
    with movable_clock(world) as move:
        talks = await talk(tab, 6, "words:250+slow:40")
        for seconds in (HOUR, 0, -HOUR, 0):
            move(seconds)
            await asyncio.sleep(2.5)
        for browser, ack in talks:
            await whole(world, browser, ack["gen"])


@pytest.mark.row("F69", "a migration while replies are written")
@pytest.mark.full
async def test_setup_meanwhile(world: Cluster, tab: Tab) -> None:
    """`manage.py setup` of the next version runs beside the old processes."""
    talks = await talk(tab, 4, "words:200+slow:40")
    await asyncio.to_thread(world.manage, "setup")
    for change in EXPAND:
        world.query(change)
    late = await tab("person0")
    await whole(world, late, (await late.ask(question("words:5")))["gen"])
    for browser, ack in talks:
        await whole(world, browser, ack["gen"])
    for change in CONTRACT:
        world.query(change)
