"""The engine: claims replies, keeps their leases, saves them, and takes over from the dead."""

import asyncio
import logging
import os
import random
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import translation
from django.utils.translation import gettext_noop as noop

from chatapp.chat import claims, gone
from chatapp.chat.broadcast import Broadcast, broadcast
from chatapp.chat.conversation import Claim, Posted, Taker
from chatapp.chat.events import Frame
from chatapp.chat.forgetting import forget
from chatapp.chat.live import Live
from chatapp.chat.models import Chunk, Generation
from chatapp.chat.pace import Pace
from chatapp.chat.writing import Writing
from chatapp.web.database import db, db_first

ROOM = 500  # replies written at once by one process
# Seconds. With the time that saving takes, what a kill may cost: half a second.
CHECKPOINT = 0.25
SWEEP = 2.0
# A queued reply this old was left behind by the process that should have claimed it.
LEFT_BEHIND = timedelta(seconds=2)
SETTLING = 5.0  # seconds
# Seconds to ask for a lease that may have lapsed while this process stood still.
SHORTEST = 1.0
TOPIC = "engine"

# A reply being written, the end of its lease, and whether that is over.
Lease = tuple[UUID, datetime, bool]

logger = logging.getLogger(__name__)


class Engine:
    """Every process has one. They share nothing but the database, and bells for haste."""

    def __init__(self, broadcast: Broadcast = broadcast) -> None:
        self.runner = f"{socket.gethostname()[:40]}-{os.getpid()}-{uuid4().hex[:8]}"
        self.lease = timedelta(seconds=settings.LEASE_SECONDS)
        self.beat = settings.LEASE_SECONDS / 6
        # Else this process only serves pages, and others are asked to write.
        self.writes = settings.GENERATIONS
        self.draining = False
        self._broadcast = broadcast
        self._pace = Pace()
        self._writings: dict[UUID, Writing] = {}
        self._replies: dict[UUID, asyncio.Task[None]] = {}
        self._asking: set[asyncio.Task[Posted]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._alive_at = 0.0
        # Of each lease, its end and since when we have seen just that.
        self._leases: dict[UUID, tuple[datetime, float]] = {}
        # Of each charge whose reply is gone, since when we have seen it.
        self._forsaken: dict[int, float] = {}

    async def start(self) -> None:
        if not self.writes:
            return
        self._alive_at = monotonic()
        self._broadcast.join(TOPIC, self)
        self._tasks = [
            asyncio.create_task(self._forever(self._keep_leases, self.beat)),
            asyncio.create_task(self._forever(self._checkpoint, CHECKPOINT)),
            asyncio.create_task(self._forever(self._sweep, SWEEP)),
        ]

    async def close(self) -> None:
        """Leave the loop; what is still being written is settled by whoever sweeps next."""
        self._broadcast.leave(TOPIC, self)
        tasks = [*self._tasks, *self._replies.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=SETTLING)

    async def ask(self, post: Callable[[Taker | None], Posted]) -> Posted:
        """Post a question, and begin its reply at once if there is room.

        Whoever asks may leave meanwhile: what is posted is written.
        """
        asking = asyncio.create_task(self._ask(post))
        self._asking.add(asking)
        asking.add_done_callback(self._asked)
        return await asyncio.shield(asking)

    def wake(self, id: UUID) -> None:
        """Write this queued reply, if there is room; otherwise a sweep will find it."""
        if not self.writes:
            self._broadcast.publish(TOPIC, {"type": "queued", "gen": str(id)})
        elif self._room and id not in self._replies:
            self._begin(id, self._write(id))

    def live(self, id: UUID) -> Live | None:
        """The words of a reply that this process is writing."""
        writing = self._writings.get(id)
        return writing.live if writing else None

    def hear(self, frame: Frame, encoded: str = "") -> None:
        """A bell: somebody asked or pressed Stop, here or in another process."""
        id = UUID(frame["gen"])
        if frame["type"] == "queued":
            self.wake(id)
        elif frame["type"] == "stop" and (writing := self._writings.get(id)):
            writing.stop()

    async def drain(self, grace: float) -> None:
        """Take nothing new, let replies end within `grace` seconds, interrupt the rest."""
        self.draining = True
        if self._asking:
            await asyncio.wait(list(self._asking), timeout=SETTLING)
        if self._replies and grace:
            await asyncio.wait(list(self._replies.values()), timeout=grace)
        for writing in self._writings.values():
            writing.interrupt("restarted", RESTARTED)
        if self._replies:
            await asyncio.wait(list(self._replies.values()), timeout=SETTLING)

    @property
    def _room(self) -> bool:
        return self.writes and not self.draining and len(self._replies) < ROOM

    async def _ask(self, post: Callable[[Taker | None], Posted]) -> Posted:
        taker = Taker(uuid4(), self.runner, self.lease) if self._room else None
        posted = await db(post, taker)
        id = posted.generation.id
        if posted.claim and not self.draining:
            self._begin(id, self._run(posted.claim))
        elif posted.claim:
            await db(posted.generation.requeue)
        else:
            self.wake(id)
        return posted

    def _asked(self, asking: asyncio.Task[Posted]) -> None:
        self._asking.discard(asking)
        if not asking.cancelled():
            asking.exception()  # whoever asks hears of it, if still there

    def _begin(self, id: UUID, work: Coroutine[Any, Any, None]) -> None:
        task = self._replies[id] = asyncio.create_task(work)
        task.add_done_callback(lambda task: self._over(id, task))

    async def _write(self, id: UUID) -> None:
        if claim := await db(claims.claim, id, runner=self.runner, lease=self.lease):
            await self._run(claim)

    async def _run(self, claim: Claim) -> None:
        # For the words around the reply, whoever woke this process.
        translation.activate(claim.generation.language or settings.LANGUAGE_CODE)
        writing = Writing(claim, self._broadcast, self._pace)
        self._writings[claim.generation.id] = writing
        await writing.run()

    def _over(self, id: UUID, task: asyncio.Task[None]) -> None:
        self._replies.pop(id, None)
        self._writings.pop(id, None)
        if not task.cancelled() and (trouble := task.exception()):
            trace = None if _outage(trouble) else trouble
            logger.error("reply %s is left to the sweeper: %s", id, trouble, exc_info=trace)

    async def _forever(self, work: Callable[[], Awaitable[None]], every: float) -> None:
        """Run `work` again and again, `every` seconds from start to start; no fault ends it."""
        while True:
            due = monotonic() + every * random.uniform(0.9, 1.1)  # noqa: S311 - jitter
            try:
                await work()
            except Exception as fault:
                logger.warning("%s: %s", work.__name__, fault, exc_info=not _outage(fault))
            await asyncio.sleep(max(due - monotonic(), every / 10))

    async def _keep_leases(self) -> None:
        """Prolong every lease, hear of stops, and let go of what is no longer ours."""
        writings = dict(self._writings)
        if not writings:
            self._alive_at = monotonic()
            return
        began = monotonic()
        deadline = self._alive_at + self.lease.total_seconds() - self.beat
        try:
            async with asyncio.timeout(max(deadline - began, SHORTEST)):
                held = await db_first(
                    Generation.objects.beat, list(writings), runner=self.runner, lease=self.lease
                )
        except Exception:
            if monotonic() >= deadline:
                self._let_go(writings.values())
            raise
        self._alive_at = began
        for id, writing in writings.items():
            if id not in held:
                self._let_go([writing])
            elif held[id]:
                writing.stop()

    async def _checkpoint(self) -> None:
        """Save what all replies have heard since the last time, in one transaction.

        But of those whose settlement holds their row: the others must not wait for it.
        """
        writings = {writing.generation.id: writing for writing in self._writings.values()}
        hearing = [writing for writing in writings.values() if not writing.settling]
        chunks = [chunk for writing in hearing if (chunk := writing.live.unsaved())]
        if not chunks:
            return
        held = await db_first(Chunk.save_all, chunks, runner=self.runner)
        for chunk in chunks:
            writing = writings[chunk.generation_id]
            if chunk.generation_id in held:
                writing.live.saved()
            else:
                self._let_go([writing])

    def _let_go(self, writings: Iterable[Writing]) -> None:
        for writing in writings:
            writing.interrupt("interrupted", claims.LOST)

    async def _sweep(self) -> None:
        """Settle what dead processes left, take up what nobody claimed, forget what was deleted."""
        leases, waiting, late = await db(self._findings)
        for id in self._lost(leases):
            await self._end(claims.abandon, id)
        for charge in self._unpaid(await db(gone.forsaken)):
            await self._pay(charge)
        for id in late:
            await self._end(claims.expire, id)
        for id in waiting:
            self.wake(id)
        await db(forget)

    def _lost(self, leases: list[Lease]) -> list[UUID]:
        """Those whose lease has ended, and was not prolonged for longer than a beat.

        A clock that jumps, or a machine that slept, ends all leases at once. Whoever lives
        prolongs its own with the next beat.
        """
        now = monotonic()
        before, self._leases = self._leases, {}
        for id, until, _ in leases:
            last = before.get(id)
            self._leases[id] = last if last and last[0] == until else (until, now)
        patience = self.beat + 1
        return [id for id, _, over in leases if over and now - self._leases[id][1] > patience]

    def _unpaid(self, charges: list[int]) -> list[int]:
        """Those whose writer, if it lived, had a whole lease to settle them itself."""
        now = monotonic()
        before, self._forsaken = self._forsaken, {}
        for charge in charges:
            self._forsaken[charge] = before.get(charge, now)
        patience = self.lease.total_seconds()
        return [charge for charge, since in self._forsaken.items() if now - since > patience]

    def _findings(self) -> tuple[list[Lease], list[UUID], list[UUID]]:
        replies = Generation.objects
        late = timedelta(seconds=settings.QUEUE_TIMEOUT)
        return (
            replies.leases(),
            list(replies.waiting(LEFT_BEHIND).values_list("id", flat=True)),
            list(replies.waiting(late).values_list("id", flat=True)),
        )

    async def _end(self, end: Callable[[UUID], bool], id: UUID) -> None:
        """One that cannot be ended must not keep the others from it."""
        try:
            if await db(end, id):
                topic, frame = await db(claims.farewell, id)
                self._broadcast.publish(topic, frame)
        except Exception as fault:
            logger.error("reply %s: %s", id, fault, exc_info=not _outage(fault))

    async def _pay(self, charge: int) -> None:
        """The same of a charge that nobody else settles."""
        try:
            await db(gone.settle, charge)
        except Exception as fault:
            logger.error("charge %s: %s", charge, fault, exc_info=not _outage(fault))


def _outage(fault: BaseException) -> bool:
    return isinstance(fault, (OperationalError, InterfaceError, TimeoutError))


RESTARTED = noop(
    "The server was restarted while this was written. What was written is kept and paid for. "
    "Continue or try again."
)

engine = Engine()
