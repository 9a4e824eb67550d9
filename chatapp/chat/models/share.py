"""Links by which others may read one branch of a conversation, until its owner takes them back."""

import secrets
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from chatapp.chat.models.conversation import Conversation, Message

MEMBERS, ANYONE, OFF = "members", "anyone", "off"


def new_token() -> str:
    return secrets.token_urlsafe(24)


class ShareQuerySet(models.QuerySet["Share"]):
    def open(self) -> Self:
        """What may be read: not of somebody who has left, nor of what is deleted."""
        if settings.SHARE_LINKS == OFF:
            return self.none()
        return self.filter(
            upto__deleted_at=None,
            conversation__in=Conversation.objects.lasting(),
            conversation__owner__is_active=True,
        )


class Share(models.Model):
    """The branch down to one message, as it stood then: what is written later is not in it."""

    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, related_name="share"
    )
    upto = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    shared_at = models.DateTimeField(default=timezone.now)

    objects = ShareQuerySet.as_manager()

    def __str__(self) -> str:
        return f"link to {self.conversation_id}"

    @property
    def url(self) -> str:
        """The address to give away."""
        return f"{settings.PUBLIC_URL}/s/{self.token}/"

    @property
    def messages(self) -> list[Message]:
        return self.conversation.path_to(self.upto)
