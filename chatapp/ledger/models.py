"""What was spent: one charge per request to the API, its lines, its adjustments, and daily totals."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce


class Source(models.TextChoices):
    ANTHROPIC = "anthropic"
    DEMO = "demo", "demonstration"


class Purpose(models.TextChoices):
    CHAT = "chat"
    TITLE = "title"
    SUMMARY = "summary"


class State(models.TextChoices):
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    VOIDED = "voided"


class Status(models.TextChoices):
    """How well a captured charge's amount is known."""

    EXACT = "exact"
    ESTIMATED = "estimated"
    UNPRICED = "unpriced", "unpriced (usage known, price not)"
    UNKNOWN = "unknown", "unknown (usage not known)"


class Kind(models.TextChoices):
    """What a line counts: tokens, or searches."""

    INPUT = "input"
    CACHE_WRITE_5M = "cache_write_5m", "cache write, 5 min"
    CACHE_WRITE_1H = "cache_write_1h", "cache write, 1 h"
    CACHE_READ = "cache_read", "cache read"
    OUTPUT = "output"
    WEB_SEARCH = "web_search", "web search"


class Charge(models.Model):
    """One request to the API: authorized before it leaves, then captured or voided, once.

    Money is integer pico-USD. `amount_pusd` is null until captured, and stays null while the call
    is unpriced or unknown; it always equals the sum of the charge's lines. `reference`,
    `conversation` and `project` are opaque ids of the chat room, which may be gone.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.CharField(max_length=10, choices=Source.choices)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="charges"
    )
    team = models.ForeignKey(
        "accounts.Team", null=True, on_delete=models.PROTECT, related_name="charges"
    )
    reference = models.UUIDField(help_text="the generation that asked")
    attempt = models.PositiveSmallIntegerField(default=1)
    conversation = models.UUIDField(null=True)
    project = models.UUIDField(null=True)

    model = models.CharField(max_length=100, help_text="as asked for, then as served")
    requested_model = models.CharField(max_length=100)
    speed = models.CharField(max_length=20, blank=True)
    service_tier = models.CharField(max_length=20, blank=True)
    inference_geo = models.CharField(max_length=20, blank=True)
    max_tokens = models.PositiveIntegerField()

    state = models.CharField(max_length=10, choices=State.choices, default=State.AUTHORIZED)
    status = models.CharField(max_length=10, choices=Status.choices, blank=True)
    held_pusd = models.BigIntegerField(help_text="the worst case; what an open charge holds")
    amount_pusd = models.BigIntegerField(null=True)
    low_pusd = models.BigIntegerField(null=True, help_text="of an estimated charge")
    high_pusd = models.BigIntegerField(null=True, help_text="of an estimated charge")
    flags = models.JSONField(default=list)

    usage = models.JSONField(null=True, help_text="raw, as the API reported it")
    response = models.JSONField(null=True, help_text="stop_reason, stop_details, fallback blocks")
    request_id = models.CharField(max_length=100, blank=True)
    message_id = models.CharField(max_length=100, blank=True)
    stop_reason = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=60, blank=True, help_text="why it ended otherwise")
    http_status = models.PositiveSmallIntegerField(null=True)

    # The price in force at authorized_at is the price of the call.
    authorized_at = models.DateTimeField()
    day = models.DateField(help_text="of authorized_at, in TIME_ZONE")
    started_at = models.DateTimeField(null=True, help_text="message_start seen")
    first_token_ms = models.PositiveIntegerField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-authorized_at", "-id"]
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
            models.Index(fields=["user", "-authorized_at", "-id"], name="charge_by_user"),
            models.Index(fields=["day", "model"], name="charge_by_day"),
            models.Index(fields=["conversation"], name="charge_by_conversation"),
            models.Index(
                fields=["user", "team"], name="charge_open", condition=Q(state="authorized")
            ),
            models.Index(
                fields=["status"],
                name="charge_waiting",
                condition=Q(status__in=["unpriced", "unknown"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.state} {self.uuid}"


class Adjustment(models.Model):
    """Why a captured charge's lines changed later: a price correction, or evidence that came late."""

    class Reason(models.TextChoices):
        RERATE = "rerate", "prices corrected"
        LATE_EVIDENCE = "late_evidence", "final usage arrived late"

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="adjustments")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    note = models.CharField(max_length=300, blank=True)
    status_before = models.CharField(max_length=10, choices=Status.choices)
    amount_before_pusd = models.BigIntegerField(null=True)
    status_after = models.CharField(max_length=10, choices=Status.choices)
    amount_after_pusd = models.BigIntegerField(null=True)
    usage = models.JSONField(null=True, help_text="raw, when the evidence is a usage")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.reason} of {self.charge_id}"


class ChargeLine(models.Model):
    """One billable segment's tokens of one kind: quantity x unit price x multiplier = amount."""

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="lines")
    # An adjustment adds lines that take back the old ones (negative amounts) and lines anew.
    adjustment = models.ForeignKey(
        Adjustment, null=True, on_delete=models.PROTECT, related_name="lines"
    )
    segment = models.PositiveSmallIntegerField(help_text="index of the billable segment")
    segment_type = models.CharField(max_length=30)
    model = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    quantity = models.BigIntegerField()
    unit_price_pusd = models.BigIntegerField()
    multiplier_bp = models.PositiveIntegerField()
    amount_pusd = models.BigIntegerField()
    price_version = models.ForeignKey(
        "pricing.PriceVersion", null=True, on_delete=models.PROTECT, related_name="lines"
    )
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.quantity} {self.kind} = {self.amount_pusd}"


class DailyTotal(models.Model):
    """Sums of captured charges per day and dimension, kept in the capture's own transaction."""

    day = models.DateField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey("accounts.Team", null=True, on_delete=models.PROTECT, related_name="+")
    model = models.CharField(max_length=100)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    source = models.CharField(max_length=10, choices=Source.choices)
    status = models.CharField(max_length=10, choices=Status.choices)

    calls = models.BigIntegerField(default=0)
    amount_pusd = models.BigIntegerField(
        default=0, help_text="0 stands beside calls whose status says unknown"
    )
    input_tokens = models.BigIntegerField(default=0)
    cache_write_5m_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    web_searches = models.BigIntegerField(default=0)
    input_pusd = models.BigIntegerField(default=0)
    cache_write_5m_pusd = models.BigIntegerField(default=0)
    cache_write_1h_pusd = models.BigIntegerField(default=0)
    cache_read_pusd = models.BigIntegerField(default=0)
    output_pusd = models.BigIntegerField(default=0)
    web_search_pusd = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "day",
                "source",
                "user",
                Coalesce("team", 0),
                "model",
                "purpose",
                "status",
                name="one_total_per_day_and_dimension",
            )
        ]
        indexes = [models.Index(fields=["user", "day"], name="total_by_user")]

    def __str__(self) -> str:
        return f"{self.day} {self.user_id} {self.model}"
