"""Replies being written: who writes each, until when, what is saved, and how it ended."""

import uuid
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from chatapp.chat.bill import Bill
from chatapp.chat.models.conversation import Message
from chatapp.claude.errors import words
from chatapp.claude.prompt import Options
from chatapp.ledger.models import Charge
from chatapp.ledger.models import State as ChargeState
from chatapp.web.numbers import number


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """How a reply ended: its words, and what they cost."""

    state: str
    text: str
    thinking: str = ""
    thought_ms: int | None = None
    model: str = ""
    stop_reason: str = ""
    error: str = ""
    explanation: str = ""
    retry_at: datetime | None = None
    bill: Bill | None = None


class GenerationQuerySet(models.QuerySet["Generation"]):
    """Leases are compared on the database's clock only: machines' clocks differ and jump."""

    def live(self) -> Self:
        return self.filter(state__in=Generation.LIVE)

    def held_by(self, runner: str) -> Self:
        return self.filter(runner=runner, state=Generation.State.RUNNING)

    def lapsed(self) -> Self:
        """Being written by a process that has not been heard of for a whole lease."""
        return self.filter(state=Generation.State.RUNNING, lease_until__lt=Now())

    def leases(self) -> list[tuple[uuid.UUID, datetime, bool]]:
        """Id, end of the lease, and whether that is over, of each reply being written."""
        over = models.ExpressionWrapper(Q(lease_until__lt=Now()), models.BooleanField())
        rows = self.filter(state=Generation.State.RUNNING).annotate(over=over)
        leases = rows.values_list("id", "lease_until", "over")
        return [(id, until, over) for id, until, over in leases if until]

    def waiting(self, age: timedelta) -> Self:
        """Queued for longer than this."""
        return self.filter(state=Generation.State.QUEUED, created_at__lt=Now() - age)

    def claim(self, id: uuid.UUID, *, runner: str, lease: timedelta) -> "Generation | None":
        """Become the one who writes this reply; None when somebody else is, or it has ended."""
        claimed = self.filter(id=id, state=Generation.State.QUEUED).update(
            state=Generation.State.RUNNING,
            runner=runner,
            fence=F("fence") + 1,
            lease_until=Now() + lease,
        )
        return self.select_related("message__conversation", "user").get(id=id) if claimed else None

    def still(self, generation: "Generation") -> Self:
        """This reply, while it is still being written under the fence it was claimed with."""
        return self.filter(id=generation.id, fence=generation.fence, state=Generation.State.RUNNING)

    def beat(
        self, ids: Sequence[uuid.UUID], *, runner: str, lease: timedelta
    ) -> dict[uuid.UUID, bool]:
        """Prolong this process' leases; of each still held, whether it must stop."""
        held = self.held_by(runner).filter(id__in=ids)
        # In the order in which checkpoints lock them, else both may wait for each other.
        locked = held.order_by("id").select_for_update(of=["self"])
        rows = list(locked.values_list("id", "stop_requested", "user__is_active"))
        held.update(lease_until=Now() + lease)
        return {id: stop or not active for id, stop, active in rows}


