"""Files that go with questions: kept under random names in a private folder, counted and forgotten."""

import uuid
from datetime import timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from chatapp.accounts.models import User
from chatapp.chat.models.conversation import Conversation
from chatapp.chat.sniffing import pixels
from chatapp.claude.files import IMAGES, File

# What no message has is removed after this long.
UNSENT = timedelta(days=1)


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def of(self, user: User) -> Self:
        """What this person may see; not what stands in a conversation they have deleted."""
        return self.filter(owner=user, conversation__deleted_at=None)

    def whole(self) -> Self:
        """Arrived to the last byte, and found acceptable."""
        return self.exclude(media_type="")

    def for_question(self, conversation: Conversation) -> Self:
        """What a question here may have: new, or of an earlier question here."""
        return self.whole().filter(
            models.Q(conversation=None) | models.Q(conversation_id=conversation.id)
        )

    def forgotten(self) -> Self:
        return self.filter(messages=None, created_at__lt=timezone.now() - UNSENT)


class Attachment(models.Model):
    """One file. Its conversation is known once it was sent; `media_type` once all of it is here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="attachments"
    )
    conversation = models.ForeignKey(
        Conversation, null=True, on_delete=models.CASCADE, related_name="attachments"
    )
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=40, blank=True)
    size = models.PositiveIntegerField(help_text="bytes")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["created_at"], name="attachment_age")]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def path(self) -> Path:
        """Where its bytes are. Nothing a person typed is in it."""
        return Path(settings.MEDIA_ROOT) / "attachments" / self.id.hex[:2] / self.id.hex

    @property
    def file(self) -> File:
        return File(self.path, self.media_type, self.name, self.size)

    @property
    def is_image(self) -> bool:
        return self.media_type in IMAGES

    @property
    def edge(self) -> int:
        """Pixels of an image's longer edge; 0 when that is not known, or the file was lost."""
        try:
            return _edge(self.path)
        except FileNotFoundError:
            return 0

    def write(self, at: int, content: bytes) -> int:
        """Put these bytes at this place, and say how many there are now; repeating is harmless."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        with self.path.open("r+b") as file:
            file.seek(at)
            file.write(content)
            return file.seek(0, 2)


@lru_cache(maxsize=2_000)
def _edge(path: Path) -> int:
    """Read once: what is at a path never changes."""
    return max(pixels(path.read_bytes()) or (0,))


@receiver(post_delete, sender=Attachment)
def remove_file(instance: Attachment, **kwargs: Any) -> None:
    """Its bytes go once it is certain that the row has gone."""
    transaction.on_commit(partial(instance.path.unlink, missing_ok=True))
