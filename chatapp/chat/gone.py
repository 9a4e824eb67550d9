"""Money held for replies that are gone: their person was erased before they had ended."""

from django.db.models import Exists, OuterRef

from chatapp.accounts.models import User
from chatapp.chat.claims import written
from chatapp.chat.models import Generation
from chatapp.ledger.models import Charge


def let_go(person: User) -> None:
    """Give back what was held for replies that were never asked for; the caller removes them.

    The others may be billed. Their writer pays for them, or a sweep when it is lost: by what it
    had written until now, since no words stay.
    """
    live = Generation.objects.live().filter(user=person).order_by("id")
    for generation in live.select_for_update():
        # Locked, too: a call that another follows is settled without its reply's lock.
        for charge in Charge.objects.open().filter(reference=generation.id).select_for_update():
            if generation.sent_at is None:
                charge.void(error="erased")
            else:
                charge.estimated_output = written(generation, charge)
                charge.save(update_fields=["estimated_output"])


def forsaken() -> list[int]:
    """Open charges whose reply is gone: whoever writes it settles them soon, if anybody does."""
    reply = Generation.objects.filter(id=OuterRef("reference"))
    return list(Charge.objects.open().filter(~Exists(reply)).values_list("pk", flat=True))


def settle(pk: int) -> bool:
    """Capture what the charge itself knows: an estimate once an answer had begun, else unknown.

    False when it was settled already.
    """
    charge = Charge.objects.get(pk=pk)
    metered = charge.interrupted(estimated_output=charge.estimated_output or 0)
    return charge.capture(metered, error="interrupted")