class Generation(models.Model):
    """One reply being written, or how it ended. The database is the truth; see running.py.

    `fence` rises with each claim: who holds an older one may write nothing.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"
        INTERRUPTED = "interrupted"
        FAILED = "failed"

    LIVE = (State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="generation")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # The browser's UUID for this send: sent twice is one reply and one charge.
    key = models.UUIDField()
    request_hash = models.CharField(max_length=64)
    model = models.CharField(max_length=100)
    max_tokens = models.PositiveIntegerField()
    options = models.JSONField(default=dict)
    # Of the page that asked: its reply's words are in it.
    language = models.CharField(max_length=10, blank=True, default="", db_default="")

    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    runner = models.CharField(max_length=80, blank=True)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    stop_requested = models.BooleanField(default=False)
    # Set just before the request leaves: from here on it may be billed and is never run again.
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=60, blank=True)
    explanation = models.CharField(max_length=500, blank=True, help_text="the error, for people")
    # When a retry makes sense, as the vendor said.
    retry_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    objects = GenerationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="one_generation_per_key"),
            models.CheckConstraint(
                name="live_means_not_ended",
                condition=Q(state__in=["queued", "running"], ended_at__isnull=True)
                | (~Q(state__in=["queued", "running"]) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="lease_only_when_running",
                condition=Q(state="running", lease_until__isnull=False)
                | (~Q(state="running") & Q(lease_until__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease_until", "created_at"],
                name="generation_live",
                condition=Q(state__in=["queued", "running"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.id}"

    @property
    def live(self) -> bool:
        return self.state in self.LIVE

    @property
    def asked(self) -> Options:
        """What the request switches on."""
        names = Options.__annotations__
        return Options(**{name: self.options[name] for name in names if name in self.options})  # type: ignore[typeddict-item]

    @property
    def shortened(self) -> str:
        """ "shortened to 1,024 tokens by your team's budget", or nothing."""
        budget = self.options.get("shortened_by")
        return shortened(self.max_tokens, budget) if budget else ""

    @property
    def error_words(self) -> str:
        """What happened, whether money was spent, what to do."""
        return words(self.explanation)

    def speaking(self) -> AbstractContextManager[None]:
        return translation.override(self.language or settings.LANGUAGE_CODE)

    def shorten(self, max_tokens: int, *, by: str) -> None:
        """Ask for no longer a reply than a budget pays for."""
        self.max_tokens = max_tokens
        self.options = {**self.options, "shortened_by": by}
        self.save(update_fields=["max_tokens", "options"])

    def settle(self, how: Settlement, *, fence: int) -> bool:
        """End the reply and book its bill in the caller's transaction; safe to repeat.

        False when another process holds a newer fence: then nothing is written here, and the bill
        only serves as late evidence.
        """
        row = Generation.objects.select_for_update().filter(id=self.id).first()
        if row is None:  # its person was erased: the words are gone, the money is not
            if how.bill and not how.bill.settle():
                how.bill.prove()
            return False
        if row.fence != fence:
            if how.bill:
                how.bill.prove()
            return False
        if row.live:
            row._end(how)
        return True

    def _end(self, how: Settlement) -> None:
        if how.bill:
            how.bill.settle()
            Message.objects.filter(id=self.message_id).update(charge=how.bill.charge)
        Message.objects.filter(id=self.message_id).update(
            text=how.text,
            thinking=how.thinking,
            thought_ms=how.thought_ms,
            model=how.model,
            stop_reason=how.stop_reason,
        )
        # Money may have been held for an attempt that a stop kept from leaving.
        for charge in Charge.objects.filter(reference=self.id, state=ChargeState.AUTHORIZED):
            charge.void(error="not_sent")
        self.chunks.all().delete()
        self.state = how.state
        self.lease_until = None
        self.error = how.error
        self.explanation = how.explanation
        self.retry_at = how.retry_at
        self.ended_at = Now()
        self.save()

    def departs(self) -> bool:
        """The request leaves now, and may be billed; False when it is another's to send."""
        return bool(Generation.objects.still(self).update(sent_at=Now()))

    def requeue(self) -> None:
        """Give back what was claimed and never left, unless it is another's by now.

        The fence rises: whoever had it may neither send nor end it any more.
        """
        Generation.objects.still(self).update(
            state=self.State.QUEUED,
            runner="",
            fence=F("fence") + 1,
            lease_until=None,
            sent_at=None,
        )


def shortened(tokens: int, budget: str) -> str:
    """`budget` names it in English, as it is stored."""
    words = _("shortened to %(tokens)s tokens by %(budget)s")
    return words % {"tokens": number(tokens), "budget": _(budget)}


class Chunk(models.Model):
    """A checkpoint: what was written since the one before; folded into the message at the end.

    `offset` counts the UTF-16 code units, of text and thinking together, of the chunks before.
    """

    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="chunks")
    offset = models.PositiveIntegerField()
    text = models.TextField()
    thinking = models.TextField(blank=True)

    class Meta:
        ordering = ["offset"]
        constraints = [
            models.UniqueConstraint(fields=["generation", "offset"], name="one_chunk_per_offset")
        ]

    def __str__(self) -> str:
        return f"{self.generation_id}@{self.offset}"

    @staticmethod
    def save_all(chunks: "Iterable[Chunk]", *, runner: str) -> set[uuid.UUID]:
        """Save the chunks of the replies this process still holds, and say which those are.

        A checkpoint whose answer was lost is sent again, perhaps longer: of two bodies at one
        offset the longer stays, whichever comes last.
        """
        chunks = list(chunks)
        held = set(
            Generation.objects.held_by(runner)
            .filter(id__in={chunk.generation_id for chunk in chunks})
            .order_by("id")
            .select_for_update()
            .values_list("id", flat=True)
        )
        rows = [chunk for chunk in chunks if chunk.generation_id in held]
        if rows:
            key = Generation._meta.pk
            values = [
                value
                for row in rows
                for value in (
                    key.get_db_prep_value(row.generation_id, connection),
                    row.offset,
                    row.text,
                    row.thinking,
                )
            ]
            with connection.cursor() as cursor:
                cursor.execute(UPSERT.format(", ".join(["(%s, %s, %s, %s)"] * len(rows))), values)
        return held

    @staticmethod
    def words(generation: Generation) -> tuple[str, str]:
        """The text and the thinking saved so far."""
        rows = list(generation.chunks.values_list("text", "thinking"))
        return "".join(text for text, _ in rows), "".join(thinking for _, thinking in rows)


UPSERT = """
    INSERT INTO chat_chunk (generation_id, "offset", text, thinking) VALUES {}
    ON CONFLICT (generation_id, "offset")
    DO UPDATE SET text = excluded.text, thinking = excluded.thinking
    WHERE length(excluded.text) + length(excluded.thinking)
       >= length(chat_chunk.text) + length(chat_chunk.thinking)
"""
