"""Deleting a message with all that follows it, and taking that back. What it cost stays spent."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from chatapp.chat import events
from chatapp.chat.broadcast import broadcast
from chatapp.chat.models import Conversation, Generation, Message
from chatapp.chat.refusals import busy, not_found
from chatapp.chat.views import Member, refusals_as_json


@refusals_as_json
def delete(request: Member, id: UUID) -> JsonResponse:
    """Hide it at once; `restore` brings it back within the hour."""
    with transaction.atomic():
        message = _own(request, id)
        if Generation.objects.live().filter(message__conversation=message.conversation).exists():
            raise busy()
        _mark(message, None, timezone.now())
    return _told(message)


@refusals_as_json
def restore(request: Member, id: UUID) -> JsonResponse:
    """Bring back what was deleted with it, no more."""
    with transaction.atomic():
        message = _own(request, id)
        if message.parent and message.parent.deleted_at:
            raise not_found()
        if message.deleted_at:
            _mark(message, message.deleted_at, None)
    return _told(message)


def _own(request: Member, id: UUID) -> Message:
    """Their message, its conversation locked: nobody asks in it meanwhile."""
    own = Conversation.objects.of(request.user).kept().select_for_update()
    conversation = get_object_or_404(own, messages=id)
    return conversation.messages.select_related("parent").get(id=id)


def _mark(message: Message, before: datetime | None, after: datetime | None) -> None:
    """Change `deleted_at` of this message and of all below it that have it as it was."""
    below = _below(message, Message.objects.filter(deleted_at=before))
    Message.objects.filter(id__in=list(below)).update(deleted_at=after)


def _below(message: Message, among: QuerySet[Message]) -> Iterator[UUID]:
    children: dict[UUID | None, list[UUID]] = {}
    rows = among.filter(conversation=message.conversation_id).values_list("id", "parent_id")
    for id, parent in rows:
        children.setdefault(parent, []).append(id)
    waiting = [message.id]
    while waiting:
        yield (id := waiting.pop())
        waiting += children.get(id, [])


def _told(message: Message) -> JsonResponse:
    """Let every tab that shows this conversation know."""
    conversation = message.conversation
    broadcast.announce(conversation.topic, events.changed(conversation))
    return JsonResponse({"ok": True})
