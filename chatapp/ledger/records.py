"""What is stored of one request to the API: whose it was, what was used, and its money."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as lazy

from chatapp.ledger.choices import Purpose, Source, State, Status
from chatapp.pricing.usage import Certainty


class ChargeRecord(models.Model):
    """The columns of a charge and what the database demands of them.

    Money is integer pico-USD. `amount_pusd` is null until captured, and stays null while the call
    is unpriced or unknown; it always equals the sum of the charge's lines. `reference`,
    `conversation` and `project` are opaque ids of the chat room, which may be gone.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
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
    )
    reference = models.UUIDField(help_text="the generation that asked")
    attempt = models.PositiveSmallIntegerField(default=1)
    conversation = models.UUIDField(null=True)
    project = models.UUIDField(null=True)

    requested_model = models.CharField(max_length=100)
    served_model = models.CharField(max_length=100, blank=True, help_text="as the API named it")
    model = models.CharField(
        max_length=100,
        help_text="as asked for, then as served; the price book's id when it has one",
        verbose_name=lazy("model"),
    )
    speed = models.CharField(max_length=20, blank=True, help_text="as asked for, then as served")
    service_tier = models.CharField(max_length=20, blank=True)
    inference_geo = models.CharField(max_length=20, blank=True)
    max_tokens = models.PositiveIntegerField()

    state = models.CharField(
        max_length=10, choices=State.choices, default=State.AUTHORIZED, verbose_name=lazy("state")
    )
    status = models.CharField(
        max_length=10, choices=Status.choices, blank=True, verbose_name=lazy("status")
    )
    held_pusd = models.BigIntegerField(help_text="the worst case; what an open charge holds")
    amount_pusd = models.BigIntegerField(null=True)
    low_pusd = models.BigIntegerField(null=True, help_text="of an estimated charge")
    high_pusd = models.BigIntegerField(null=True, help_text="of an estimated charge")
    tokens_in = models.BigIntegerField(null=True, help_text="the whole prompt, cache included")
    tokens_out = models.BigIntegerField(null=True)
    flags = models.JSONField(default=list, verbose_name=lazy("flags"))

    usage = models.JSONField(null=True, help_text="raw, as the API reported it")
    response = models.JSONField(null=True, help_text="stop_reason, stop_details, fallback blocks")
    certainty = models.CharField(
        max_length=10, blank=True, choices=[(item.value, item.value) for item in Certainty]
    )
    # Of an estimated charge, in tokens: what the stream had reported, and the likely count.
    reported_output = models.BigIntegerField(default=0)
    estimated_output = models.BigIntegerField(null=True)
    request_id = models.CharField(max_length=100, blank=True)
    message_id = models.CharField(max_length=100, blank=True)
    stop_reason = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=60, blank=True, help_text="why it ended otherwise")
    http_status = models.PositiveSmallIntegerField(null=True)

    # The price in force at authorized_at is the price of the call.
    authorized_at = models.DateTimeField(verbose_name=lazy("authorized at"))
    day = models.DateField(help_text="of authorized_at, in TIME_ZONE")
    started_at = models.DateTimeField(null=True, help_text="message_start seen")
    first_token_ms = models.PositiveIntegerField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        ordering = ["-authorized_at", "-id"]
        permissions = [("view_spend", "Can see what everyone spends")]
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
