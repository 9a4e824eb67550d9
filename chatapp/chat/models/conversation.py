"""People talking: projects, conversations and the tree of their messages."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language

from chatapp.accounts.models import User
from chatapp.chat import captions
from chatapp.chat.markdown import render
from chatapp.chat.text import clean
from chatapp.chat.waiting import Wait
from chatapp.claude.breaker import REFUSALS

if TYPE_CHECKING:
    from chatapp.chat.models.attachment import Attachment
    from chatapp.chat.models.generation import Generation
    from chatapp.ledger.models import Charge

TITLE_LENGTH = 80
CONTINUES = "This conversation continues an earlier one. Its summary:"
# Deleting can be undone this long; then the sweeper removes the words.
UNDO = timedelta(hours=1)


class Project(models.Model):
    """A folder of conversations with a system prompt and a model of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="projects"
    )
    name = models.CharField(max_length=120)
    system_prompt = models.TextField(blank=True)
    model = models.CharField(max_length=100, blank=True)
    max_tokens = models.PositiveIntegerField(null=True)
    options = models.JSONField(null=True, blank=True, help_text="see wishes.py")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def of(self, user: User) -> Self:
        """What this person may see and change; the rest does not exist for them."""
        return self.filter(owner=user)

    def kept(self) -> Self:
        lasting = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        return self.filter(lasting, deleted_at__isnull=True)

    def lasting(self) -> Self:
        """Without the temporary ones."""
        return self.kept().filter(expires_at=None)

    def listed(self) -> Self:
        """What stands in the list: neither deleted nor put away, nor temporary."""
        return self.lasting().filter(archived_at__isnull=True)

    def forgotten(self) -> Self:
        """Expired, or deleted for longer than an undo takes, with no reply still being written."""
        live = Message.objects.filter(
            conversation=models.OuterRef("pk"), generation__state__in=["queued", "running"]
        )
        now = timezone.now()
        return self.filter(
            Q(deleted_at__lt=now - UNDO) | Q(expires_at__lte=now), ~models.Exists(live)
        )


class Conversation(models.Model):
    """One person's talk with the model. Deleting hides at once and removes words after an undo."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations"
    )
    project = models.ForeignKey(
        Project, null=True, blank=True, on_delete=models.SET_NULL, related_name="conversations"
    )
    title = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=100)
    system_prompt = models.TextField(blank=True)
    max_tokens = models.PositiveIntegerField()
    options = models.JSONField(null=True, blank=True, help_text="see wishes.py")
    created_at = models.DateTimeField(auto_now_add=True)
    # Of the last message; the list is ordered by it.
    active_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)
    # Pinned ones stand first in the list; archived ones are kept out of it until they go on.
    pinned = models.BooleanField(default=False, db_default=False)
    archived_at = models.DateTimeField(null=True)
    # Of a temporary one: not listed, not found, and its words are removed then.
    expires_at = models.DateTimeField(null=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ["-active_at", "-id"]
        indexes = [
            models.Index(fields=["owner", "-active_at", "-id"], name="conversation_list"),
            models.Index(fields=["owner"], name="conversation_pinned", condition=Q(pinned=True)),
            models.Index(
                fields=["deleted_at"], name="conversation_deleted", condition=~Q(deleted_at=None)
            ),
            models.Index(
                fields=["expires_at"], name="conversation_expires", condition=~Q(expires_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.id)

    @property
    def topic(self) -> str:
        """Where its frames are announced."""
        return f"conversation.{self.id.hex}"

    def name_after(self, text: str) -> None:
        """Take the title from a first message: its first line, cut at a word."""
        line = next((line for line in clean(text).splitlines() if line.strip()), "").strip(" #*>`-")
        self.title = (
            line if len(line) <= TITLE_LENGTH else line[:TITLE_LENGTH].rsplit(" ", 1)[0] + "…"
        )

    def rename(self, title: str) -> None:
        self.title = " ".join(clean(title).split())[:200]
        self.save(update_fields=["title"])

    def begin_in(self, project: Project) -> None:
        """Take a project's settings, as they are now."""
        self.project = project
        self.model = project.model or self.model
        self.max_tokens = project.max_tokens or self.max_tokens
        self.system_prompt = project.system_prompt
        self.options = project.options

    def begin_after(self, summary: "Message") -> None:
        """Take another conversation's settings, and what it was about into the system prompt."""
        earlier = summary.conversation
        self.project, self.expires_at = earlier.project, earlier.expires_at
        self.model, self.max_tokens = earlier.model, earlier.max_tokens
        self.options = earlier.options
        self.system_prompt = "\n\n".join(
            filter(None, (earlier.system_prompt, CONTINUES, summary.text))
        )

    def move(self, project: Project | None) -> None:
        """Its settings stay: they are the conversation's own."""
        self.project = project
        self.save(update_fields=["project"])

    def pin(self, pinned: bool) -> None:
        self.pinned = pinned
        self.save(update_fields=["pinned"])

    def archive(self, archived: bool) -> None:
        self.archived_at = timezone.now() if archived else None
        self.save(update_fields=["archived_at"])

    def hide(self) -> None:
        self.deleted_at = timezone.now()
        self.save(update_fields=["deleted_at"])

    def restore(self) -> None:
        self.deleted_at = None
        self.save(update_fields=["deleted_at"])

    def close(self) -> None:
        """End a temporary one: it is gone at once, and its words as soon as no reply is live."""
        self.expires_at = timezone.now()
        self.save(update_fields=["expires_at"])

    def path_to(self, leaf: "Message | uuid.UUID | None") -> "list[Message]":
        """The messages from the root to this one, root first."""
        messages = self.messages.kept().prefetch_related("attachments")
        by_id = {message.id: message for message in messages}
        path = []
        step = leaf.id if isinstance(leaf, Message) else leaf
        while step is not None:
            path.append(by_id[step])
            step = by_id[step].parent_id
        return path[::-1]


