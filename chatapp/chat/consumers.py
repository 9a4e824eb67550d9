"""The socket of one tab: hears what the page asks, repeats what is announced. Thin on purpose."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import translation
from django.utils.translation import gettext as _

from chatapp.accounts.models import User
from chatapp.chat import asking, events, resuming, sessions
from chatapp.chat.broadcast import broadcast
from chatapp.chat.claims import farewell, request_stop
from chatapp.chat.conversation import post
from chatapp.chat.draft import Ask
from chatapp.chat.events import Frame
from chatapp.chat.frames import Malformed, Ping, Request, Resume, Stop, Watch, parse
from chatapp.chat.limits import SOCKETS, Bucket, sends, sockets
from chatapp.chat.outbox import Outbox
from chatapp.chat.refusals import CountNeeded, Refused
from chatapp.chat.resuming import Saved
from chatapp.chat.running import TOPIC, engine
from chatapp.claude.client import Prompt
from chatapp.claude.errors import Fault
from chatapp.web.database import db

P = ParamSpec("P")
T = TypeVar("T")

FLOODING, RESTARTING, TOO_MANY = 1008, 1012, 4429
AGAIN = 1_000  # milliseconds until a send that was not accepted may be repeated
OUTAGE = OperationalError, InterfaceError
REMEMBERED = 20  # refusals of one socket

logger = logging.getLogger(__name__)


class ChatConsumer(AsyncConsumer):
    """Never awaits a reply: a handler is one database function and an answer."""

    # The broadcast joins processes. A layer here would refuse sockets while Redis is away.
    channel_layer_alias = None

    def __init__(self) -> None:
        self._user_id = 0  # nobody, before and after
        self._topic = ""
        self._tasks: set[asyncio.Task[None]] = set()
        # What is sent twice is refused twice, though it might be accepted by now.
        self._refused: deque[tuple[str, Refused]] = deque(maxlen=REMEMBERED)

    async def __call__(self, *connection: Any) -> None:
        """Until the socket closes, or the server cancels it."""
        try:
            await super().__call__(*connection)
        finally:
            self._leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels does, but without a thread hop for connections that this thread has not."""
        match message["type"]:
            case "websocket.connect":
                await self._connect()
            case "websocket.receive":
                await self._receive(message.get("text"))
            case "websocket.disconnect":
                raise StopConsumer

    async def _connect(self) -> None:
        if sessions.origin(self.scope["headers"]) not in settings.ALLOWED_ORIGINS:
            await self._close(None)
            return
        await self.send({"type": "websocket.accept"})
        self._session = sessions.session_key(self.scope["headers"])
        try:
            user = await db(sessions.person, self._session)
        except sessions.Gone as gone:
            await self._close(gone.code)
        except OUTAGE:
            await self._close(RESTARTING)
        else:
            await self._enter(user)

    async def _enter(self, user: User) -> None:
        if sockets[user.pk] >= SOCKETS:
            await self._close(TOO_MANY)
            return
        self._user_id = user.pk
        sockets[user.pk] += 1
        self._frames = Bucket(burst=100, rate=30)
        self._resumes = Bucket(burst=5, rate=5)
        self._outbox = Outbox(self._send_text)
        # For all that this socket does from here on.
        translation.activate(user.language or sessions.language(self.scope["headers"]))
        broadcast.join(f"user.{user.pk}", self)
        self._spawn(self._keep())
        self._say(events.welcome())

    def _leave(self) -> None:
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
        if not self._user_id:
            return
        self._outbox.close()
        broadcast.leave(f"user.{self._user_id}", self)
        if self._topic:
            broadcast.leave(self._topic, self)
        sockets[self._user_id] -= 1
        self._user_id = 0

    def hear(self, frame: Frame, encoded: str) -> None:
        """Something was announced: repeat it. A bell of our own asks who is here."""
        if frame["type"] == "recheck":
            self._spawn(self._recheck(sessions.FLUSHED))
        else:
            self._outbox.put(encoded)

    async def _receive(self, text: str | None) -> None:
        if not self._user_id:
            return
        if not self._frames.take():
            await self._close(FLOODING)
            return
        try:
            request = parse(text or "")
            await self._handle(request)
        except Malformed as fault:
            self._refuse(fault.key, fault.code, fault.message)
        except sessions.Gone as gone:
            await self._close(gone.code)
        except Refused as refused:
            self._say(events.error(refused.code, refused.message))
        except OUTAGE as fault:
            logger.warning("socket: %s", type(fault).__name__)
            if isinstance(request, Watch):  # asked once; the others the page repeats
                await self._close(RESTARTING)

    async def _handle(self, request: Request) -> None:
        match request:
            case Ask():
                await self._ask(request)
            case Watch(id):
                await self._watch(id)
            case Stop(id):
                await self._stop(id)
            case Resume(id, epoch, upto):
                if self._resumes.take():
                    self._catch_up(await self._do(resuming.resume, id), epoch, upto)
            case Ping():
                self._say(events.heartbeat())

    async def _ask(self, ask: Ask) -> None:
        key = str(ask.key)
        if engine.draining or not sends.take(self._user_id):
            self._say(events.retry(key, AGAIN))
            return
        if refused := dict(self._refused).get(ask.hash):
            self._refuse(key, refused.code, refused.message, refused.field)
            return
        try:
            posted = await engine.ask(
                lambda taker: post(sessions.person(self._session), ask, taker)
            )
        except CountNeeded as needed:
            self._spawn(self._count(ask, needed.prompt))
        except Refused as refused:
            self._reject(ask, refused)
        except sessions.Gone as gone:
            self._refuse(key, "signed_out", _("You are signed out. Your text is still here."))
            await self._close(gone.code)
        except OUTAGE:
            self._say(events.retry(key, AGAIN))
        else:
            self._join(posted.generation.message.conversation.topic)
            self._say(events.ack(key, posted.generation, new=posted.new))
            if posted.new:
                self._spawn(self._announce(posted.generation.id))

    async def _announce(self, id: UUID) -> None:
        for topic, frame in await db(asking.news, id):
            broadcast.publish(topic, frame)

    async def _count(self, ask: Ask, prompt: Prompt) -> None:
        """Only the exact count can tell: ask the vendor, off this socket's path, and post again."""
        try:
            await asking.count(prompt)
        except Fault as fault:
            unsure = _("Whether it fits the model and the budget could not be told.")
            self._reject(ask, Refused("context_exceeded", f"{unsure} {fault.message}"))
        else:
            await self._ask(ask)

    def _reject(self, ask: Ask, refused: Refused) -> None:
        self._refused.append((ask.hash, refused))
        self._refuse(str(ask.key), refused.code, refused.message, refused.field)

    async def _watch(self, id: UUID) -> None:
        conversation, replies = await self._do(resuming.watch, id)
        self._join(conversation.topic)
        self._say(events.watching(conversation))
        for saved in replies:
            self._catch_up(saved, saved.epoch, 0)

    def _join(self, topic: str) -> None:
        """Hear of this conversation instead of another; not after closing, which may come first."""
        if self._topic:
            broadcast.leave(self._topic, self)
        if self._user_id:
            self._topic = topic
            broadcast.join(topic, self)

    async def _stop(self, id: UUID) -> None:
        generation = await self._do(request_stop, id)
        broadcast.publish(TOPIC, {"type": "stop", "gen": str(generation.id)})
        if not generation.live:
            topic, frame = await db(farewell, id)
            broadcast.publish(topic, frame)
            if topic != self._topic:
                self._say(frame)

    def _catch_up(self, saved: Saved, epoch: int, upto: int) -> None:
        """Send what the tab lacks: memory is ahead of storage when the reply is written here."""
        live = engine.live(saved.id)
        if saved.ended:
            self._say(saved.ended)
        else:
            source = live or saved
            for frame in source.snapshot(upto if epoch == source.epoch else 0):
                self._say(frame)

    async def _keep(self) -> None:
        """Say that we are here, and look who is there."""
        while True:
            await asyncio.sleep(events.HEARTBEAT)
            self._say(events.heartbeat())
            await self._recheck(0)

    async def _recheck(self, after: float) -> None:
        await asyncio.sleep(after)
        try:
            await db(sessions.person, self._session)
        except sessions.Gone as gone:
            await self._close(gone.code)
        except OUTAGE:
            pass  # asked again in a moment; until then the socket only shows what is theirs

    async def _do(
        self, act: Callable[Concatenate[User, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Act in the name of whoever is signed in now."""
        return await db(lambda: act(sessions.person(self._session), *args, **kwargs))

    def _say(self, frame: Frame) -> None:
        self._outbox.put(events.encode(frame))

    def _refuse(self, key: str, code: str, message: str, field: str = "") -> None:
        if key:
            self._say(events.reject(key, code, message, field))
        else:
            self._say(events.error(code, message))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (trouble := task.exception()):
            trace = None if isinstance(trouble, OUTAGE) else trouble
            logger.error("socket task failed: %s", type(trouble).__name__, exc_info=trace)

    async def _send_text(self, text: str) -> None:
        await self.send({"type": "websocket.send", "text": text})

    async def _close(self, code: int | None) -> None:
        """Close, and hear nothing more; before the handshake is accepted this is a 403."""
        last = self._outbox.rest() if self._user_id else []
        self._leave()
        for frame in last:
            await self._send_text(frame)
        await self.send({"type": "websocket.close"} | ({"code": code} if code else {}))
