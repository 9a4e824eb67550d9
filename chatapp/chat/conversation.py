"""Asking: one database function turns a person's frame into a question, a queued reply and a hold."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chatapp.accounts.models import User
from chatapp.chat.draft import Ask, Draft
from chatapp.chat.holding import hold
from chatapp.chat.models import Generation, Message
from chatapp.chat.prompts import prompt_for
from chatapp.chat.refusals import Refused
from chatapp.claude.client import Prompt
from chatapp.ledger.models import Charge

LIVE_REPLIES = 10  # of one person at a time


@dataclass(frozen=True)
class Taker:
    """A process with room for one reply more: what is posted for it is its own from the start.

    It chooses the generation's id beforehand: a commit whose answer was lost is known by it.
    """

    id: UUID
    runner: str
    lease: timedelta


@dataclass(frozen=True)
class Claim:
    """A reply that is this process' to write, with the money held for its first attempt."""

    generation: Generation
    prompt: Prompt
    charge: Charge


@dataclass(frozen=True)
class Posted:
    """The reply that answers a key, whether this call made it, and the taker's claim to it."""

    generation: Generation
    new: bool
    claim: Claim | None = None


def post(user: User, ask: Ask, taker: Taker | None = None) -> Posted:
    """Write the question, the empty reply, its generation and the ledger's hold, or nothing.

    Without a taker the reply is queued. Safe to repeat: the same key answers with the same reply.
    Raises Refused, or CountNeeded when only an exact count of the prompt's tokens can tell whether
    it is refused.
    """
    try:
        with transaction.atomic():
            return _repeated(user, ask, taker) or _new(user, ask, taker)
    except IntegrityError:  # the same key, posted elsewhere at this moment
        if repeated := _repeated(user, ask, taker):
            return repeated
        raise


def claimed(generation: Generation) -> Claim:
    """What writing a claimed reply needs."""
    message = generation.message
    conversation = message.conversation
    prompt = prompt_for(
        conversation.path_to(message.parent_id),
        model=generation.model,
        system=conversation.system_prompt,
        max_tokens=generation.max_tokens,
        options=generation.asked,
    )
    charge = latest_charge(generation)
    assert charge
    return Claim(generation, prompt, charge)


def latest_charge(generation: Generation) -> Charge | None:
    return Charge.objects.filter(reference=generation.id).order_by("-attempt").first()


def _repeated(user: User, ask: Ask, taker: Taker | None) -> Posted | None:
    same = Generation.objects.filter(user=user, key=ask.key)
    if not same.exists():  # nearly always, and cheaper to ask
        return None
    found = same.select_related("message__conversation", "message__parent").first()
    if found and found.request_hash != ask.hash:
        raise Refused("key_reused", _("This message was already sent with another text."))
    if found and taker and found.id == taker.id:
        return Posted(found, new=True, claim=claimed(found))
    return Posted(found, new=False) if found else None


def _new(user: User, ask: Ask, taker: Taker | None) -> Posted:
    if Generation.objects.live().filter(user=user).count() >= LIVE_REPLIES:
        words = _("You have %(replies)s replies being written. Wait for one of them.")
        raise Refused("rate_limited", words % {"replies": LIVE_REPLIES})
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
        options=draft.options,
        language=get_language() or "",
        **(_taken(taker) if taker else {}),
    )
    reply.charge = charge = hold(generation, draft.prompt)
    reply.save(update_fields=["charge"])
    prompt = replace(draft.prompt, max_tokens=charge.max_tokens)
    return Posted(generation, True, Claim(generation, prompt, charge) if taker else None)


def _taken(taker: Taker) -> dict[str, Any]:
    """As GenerationQuerySet.claim leaves it."""
    return {
        "id": taker.id,
        "state": Generation.State.RUNNING,
        "runner": taker.runner,
        "fence": 1,
        "lease_until": Now() + taker.lease,
    }
