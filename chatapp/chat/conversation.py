"""Asking: one database function turns a person's frame into a question, a queued reply and a hold."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from chatapp.accounts.models import User
from chatapp.chat.draft import Ask, Draft
from chatapp.chat.holding import hold
from chatapp.chat.models import Generation, Message
from chatapp.chat.refusals import Refused

LIVE_REPLIES = 10  # of one person at a time


@dataclass(frozen=True)
class Posted:
    """The reply that answers a key, and whether this call made it."""

    generation: Generation
    new: bool


def post(user: User, ask: Ask) -> Posted:
    """Write the question, the empty reply, its queued generation and the ledger's hold, or nothing.

    Safe to repeat: the same key answers with the same reply. Raises Refused, or CountNeeded when
    only an exact count of the prompt's tokens can tell whether it is refused.
    """
    try:
        with transaction.atomic():
            return _repeated(user, ask) or _new(user, ask)
    except IntegrityError:  # the same key, posted elsewhere at this moment
        if repeated := _repeated(user, ask):
            return repeated
        raise


def _repeated(user: User, ask: Ask) -> Posted | None:
    found = (
        Generation.objects.filter(user=user, key=ask.key)
        .select_related("message__conversation", "message__parent")
        .first()
    )
    if found and found.request_hash != ask.hash:
        raise Refused("key_reused", "This message was already sent with another text.")
    return Posted(found, new=False) if found else None


def _new(user: User, ask: Ask) -> Posted:
    if Generation.objects.live().filter(user=user).count() >= LIVE_REPLIES:
        raise Refused(
            "rate_limited", f"You have {LIVE_REPLIES} replies being written. Wait for one of them."
        )
    draft = Draft.of(user, ask)
    draft.save()
    reply = Message.objects.create(
        conversation=draft.conversation, parent=draft.question, role=Message.Role.ASSISTANT
    )
    generation = Generation.objects.create(
        message=reply,
        user=user,
        key=ask.key,
        request_hash=ask.hash,
        model=draft.model,
        max_tokens=draft.max_tokens,
    )
    reply.charge = hold(generation, draft.prompt)
    reply.save(update_fields=["charge"])
    return Posted(generation, new=True)