class MessageQuerySet(models.QuerySet["Message"]):
    def kept(self) -> Self:
        return self.filter(deleted_at=None)

    def forgotten(self) -> Self:
        """Deleted for longer than an undo takes, with no reply still being written in their chat."""
        live = Message.objects.filter(
            conversation=models.OuterRef("conversation"),
            generation__state__in=["queued", "running"],
        )
        return self.filter(~models.Exists(live), deleted_at__lt=timezone.now() - UNDO)


class Message(models.Model):
    """One turn. Edits and regenerations are siblings: messages with the same parent."""

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages"
    )
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="replies")
    role = models.CharField(max_length=10, choices=Role.choices)
    text = models.TextField(blank=True)
    # A reply's thinking, shown folded above it.
    thinking = models.TextField(blank=True)
    thought_ms = models.PositiveIntegerField(null=True, help_text="how long it thought")
    model = models.CharField(max_length=100, blank=True, help_text="of a reply, as served")
    stop_reason = models.CharField(max_length=40, blank=True)
    attachments = models.ManyToManyField("chat.Attachment", related_name="messages")
    charge = models.ForeignKey(
        "ledger.Charge", null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    # All below it have the same: they were deleted with it.
    deleted_at = models.DateTimeField(null=True)

    objects = MessageQuerySet.as_manager()

    # The ids of the branches at this place, in order, once articles.branch has looked.
    siblings: "list[uuid.UUID]"
    # The calls that a reply took, in order, once articles has looked.
    calls: "Sequence[Charge]" = ()
    # Why the first of them found nothing in the vendor's cache, if that is worth telling.
    cache_missed = ""
    # The files of a question that is not saved yet.
    attaching: "list[Attachment] | None" = None

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["conversation", "created_at"], name="message_order"),
            models.Index(
                fields=["deleted_at"], name="message_deleted", condition=~Q(deleted_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.id}"

    @property
    def html(self) -> str:
        """A finished reply, rendered; what a person wrote is shown as it is."""
        if self.role == self.Role.USER or (self._writing and self._writing.live):
            return ""
        return rendered(self.text, get_language())

    @property
    def thought(self) -> str:
        """What it thought and looked for, as it is shown."""
        return captions.worded(self.thinking)

    @property
    def files(self) -> "list[Attachment]":
        """What goes with it, in the order of their arrival."""
        return list(self.attachments.all()) if self.attaching is None else self.attaching

    @property
    def price_line(self) -> str:
        return captions.price_line(self.calls)

    @property
    def pusd(self) -> int | None:
        """What is known of its cost, in pico-USD."""
        return captions.pusd(self.calls)

    @property
    def tokens(self) -> tuple[int, int]:
        """In and out, of all calls."""
        calls = self.calls
        return sum(call.tokens_in or 0 for call in calls), sum(c.tokens_out or 0 for c in calls)

    @property
    def thought_words(self) -> str:
        return captions.thought_words(self.calls, self.thought_ms)

    @property
    def stop_words(self) -> str:
        if self._writing is None:
            return ""
        ended = captions.stop_words(self._writing.state, self.stop_reason)
        served = captions.served_words(self.calls)
        told = ended, self._writing.shortened, served, self.cache_missed
        return " · ".join(filter(None, told))

    @property
    def advice(self) -> str:
        """What to do about an end that is none."""
        return captions.advice(self._writing.state, self.stop_reason) if self._writing else ""

    @property
    def error_words(self) -> str:
        """What happened, whether money was spent, what to do."""
        return self._writing.error_words if self._writing else ""

    @property
    def can_go_on(self) -> bool:
        """A further question can make it whole."""
        if not self._writing or self._writing.live or not self.text:
            return False
        cut = self._writing.state in ("stopped", "interrupted")
        return cut or self.stop_reason in captions.CAN_GO_ON

    @property
    def can_retry(self) -> bool:
        return bool(self._writing and self._writing.error and not self._writing.live)

    @property
    def wait(self) -> Wait | None:
        """How long asking again cannot succeed; None when that is not a matter of time."""
        if not self._writing or not self.can_retry or self._writing.error in REFUSALS:
            return None
        return Wait.until(self._writing.retry_at)

    @property
    def _writing(self) -> "Generation | None":
        return getattr(self, "generation", None)


@lru_cache(maxsize=500)
def rendered(text: str, language: str | None) -> str:
    """`language`, that of the moment, only tells one rendering from another."""
    return render(text)
