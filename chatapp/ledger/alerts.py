"""What is to be told outside, by mail or webhook: written with its cause, sent soon, once."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from json import dumps
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from chatapp.accounts.models import User

TRIES = 10
# Doubled after each try; longer than any try takes, so that no other process begins one meanwhile.
PAUSE = timedelta(minutes=1)


# A mail's subject and text: asked for once for each person, in their language.
Words = Callable[[], tuple[str, str]]


class AlertQuerySet(models.QuerySet["Alert"]):
    def waiting(self) -> Self:
        return self.filter(sent_at=None, tries__lt=TRIES)

    def due(self) -> Self:
        return self.waiting().filter(due_at__lte=timezone.now()).order_by("due_at")

    def write(
        self,
        *,
        words: Words,
        people: Iterable[User],
        event: str,
        facts: Mapping[str, Any],
    ) -> None:
        """In the caller's transaction: a mail to each person who has an address, and the webhook."""
        now = timezone.now()
        alerts = [_mail(person, words, now) for person in people if person.email]
        if url := settings.BUDGET_WEBHOOK_URL:
            alert = Alert(channel=Alert.Channel.WEBHOOK, address=url, subject=event, due_at=now)
            alert.text = dumps(
                {"id": str(alert.uuid), "type": event, "at": now.isoformat(), **facts}
            )
            alerts.append(alert)
        Alert.objects.bulk_create(alerts)


class Alert(models.Model):
    """One message to one address. `text` is a mail's words, or a webhook's body."""

    class Channel(models.TextChoices):
        MAIL = "mail", "Mail"
        WEBHOOK = "webhook", "Webhook"

    # Names the message for good, so that a receiver can tell a repetition from news.
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    address = models.CharField(max_length=500)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    written_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True, help_text="of the last try")

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-written_at", "-id"]
        indexes = [
            models.Index(fields=["due_at"], name="alert_unsent", condition=Q(sent_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.subject}"

    def claim(self) -> bool:
        """Take the next try; False when another process has it, or it was sent."""
        again = timezone.now() + PAUSE * 2**self.tries
        this_try = Alert.objects.waiting().filter(pk=self.pk, tries=self.tries)
        return bool(this_try.update(tries=F("tries") + 1, due_at=again))

    def settle(self, trouble: str) -> None:
        """Keep what became of the try: "" when it was delivered."""
        self.trouble = trouble[:200]
        self.sent_at = None if trouble else timezone.now()
        self.save(update_fields=["trouble", "sent_at"])


def _mail(person: User, words: Words, due_at: datetime) -> Alert:
    with person.speaking():
        subject, text = words()
        hello = _("Hello %(name)s,") % {"name": person.label}
    return Alert(
        channel=Alert.Channel.MAIL,
        address=person.email,
        subject=subject[:200],
        text=f"{hello}\n\n{text}\n",
        due_at=due_at,
    )


def managers() -> models.QuerySet[User]:
    """The people who set budgets: holders of the permission, and superusers."""
    holders = User.objects.with_perm(
        "ledger.manage_budgets", backend="django.contrib.auth.backends.ModelBackend"
    )
    return holders.order_by("pk")
