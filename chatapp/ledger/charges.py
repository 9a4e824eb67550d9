"""One request to the API and its money: authorized before it leaves, captured or voided once."""

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from chatapp.accounts.models import User
from chatapp.ledger import evidence, receipts
from chatapp.ledger.choices import Purpose, Source, State, Status
from chatapp.ledger.daily import DailyTotal
from chatapp.ledger.lines import Adjustment, ChargeLine
from chatapp.ledger.queries import ChargeQuerySet
from chatapp.ledger.rating import Rated, rate, tokens
from chatapp.pricing.book import PriceBook
from chatapp.pricing.models import price_book
from chatapp.pricing.usage import Certainty, Metered

# What an adjustment may change of a settled charge; the database refuses the rest.
ADJUSTABLE = (
    "status",
    "amount_pusd",
    "low_pusd",
    "high_pusd",
    "flags",
    "tokens_in",
    "tokens_out",
)


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

    requested_model = models.CharField(max_length=100)
    served_model = models.CharField(max_length=100, blank=True, help_text="as the API named it")
    model = models.CharField(
        max_length=100,
        help_text="as asked for, then as served; the price book's id when it has one",
    )
    speed = models.CharField(max_length=20, blank=True, help_text="as asked for, then as served")
    service_tier = models.CharField(max_length=20, blank=True)
    inference_geo = models.CharField(max_length=20, blank=True)
    max_tokens = models.PositiveIntegerField()

    state = models.CharField(max_length=10, choices=State.choices, default=State.AUTHORIZED)
    status = models.CharField(max_length=10, choices=Status.choices, blank=True)
    held_pusd = models.BigIntegerField(help_text="the worst case; what an open charge holds")
    amount_pusd = models.BigIntegerField(null=True)
    low_pusd = models.BigIntegerField(null=True, help_text="of an estimated charge")
    high_pusd = models.BigIntegerField(null=True, help_text="of an estimated charge")
    tokens_in = models.BigIntegerField(null=True, help_text="the whole prompt, cache included")
    tokens_out = models.BigIntegerField(null=True)
    flags = models.JSONField(default=list)

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
    authorized_at = models.DateTimeField()
    day = models.DateField(help_text="of authorized_at, in TIME_ZONE")
    started_at = models.DateTimeField(null=True, help_text="message_start seen")
    first_token_ms = models.PositiveIntegerField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    settled_at = models.DateTimeField(null=True)

    objects = ChargeQuerySet.as_manager()

    class Meta:
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
            models.Index(
                fields=["day", "user", "team"],
                name="charge_open",
                condition=Q(state="authorized"),
            ),
            models.Index(
                fields=["status"],
                name="charge_waiting",
                condition=Q(status__in=["unpriced", "unknown"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.state} {self.uuid}"

    def started(self, *, metered: Metered, request_id: str = "", message_id: str = "") -> bool:
        """Keep what message_start said, so that a crash leaves a lower bound, not nothing.

        The charge stays open, and holds the worst case. False when it was settled already.
        """
        with transaction.atomic():
            if not self._lock(State.AUTHORIZED):
                return False
            book = price_book()
            self._learn(metered, book, request_id=request_id, message_id=message_id)
            self.low_pusd = self._rated(book, metered).low_pusd
            self.started_at = timezone.now()
            self.save()
        return True

    def capture(
        self,
        metered: Metered,
        *,
        request_id: str = "",
        message_id: str = "",
        error: str = "",
        http_status: int | None = None,
        first_token_ms: int | None = None,
        duration_ms: int | None = None,
    ) -> bool:
        """Settle with what was used. False, and nothing done, when it was settled already."""
        with transaction.atomic():
            if not self._lock(State.AUTHORIZED):
                return False
            book = price_book()
            self._learn(metered, book, request_id=request_id, message_id=message_id)
            rated = self._rated(book, metered)
            self._set(rated)
            self.first_token_ms, self.duration_ms = first_token_ms, duration_ms
            now = timezone.now()
            self._settle(State.CAPTURED, at=now, error=error, http_status=http_status)
            ChargeLine.objects.record(self, rated.lines, at=now)
            DailyTotal.objects.add(self, rated.lines)
        return True

    def void(self, *, error: str, http_status: int | None = None, request_id: str = "") -> bool:
        """Settle a call that was provably not billed. False when it was settled already."""
        with transaction.atomic():
            if not self._lock(State.AUTHORIZED):
                return False
            self.request_id = request_id[:100] or self.request_id
            self.low_pusd = None
            self._settle(State.VOIDED, at=timezone.now(), error=error, http_status=http_status)
        return True

    def interrupted(self, estimated_output: int = 0) -> Metered:
        """What is known of an open charge whose process is gone: the facts of message_start.

        `estimated_output` is the token count of the text that was saved.
        """
        metered = self.metered()
        if metered.certainty is Certainty.UNKNOWN:
            return metered
        likely = min(max(estimated_output, metered.reported_output), self.max_tokens)
        return replace(metered, certainty=Certainty.ESTIMATED, estimated_output=likely)

    def metered(self) -> Metered:
        """The evidence that the amount rests on: the latest that was stored."""
        for adjustment in reversed(self.adjustments.all()):
            if adjustment.evidence is not None:
                return evidence.from_json(adjustment.evidence)
        return Metered(
            model=self.served_model or self.model,
            usage=self.usage,
            response=self.response or {},
            certainty=Certainty(self.certainty or Certainty.UNKNOWN),
            estimated_output=self.estimated_output,
            reported_output=self.reported_output,
        )

    def adjust(self, metered: Metered) -> Adjustment | None:
        """Take the final usage that arrived after the charge was captured without it; once."""
        with transaction.atomic():
            if not self._lock(State.CAPTURED) or not self._betters(metered):
                return None
            return self.restate(
                self._rated(price_book(), metered),
                reason=Adjustment.Reason.LATE_EVIDENCE,
                found=metered,
            )

    def rerated(self, book: PriceBook) -> Rated:
        """What this charge is at the prices of `book`; nothing is written."""
        return self._rated(book, self.metered())

    def restate(
        self,
        rated: Rated,
        *,
        reason: str,
        found: Metered | None = None,
        note: str = "",
        by: User | None = None,
    ) -> Adjustment:
        """Take back the lines in force and write new ones. The caller holds the row's lock."""
        now = timezone.now()
        taken_back = list(self.lines.in_force())
        adjustment = Adjustment(
            charge=self,
            reason=reason,
            note=note[:300],
            status_before=self.status,
            amount_before_pusd=self.amount_pusd,
            evidence=found and evidence.to_json(found),
            recorded_at=now,
            recorded_by=by,
        )
        DailyTotal.objects.add(self, taken_back, sign=-1)
        self._set(rated, usage=found.usage if found else self.usage)
        self.save(update_fields=ADJUSTABLE)
        DailyTotal.objects.add(self, rated.lines)
        adjustment.status_after, adjustment.amount_after_pusd = self.status, self.amount_pusd
        adjustment.save()
        ChargeLine.objects.record(
            self, rated.lines, at=now, adjustment=adjustment, instead_of=taken_back
        )
        return adjustment

    def receipt(self) -> receipts.Receipt:
        return receipts.of(self)

    def _lock(self, state: State) -> bool:
        """Read the row anew under its lock; whether it is in `state`."""
        self.refresh_from_db(from_queryset=Charge.objects.select_for_update())
        return self.state == state

    def _learn(
        self, metered: Metered, book: PriceBook, *, request_id: str, message_id: str
    ) -> None:
        told = evidence.to_json(metered)
        self.usage, self.response = told["usage"], told["response"]
        self.certainty = metered.certainty.value
        self.reported_output = metered.reported_output
        self.estimated_output = metered.estimated_output
        if metered.model:
            self.served_model = told["model"][:100]
            self.model = book.resolve(metered.model) or self.served_model
        usage, response = self.usage or {}, self.response or {}
        self.speed = _word(usage.get("speed"), 20) or self.speed
        self.service_tier = _word(usage.get("service_tier"), 20)
        self.inference_geo = _word(usage.get("inference_geo"), 20)
        self.stop_reason = _word(response.get("stop_reason"), 40)
        self.request_id = request_id[:100] or self.request_id
        self.message_id = message_id[:100] or self.message_id

    def _rated(self, book: PriceBook, metered: Metered) -> Rated:
        return rate(
            book,
            metered,
            at=self.authorized_at,
            max_tokens=self.max_tokens,
            held_pusd=self.held_pusd,
        )

    def _set(self, rated: Rated, usage: dict[str, Any] | None = None) -> None:
        self.status = rated.status
        self.amount_pusd = rated.amount_pusd
        self.low_pusd, self.high_pusd = rated.low_pusd, rated.high_pusd
        self.flags = list(rated.flags)
        self.tokens_in, self.tokens_out = (
            (None, None)
            if rated.status == Status.UNKNOWN
            else tokens(rated.lines, usage or self.usage)
        )

    def _settle(self, state: State, *, at: datetime, error: str, http_status: int | None) -> None:
        self.state, self.settled_at = state, at
        self.error, self.http_status = error[:60], http_status
        self.save()

    def _betters(self, metered: Metered) -> bool:
        unsure = self.status == Status.UNKNOWN or self.certainty != Certainty.EXACT
        heard = self.adjustments.filter(reason=Adjustment.Reason.LATE_EVIDENCE).exists()
        return metered.certainty is Certainty.EXACT and unsure and not heard


def _word(value: Any, length: int) -> str:
    return value[:length] if isinstance(value, str) else ""
