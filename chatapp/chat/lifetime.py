"""When the server starts and ends, and when people leave: what the chat room does about it."""

from contextlib import suppress
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db import InterfaceError, OperationalError, transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.template.loader import get_template

from chatapp.accounts.models import User
from chatapp.accounts.signals import access_ended, person_erased
from chatapp.chat.broadcast import broadcast
from chatapp.chat.claims import farewell, overdrawn, request_stop
from chatapp.chat.gone import let_go
from chatapp.chat.markdown import render
from chatapp.chat.models import Attachment, Conversation, Project
from chatapp.chat.running import TOPIC, engine
from chatapp.ledger.models import Budget
from chatapp.pricing.models import price_book
from chatapp.web.database import db
from chatapp.web.signals import server_draining, server_started

SAMPLE = "A *word*\n\n```python\npass\n```\n\n$$x^2$$\n"


@receiver(server_started)
async def start(**kwargs: Any) -> None:
    broadcast.open()
    await engine.start()


@receiver(server_started)
async def warm_up(**kwargs: Any) -> None:
    """Read, compile and import now what the first message would else wait for."""
    with suppress(OperationalError, InterfaceError):
        await db(_warm_up)


def _warm_up() -> None:
    price_book()
    render(SAMPLE)
    for article in "chat/_message.html", "chat/_row.html":
        get_template(article)


@receiver(server_draining)
async def drain(grace: float, **kwargs: Any) -> None:
    await engine.drain(grace)
    await engine.close()
    await broadcast.close()


@receiver(person_erased)
def forget(person: User, **kwargs: Any) -> None:
    """Remove what they wrote. What it cost stays in the ledger."""
    let_go(person)
    Conversation.objects.of(person).delete()
    Attachment.objects.filter(owner=person).delete()
    Project.objects.filter(owner=person).delete()


@receiver([user_logged_out, access_ended])
def look_again(**kwargs: Any) -> None:
    """Every open socket of theirs asks whether they are still here."""
    person = kwargs.get("person") or kwargs.get("user")
    if person:
        broadcast.announce(f"user.{person.pk}", {"type": "recheck"})


@receiver(post_save, sender=Budget)
def look_into_it(instance: Budget, **kwargs: Any) -> None:
    # Its row must not be locked meanwhile: a reply that asks again locks itself, then its budget.
    transaction.on_commit(lambda: stop_overdrawn(instance.pk))


def stop_overdrawn(pk: int) -> None:
    """End what is being written on a budget that was made too small for it."""
    for budget in Budget.objects.filter(pk=pk):
        for reply in overdrawn(budget):
            with transaction.atomic():
                stopped = request_stop(reply.user, reply.id)
            if stopped.live:
                broadcast.announce(TOPIC, {"type": "stop", "gen": str(reply.id)})
            else:
                broadcast.announce(*farewell(reply.id))
