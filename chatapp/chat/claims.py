"""What the engine asks of the database: one function a step, each in its own transaction."""

from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from chatapp.accounts.models import User
from chatapp.chat import events
from chatapp.chat.articles import article_html
from chatapp.chat.bill import Bill
from chatapp.chat.conversation import Claim, claimed, latest_charge
from chatapp.chat.holding import hold
from chatapp.chat.models import Chunk, Generation, Settlement
from chatapp.chat.refusals import CountNeeded, Refused, not_found
from chatapp.claude import client
from chatapp.claude.client import Prompt
from chatapp.claude.meter import guess_tokens
from chatapp.ledger.models import Budget, Charge
from chatapp.ledger.models import State as ChargeState

State = Generation.State


def claim(id: UUID, *, runner: str, lease: timedelta) -> Claim | None:
    """None when it is not to be had."""
    generation = Generation.objects.claim(id, runner=runner, lease=lease)
    return claimed(generation) if generation else None


class Overtaken(Exception):
    """Another process was given this reply: nothing may leave from here."""


def depart(generation: Generation, prompt: Prompt, charge: Charge, attempt: int) -> Charge:
    """The request of this attempt is about to leave: from now on the reply is never given back.

    Returns the charge that holds its money: the first attempt's has since the question was posted,
    another holds the same worst case again. Raises Overtaken, or Refused.
    """
    if not generation.departs():
        raise Overtaken
    if attempt == 1:
        return charge
    try:
        return hold(generation, prompt, attempt=attempt)
    except CountNeeded as fault:
        raise Refused("budget_exceeded", _("There is no money left for another try.")) from fault


def farewell(id: UUID) -> tuple[str, events.Frame]:
    """The frame that ends a reply, and the topic to publish it on."""
    generation = Generation.objects.select_related("message__conversation").get(id=id)
    message = generation.message
    with generation.speaking():
        return message.conversation.topic, events.done(generation, article_html(message))


def request_stop(user: User, id: UUID) -> Generation:
    """Stop a reply: at once when nobody writes it yet, else by a flag its writer will see."""
    generation = Generation.objects.select_for_update().filter(id=id, user=user).first()
    if generation is None:
        raise not_found()
    if generation.state == State.QUEUED:
        _end_unsent(generation, State.STOPPED, "", "")
    elif generation.live:
        generation.stop_requested = True
        generation.save(update_fields=["stop_requested"])
    return generation


def overdrawn(budget: Budget) -> list[Generation]:
    """The replies being written on a hard budget with less in it than is spent and held."""
    charges, source = Charge.objects, client.source()
    standing = charges.standing(budget, source=source)
    if not budget.hard or standing.spent_pusd + standing.held_pusd <= budget.limit_pusd:
        return []
    days = budget.period_of(standing.day)
    held = charges.open().filter(budget.counts(), source=source, day__range=days)
    live = Generation.objects.live().filter(id__in=held.values("reference"))
    return list(live.select_related("user"))


def expire(id: UUID) -> bool:
    """Fail a reply that nobody had room for."""
    generation = _locked(id)
    if generation is None or generation.state != State.QUEUED:
        return False
    _end_unsent(
        generation,
        State.FAILED,
        "queue_timeout",
        noop("The server was too busy to ask. Nothing was sent and nothing was spent. Try again."),
    )
    return True


def _end_unsent(generation: Generation, state: str, error: str, explanation: str) -> None:
    charge = latest_charge(generation)
    bill = Bill(charge=charge, metered=None, error=error or state) if charge else None
    how = Settlement(state=state, text="", error=error, explanation=explanation, bill=bill)
    generation.settle(how, fence=generation.fence)


def abandon(id: UUID) -> bool:
    """End a reply whose writer was lost, with what was saved; True when it ended.

    Its request may be billed, so it is never made again; one that never left goes back to the
    queue.
    """
    generation = _locked(id, lapsed=True)
    if generation is None:
        return False
    if generation.sent_at is None:
        return _give_back(generation)
    generation.fence += 1
    generation.save(update_fields=["fence"])
    text, thinking = Chunk.words(generation)
    charge = latest_charge(generation)
    bill = None
    if charge and charge.state == ChargeState.AUTHORIZED:
        metered = charge.interrupted(estimated_output=written(generation, charge))
        bill = Bill(charge=charge, metered=metered, error="interrupted")
    how = Settlement(
        state=State.INTERRUPTED,
        text=text,
        thinking=thinking,
        model=charge.model if charge else "",
        error="interrupted",
        explanation=LOST,
        bill=bill,
    )
    return generation.settle(how, fence=generation.fence)


def written(generation: Generation, charge: Charge) -> int:
    """About how many tokens of what was saved this call has written, the latest of its reply."""
    return max(guess_tokens("".join(Chunk.words(generation))) - _written_before(charge), 0)


def _written_before(charge: Charge) -> int:
    """Tokens that the calls before this one have written, when the model paused the reply."""
    earlier = Charge.objects.captured().filter(reference=charge.reference)
    written: int | None = earlier.aggregate(sum=Sum("tokens_out"))["sum"]
    return written or 0


def _give_back(generation: Generation) -> bool:
    """To the queue; or end it, when its writer was lost before it heard of a stop."""
    if not generation.stop_requested:
        generation.requeue()
        return False
    _end_unsent(generation, State.STOPPED, "", "")
    return True


def _locked(id: UUID, *, lapsed: bool = False) -> Generation | None:
    rows = Generation.objects.lapsed() if lapsed else Generation.objects.all()
    skip = connection.features.has_select_for_update_skip_locked
    return rows.select_for_update(skip_locked=skip).filter(id=id).first()


LOST = noop(
    "The server that wrote this was lost. What was saved is kept; what was written is paid for. "
    "Continue or try again."
)
