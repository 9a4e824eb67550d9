"""A conversation made ready for reading: its articles, its row in the list, the list in groups."""

from datetime import timedelta
from itertools import groupby
from uuid import UUID

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from chatapp.accounts.models import User
from chatapp.chat.models import Conversation, Message

Rows = list[tuple[str, list[Conversation]]]


def article_html(message: Message) -> str:
    """The article as the page has it, with the branches at its place."""
    if not hasattr(message, "siblings"):
        siblings = Message.objects.filter(
            conversation=message.conversation_id, parent=message.parent_id
        )
        message.siblings = list(siblings.values_list("id", flat=True))
    return render_to_string("chat/_message.html", {"message": message})


def row_html(conversation: Conversation) -> str:
    return render_to_string("chat/_row.html", {"row": conversation, "current": None})


def shown() -> QuerySet[Message]:
    """Messages with all that their articles read."""
    return Message.objects.select_related("generation", "charge", "conversation")


def branch(conversation: Conversation, through: UUID | None = None) -> list[Message]:
    """One path from the root to a leaf: through this message, else to the newest one.

    Each message knows its `siblings`: the ids of the other branches at this place, in order.
    """
    messages = list(shown().filter(conversation=conversation))
    children: dict[UUID | None, list[Message]] = {}
    for message in messages:
        children.setdefault(message.parent_id, []).append(message)
    leaf = next((m for m in messages if m.id == through), messages[-1] if messages else None)
    while leaf and leaf.id in children:
        leaf = children[leaf.id][-1]
    by_id = {message.id: message for message in messages}
    path: list[Message] = []
    while leaf:
        leaf.siblings = [sibling.id for sibling in children[leaf.parent_id]]
        path.insert(0, leaf)
        leaf = by_id.get(leaf.parent_id) if leaf.parent_id else None
    return path


def rows(user: User, limit: int = 300) -> Rows:
    """The list on the left: this person's conversations, newest first, in groups by age."""
    kept = Conversation.objects.of(user).kept().only("id", "title", "active_at")[:limit]
    today = timezone.localdate()

    def group(conversation: Conversation) -> str:
        age = today - timezone.localdate(conversation.active_at)
        if age <= timedelta(0):
            return "Today"
        if age == timedelta(days=1):
            return "Yesterday"
        return "Previous 7 days" if age <= timedelta(days=7) else "Older"

    return [(label, list(members)) for label, members in groupby(kept, group)]
