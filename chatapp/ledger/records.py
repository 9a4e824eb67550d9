"""What is stored of one request to the API: whose it was, what was used, and its money."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import gettext_noop as noop

from chatapp.ledger.choices import Purpose, Source, State, Status
from chatapp.pricing.usage import Certainty


class ChargeRecord(models.Model):
    """The columns of a charge and what the database demands of them.

    Money is integer pico-USD. `amount_pusd` is null until captured, and stays null while the call
    is unpriced or unknown; it always equals the sum of the charge's lines. `reference`,
    `conversation` and `project` are opaque ids of the chat room, which may be gone.
    """

    uuid = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False, verbose_name=lazy("number of the call")
    )
    source = models.CharField(max_length=10, choices=Source.choices, verbose_name=lazy("source"))
    purpose = models.CharField(max_length=10, choices=Purpose.choices, verbose_name=lazy("purpose"))
    # Indexed below: a plain index on either would win over those of the few open charges.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="charges",
        db_index=False,
        verbose_name=lazy("user"),
    )
    team = models.ForeignKey(
        "accounts.Team",
        null=True,
        on_delete=models.PROTECT,
        related_name="charges",
        db_index=False,
        verbose_name=lazy("team"),
    )
    reference = models.UUIDField(help_text=lazy("the reply it was for"), verbose_name=lazy("reply"))
    attempt = models.PositiveSmallIntegerField(default=1, verbose_name=lazy("attempt"))
    conversation = models.UUIDField(null=True, verbose_name=lazy("conversation"))
    project = models.UUIDField(null=True, verbose_name=lazy("project"))

    requested_model = models.CharField(max_length=100, verbose_name=lazy("model asked for"))
    served_model = models.CharField(
        max_length=100,
        blank=True,
        help_text=lazy("as the API named it"),
        verbose_name=lazy("model served"),
    )
    model = models.CharField(
        max_length=100,
        help_text=lazy("as asked for, then as served; the price book's id when it has one"),
        verbose_name=lazy("model"),
    )
    speed = models.CharField(
        max_length=20,
        blank=True,
        help_text=lazy("as asked for, then as served"),
        verbose_name=lazy("speed"),
    )
    service_tier = models.CharField(max_length=20, blank=True, verbose_name=lazy("service tier"))
    inference_geo = models.CharField(max_length=20, blank=True, verbose_name=lazy("region"))
    max_tokens = models.PositiveIntegerField(verbose_name=lazy("longest reply, tokens"))

    state = models.CharField(
        max_length=10, choices=State.choices, default=State.AUTHORIZED, verbose_name=lazy("state")
    )
    status = models.CharField(
        max_length=10, choices=Status.choices, blank=True, verbose_name=lazy("status")
    )
    held_pusd = models.BigIntegerField(
        help_text=lazy("the worst case; what an open charge holds"),
        verbose_name=lazy("held, pico-USD"),
    )
    amount_pusd = models.BigIntegerField(null=True, verbose_name=lazy("amount, pico-USD"))
    low_pusd = models.BigIntegerField(
        null=True, help_text=lazy("of an estimated charge"), verbose_name=lazy("at least, pico-USD")
    )
    high_pusd = models.BigIntegerField(
        null=True, help_text=lazy("of an estimated charge"), verbose_name=lazy("at most, pico-USD")
    )
    tokens_in = models.BigIntegerField(
        null=True,
        help_text=lazy("the whole prompt, cache included"),
        verbose_name=lazy("tokens in"),
    )
    tokens_out = models.BigIntegerField(null=True, verbose_name=lazy("tokens out"))
    flags = models.JSONField(default=list, verbose_name=lazy("flags"))

    usage = models.JSONField(
        null=True, help_text=lazy("raw, as the API reported it"), verbose_name=lazy("usage")
    )
    response = models.JSONField(
        null=True,
        help_text=lazy("how it ended, as the API reported it"),
        verbose_name=lazy("response"),
    )
    certainty = models.CharField(
        max_length=10,
        blank=True,
        choices=[(item.value, item.value) for item in Certainty],
        verbose_name=lazy("certainty"),
    )
    # Of an estimated charge, in tokens: what the stream had reported, and the likely count.
    reported_output = models.BigIntegerField(
        default=0, verbose_name=lazy("output reported, tokens")
    )
    estimated_output = models.BigIntegerField(
        null=True, verbose_name=lazy("output estimated, tokens")
    )
    request_id = models.CharField(max_length=100, blank=True, verbose_name=lazy("request"))
    message_id = models.CharField(max_length=100, blank=True, verbose_name=lazy("message"))
    stop_reason = models.CharField(max_length=40, blank=True, verbose_name=lazy("why it ended"))
    error = models.CharField(
        max_length=60,
        blank=True,
        help_text=lazy("why it ended otherwise"),
        verbose_name=lazy("error"),
    )
    http_status = models.PositiveSmallIntegerField(null=True, verbose_name=lazy("HTTP status"))

    # The price in force at authorized_at is the price of the call.
    authorized_at = models.DateTimeField(verbose_name=lazy("authorized at"))
    day = models.DateField(help_text=lazy("in the business time zone"), verbose_name=lazy("day"))
    started_at = models.DateTimeField(
        null=True,
        help_text=lazy("the first sign of an answer"),
        verbose_name=lazy("began to answer at"),
    )
    first_token_ms = models.PositiveIntegerField(null=True, verbose_name=lazy("first token, ms"))
    duration_ms = models.PositiveIntegerField(null=True, verbose_name=lazy("duration, ms"))
    settled_at = models.DateTimeField(null=True, verbose_name=lazy("settled at"))

    class Meta:
        abstract = True
        ordering = ["-authorized_at", "-id"]
        permissions = [("view_spend", noop("Can see what everyone spends"))]
        constraints = [
            models.UniqueConstraint(fields=["reference", "attempt"], name="one_charge_per_attempt"),
            models.CheckConstraint(
                name="settled_means_settled_at",
                condition=Q(state="authorized", settled_at__isnull=True)
                | Q(state__in=["captured", "voided"], settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="amount_only_when_captured",
                condition=Q(state="captured") | Q(amount_pusd__isnull=True),
            ),
            models.CheckConstraint(
                name="captured_says_how_well_known",
                condition=Q(state="captured") & ~Q(status="") | ~Q(state="captured") & Q(status=""),
            ),
            models.CheckConstraint(
                name="unknown_is_null_never_zero",
                condition=Q(status__in=["unpriced", "unknown"], amount_pusd__isnull=True)
                | Q(status__in=["exact", "estimated"], amount_pusd__isnull=False)
                | Q(status="", amount_pusd__isnull=True),
            ),
            models.CheckConstraint(
                name="never_negative",
                condition=Q(held_pusd__gte=0)
                & (Q(amount_pusd__gte=0) | Q(amount_pusd__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(fields=["-authorized_at", "-id"], name="charge_by_time"),
            models.Index(fields=["user", "-authorized_at", "-id"], name="charge_by_user"),
            models.Index(fields=["day", "model"], name="charge_by_day"),
            models.Index(fields=["conversation"], name="charge_by_conversation"),
            models.Index(fields=["day"], name="charge_open", condition=Q(state="authorized")),
            models.Index(
                fields=["user", "day"], name="charge_open_by_user", condition=Q(state="authorized")
            ),
            models.Index(
                # Conditions are equalities: SQLite cannot prove an IN with parameters.
                fields=["source", "status"],
                name="charge_waiting",
                condition=Q(state="captured", amount_pusd__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.state} {self.uuid}"

    @property
    def status_word(self) -> str:
        """How well the amount is known, in one word; "" before it is captured."""
        return Status(self.status).word if self.status else ""
