"""People talking: projects, conversations, a tree of messages, and the replies being written."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class Project(models.Model):
    """A folder of conversations with a system prompt and a model of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="projects"
    )
    name = models.CharField(max_length=120)
    system_prompt = models.TextField(blank=True)
    model = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


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
    created_at = models.DateTimeField(auto_now_add=True)
    # Of the last message; the list is ordered by it.
    active_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-active_at", "-id"]
        indexes = [models.Index(fields=["owner", "-active_at", "-id"], name="conversation_list")]

    def __str__(self) -> str:
        return self.title or str(self.id)


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
    # A reply's thinking and whatever else the page shows beside the text; see events.py.
    thinking = models.TextField(blank=True)
    model = models.CharField(max_length=100, blank=True, help_text="of a reply, as served")
    stop_reason = models.CharField(max_length=40, blank=True)
    charge = models.ForeignKey(
        "ledger.Charge", null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["conversation", "created_at"], name="message_order")]

    def __str__(self) -> str:
        return f"{self.role} {self.id}"


class Generation(models.Model):
    """One reply being written, or how it ended. The database is the truth; see running.py.

    `fence` rises with each claim: who holds an older one may write nothing. Leases are on the
    database's clock.
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

    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    runner = models.CharField(max_length=80, blank=True)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    stop_requested = models.BooleanField(default=False)
    # Set just before the request leaves: from here on it may be billed and is never run again.
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=60, blank=True)
    # When a retry makes sense, as the vendor said.
    retry_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

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


class Chunk(models.Model):
    """A checkpoint of a reply's text, at an offset in UTF-16 code units; folded in at the end."""

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
