"""One reply being written by this process: it listens to the story, tells the tabs, and settles."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import TypeVar

from django.db import InterfaceError, OperationalError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from chatapp.chat import events
from chatapp.chat.asking import know_count
from chatapp.chat.bill import Bill
from chatapp.chat.broadcast import Broadcast
from chatapp.chat.claims import LOST, Overtaken, depart, farewell
from chatapp.chat.conversation import Claim
from chatapp.chat.generation import (
    Answered,
    Asking,
    Ended,
    Event,
    Paused,
    Started,
    Waiting,
    tell,
)
from chatapp.chat.live import Live
from chatapp.chat.models import Generation, Settlement
from chatapp.chat.pace import Pace
from chatapp.chat.prompts import context_tokens, counts
from chatapp.chat.refusals import Refused
from chatapp.chat.stopwatch import Stopwatch
from chatapp.claude import client
from chatapp.claude.client import Reply
from chatapp.claude.errors import Fault
from chatapp.ledger.evidence import word
from chatapp.pricing.usage import Certainty, Metered
from chatapp.web.database import db

T = TypeVar("T")
State = Generation.State

logger = logging.getLogger(__name__)


class Writing:
    """The browser's leaving changes nothing here; `stop` and `interrupt` close the upstream.

    A task listens to the model and only appends; what was appended is sent as soon as the loop
    comes to it. Settling comes after both, and cannot be cancelled by either.
    """

    def __init__(self, claim: Claim, broadcast: Broadcast, pace: Pace) -> None:
        self.generation = claim.generation
        self.live = Live(claim.generation)
        self._prompt = claim.prompt
        self._charge = claim.charge
        self._topic = claim.generation.message.conversation.topic
        self._broadcast = broadcast
        self._pace = pace
        # Before a request leaves, nothing may have been billed.
        self._departed = False
        # From now on its row is locked again and again, and its words are saved with its end.
        self.settling = False
        self._reply: Reply | None = None
        # From a word's arrival until it was sent.
        self._telling = False
        self._slow: asyncio.Task[None] | None = None
        self._asked_at = monotonic()
        self._first_token_ms: int | None = None
        # What calls before this one have written, when the model paused the reply.
        self._text_before, self._thinking_before = "", ""
        self._thought = Stopwatch()
        self._started: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[Ended] | None = None
        # How it ends when it is cut short:
        self._cut: tuple[str, str, str] = (State.INTERRUPTED, "interrupted", "")

    async def run(self) -> None:
        """Write the reply to its end, however it ends."""
        self._listening = asyncio.create_task(self._listen())
        self._pace.streams += 1
        try:
            await asyncio.wait([self._listening])
        finally:
            self._pace.streams -= 1
            self._listening.cancel()
            if self._slow:
                self._slow.cancel()
        if self._listening.cancelled() and not self._departed and self._cut[0] != State.STOPPED:
            await self._surely(self.generation.requeue)
            return
        how = await self._outcome(self._listening)
        if await self._settle(how):
            self._broadcast.publish(*await db(farewell, self.generation.id))

    def stop(self) -> None:
        """The person, or their leaving, ends it."""
        self._cancel(State.STOPPED, "", "")

    def interrupt(self, error: str, explanation: str) -> None:
        """The server ends it: what there is stays, and may have cost money."""
        self._cancel(State.INTERRUPTED, error, explanation)

    def _cancel(self, *cut: *tuple[str, str, str]) -> None:
        if self._listening and not self._listening.done():
            self._cut = cut
            self._listening.cancel()

    async def _listen(self) -> Ended:
        calm = self._pace
        hear, soon = self.live.hear, asyncio.get_running_loop().call_soon
        last, kind = monotonic(), ""
        async with aclosing(tell(self._prompt, client.reply)) as story:
            async for event in story:
                if type(event) is not tuple:
                    if isinstance(event, Ended):
                        return event
                    await self._note(event)
                    continue
                hear(*event)
                now = monotonic()
                if event[0] != kind:
                    kind = event[0]
                    self._thought.run(kind == "thinking", now)
                if not self._telling:
                    self._telling = True
                    soon(self._tell)
                    calm.look(now)
                    if self._first_token_ms is None:
                        self._first_token_ms = self._since(self._asked_at)
                if calm.seconds and now - last > calm.AT_ONCE:
                    await asyncio.sleep(calm.seconds)
                    now = monotonic()
                last = now
        raise AssertionError("a story ends with Ended")

    async def _note(self, event: Event) -> None:
        match event:
            case Asking(attempt, prompt):
                self._prompt = prompt
                if attempt > 1:
                    await know_count(prompt)
                departure = partial(depart, self.generation, prompt, self._charge, attempt)
                with translation.override(None):  # a refusal is stored: in English
                    self._charge = await self._surely(departure)
                self._departed = True
                self._asked_at, self._first_token_ms = monotonic(), None
            case Answered(reply):
                self._reply = reply
            case Started():
                self._started = asyncio.create_task(self._remember_start())
            case Paused(prompt):
                counts.keep(prompt, context_tokens(self._reply and self._reply.meter.usage))
                await self._close_call(None)
                self._text_before, self._thinking_before = self.live.text, self.live.thinking
            case Waiting(fault, seconds):
                await self._close_call(fault)
                again = datetime.now(UTC) + timedelta(seconds=seconds)
                words = _("The model is busy; trying again.")
                self._publish(events.notice(self.live.gen, fault.code, words, again))

    async def _remember_start(self) -> None:
        """Keep what message_start said of the prompt: who settles in our place will need it."""
        assert self._reply
        try:
            await db(
                self._charge.started,
                metered=self._reply.meter.metered(self._prompt.max_tokens),
                request_id=self._reply.request_id,
                message_id=self._reply.message_id,
            )
        except Exception as fault:  # the settlement knows all of it, and more
            logger.warning("%s: start not kept: %s", self.generation, type(fault).__name__)

    async def _close_call(self, fault: Fault | None) -> None:
        """Settle a call that another follows: each has a charge of its own."""
        bill = await self._bill(fault)
        await self._surely(bill.settle)
        self._reply = None

    def _tell(self) -> None:
        """Send what was heard until the loop got here; it is one frame however much it is."""
        if self.live.long:
            self._slow = asyncio.create_task(self._tell_slowly())
            return
        self._telling = False
        for frame in self.live.frames():
            self._publish(frame)

    async def _tell_slowly(self) -> None:
        """The same, while other replies are told."""
        for frame in await self.live.frames_slowly():
            self._publish(frame)
        self._telling = False

    def _publish(self, frame: events.Frame) -> None:
        self._broadcast.publish(self._topic, frame)

    async def _outcome(self, listening: asyncio.Task[Ended]) -> Settlement:
        state: str
        if listening.cancelled():
            state, error, explanation = self._cut
            return await self._settlement(state, error, explanation, None)
        match listening.exception():
            case None:
                return await self._ended(listening.result().fault)
            case Overtaken():
                return await self._settlement(State.INTERRUPTED, "interrupted", LOST, None)
            case Refused() as refused:  # no money for another call: nothing is open
                return self._unpaid(refused)
            case trouble:
                logger.error("%s failed", self.generation, exc_info=trouble)
                return await self._settlement(State.INTERRUPTED, "internal", INTERNAL, None)

    def _unpaid(self, refused: Refused) -> Settlement:
        return Settlement(
            state=State.INTERRUPTED if self.live.text else State.FAILED,
            text=self.live.text,
            thinking=self.live.thinking,
            model=self._prompt.model if self.live.text else "",
            error=refused.code,
            explanation=refused.message,
        )

    async def _ended(self, fault: Fault | None) -> Settlement:
        if fault is None:
            return await self._settlement(State.DONE, "", "", None)
        state = State.INTERRUPTED if self.live.text else State.FAILED
        return await self._settlement(state, fault.code, fault.told, fault)

    async def _settlement(
        self, state: str, error: str, explanation: str, fault: Fault | None
    ) -> Settlement:
        bill = await self._bill(fault, error)
        metered = bill.metered
        wait = fault.retry_after if fault else None
        return Settlement(
            state=state,
            text=self.live.text,
            thinking=self.live.thinking,
            thought_ms=self._thought.ms(monotonic()),
            model=word(metered.model, 100) if metered else "",
            stop_reason=word(metered.response.get("stop_reason"), 40) if metered else "",
            error=error,
            explanation=explanation,
            retry_at=datetime.now(UTC) + timedelta(seconds=wait) if wait else None,
            bill=bill,
        )

    async def _bill(self, fault: Fault | None, error: str = "") -> Bill:
        if self._started:
            await asyncio.wait([self._started])  # a Stop meanwhile is none of its
        reply = self._reply
        return Bill(
            charge=self._charge,
            metered=None if fault and fault.unbilled else await self._metered(),
            error=fault.code if fault else error,
            http_status=fault.http_status if fault else None,
            request_id=(reply.request_id if reply else "") or (fault.request_id if fault else ""),
            message_id=reply.message_id if reply else "",
            first_token_ms=self._first_token_ms,
            duration_ms=self._since(self._asked_at),
        )

    async def _metered(self) -> Metered | None:
        """What the stream said of its usage; the output of one cut short is estimated."""
        if not self._departed:
            return None
        limit = self._prompt.max_tokens
        if self._reply is None:
            return Metered(
                model=self._prompt.model, usage=None, response={}, certainty=Certainty.UNKNOWN
            )
        metered = self._reply.meter.metered(limit)
        if metered.certainty is not Certainty.ESTIMATED:
            return metered
        written = await client.estimate_output(
            self._prompt,
            self.live.text.removeprefix(self._text_before),
            self.live.thinking.removeprefix(self._thinking_before),
        )
        return self._reply.meter.metered(limit, estimated_output=written)

    async def _settle(self, how: Settlement) -> bool:
        self.settling = True
        return await self._surely(partial(self.generation.settle, how, fence=self.live.epoch))

    async def _surely(self, write: Callable[[], T]) -> T:
        """Write through an outage: until it is over, memory keeps what is to be written."""
        wait = 0.1
        while True:
            try:
                return await db(write)
            except (OperationalError, InterfaceError) as fault:
                logger.warning(
                    "%s: waits for the database: %s", self.generation, type(fault).__name__
                )
                await asyncio.sleep(wait)
                wait = min(2 * wait, 2.0)

    @staticmethod
    def _since(start: float) -> int:
        return round(1000 * (monotonic() - start))


INTERNAL = noop(
    "Something broke on our side. What was written is kept, and may have cost money. Try again."
)
