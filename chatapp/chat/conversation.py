"""Asking: one database function turns a person's frame into a question, a queued reply and a hold."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from chatapp.accounts.models import User
from chatapp.chat.draft import Ask, Draft
from chatapp.chat.models import Generation, Message
from chatapp.chat.prompts import counts, upper_bound
from chatapp.chat.refusals import CountNeeded, Refused, context_exceeded, unpriced
from chatapp.claude import client
from chatapp.claude.client import Prompt
from chatapp.ledger.models import BudgetExceeded, Charge, Purpose, Unpriced
from chatapp.pricing.models import Model, price_book

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


def hold(generation: Generation, prompt: Prompt, *, attempt: int = 1) -> Charge:
    """Hold the worst case of this prompt in the ledger.

    A token is at least one byte: that bound needs no network and mostly fits. When it does not, the
    vendor's count decides.
    """
    bound, exact = upper_bound(prompt), counts.get(prompt)
    try:
        return _hold(generation, prompt, bound, attempt)
    except Refused as refused:
        if refused.code not in ("context_exceeded", "budget_exceeded"):
            raise
        if exact is None:
            raise CountNeeded(prompt) from refused
    return _hold(generation, prompt, exact, attempt)


def _hold(generation: Generation, prompt: Prompt, tokens: int, attempt: int) -> Charge:
    model = Model.objects.get(id=price_book().resolve(prompt.model) or prompt.model)
    if tokens + prompt.max_tokens > model.context_window:
        raise context_exceeded(model, tokens, prompt.max_tokens)
    conversation = generation.message.conversation
    try:
        return Charge.objects.authorize(
            user=generation.user,
            source=client.source(),
            purpose=Purpose.CHAT,
            model=prompt.model,
            max_tokens=prompt.max_tokens,
            prompt_tokens=tokens,
            reference=generation.id,
            attempt=attempt,
            conversation=conversation.id,
            project=conversation.project_id,
        )
    except Unpriced as fault:
        raise unpriced(model) from fault
    except BudgetExceeded as fault:
        raise Refused("budget_exceeded", fault.message) from fault
