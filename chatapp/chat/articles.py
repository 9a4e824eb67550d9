"""A conversation made ready for reading: its articles, and its row in the list."""

from uuid import UUID

from django.db.models import QuerySet
from django.template.loader import render_to_string

from chatapp.chat.caching import missed
from chatapp.chat.models import Conversation, Message
from chatapp.ledger.models import Charge


def article_html(message: Message) -> str:
    """The article as the page has it, with the branches at its place."""
    if not hasattr(message, "siblings"):
        siblings = Message.objects.kept().filter(
            conversation=message.conversation_id, parent=message.parent_id
        )
        message.siblings = list(siblings.values_list("id", flat=True))
    earlier = shown().filter(replies__replies=message)
    _reckon([*earlier, message])
    return render_to_string("chat/_message.html", {"message": message})


def row_html(conversation: Conversation) -> str:
    return render_to_string("chat/_row.html", {"row": conversation, "current": None})


def shown() -> QuerySet[Message]:
    """Messages with all that their articles read."""
    return (
        Message.objects.kept()
        .select_related("generation", "charge", "conversation")
        .prefetch_related("attachments")
    )


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
    _reckon(path)
    return path


def _reckon(messages: list[Message]) -> None:
    """Let each know the calls that it took: a paused reply took several."""
    calls: dict[UUID | None, list[Charge]] = {}
    writings = {m.id: m.generation.id for m in messages if hasattr(m, "generation")}
    for charge in Charge.objects.filter(reference__in=writings.values()).order_by("attempt"):
        calls.setdefault(charge.reference, []).append(charge)
    before = None
    for message in messages:
        if found := calls.get(writings.get(message.id)):
            message.calls = found
            message.cache_missed = missed(found[0], before)
            before = found[-1]
