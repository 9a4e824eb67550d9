"""One request to the API and its money: authorized before it leaves, captured or voided once."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as lazy

from chatapp.accounts.models import User
from chatapp.ledger import evidence, receipts
from chatapp.ledger.choices import State, Status
from chatapp.ledger.daily import DailyTotal
from chatapp.ledger.lines import Adjustment, ChargeLine
from chatapp.ledger.queries import ChargeQuerySet
from chatapp.ledger.rating import Rated, rate, tokens
from chatapp.ledger.records import ChargeRecord
from chatapp.ledger.unknown import UnknownCounter
from chatapp.pricing.book import PriceBook
from chatapp.pricing.counters import unknown_counters
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


class Charge(ChargeRecord):
    """One request to the API: authorized before it leaves, then captured or voided, once."""

    objects = ChargeQuerySet.as_manager()

    class Meta(ChargeRecord.Meta):
        verbose_name = lazy("charge")
        verbose_name_plural = lazy("charges")

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
            self.first_token_ms, self.duration_ms = first_token_ms, duration_ms
            rated = self._rated(book, metered)
            self._set(rated)
            now = timezone.now()
            self._settle(State.CAPTURED, at=now, error=error, http_status=http_status)
            ChargeLine.objects.record(self, rated.lines, at=now)
            DailyTotal.objects.add(self, rated.lines)
            UnknownCounter.objects.note(unknown_counters(self.usage), charge=self.pk)
        return True

    def void(self, *, error: str, http_status: int | None = None, request_id: str = "") -> bool:
        """Settle a call that was provably not billed. False when it was settled already."""
        with transaction.atomic():
            if not self._lock(State.AUTHORIZED):
                return False
            self.request_id = evidence.word(request_id, 100) or self.request_id
            self.low_pusd = None
            self._settle(State.VOIDED, at=timezone.now(), error=error, http_status=http_status)
        return True

    def interrupted(self, estimated_output: int) -> Metered:
        """What is known of an open charge whose process is gone: the facts of message_start.

        `estimated_output` is the token count of the text that was saved.
        """
        metered = self.metered()
        if metered.certainty is not Certainty.ESTIMATED:
            return metered
        likely = min(max(estimated_output, metered.reported_output), self.max_tokens)
        return replace(metered, estimated_output=likely)

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
            UnknownCounter.objects.note(unknown_counters(metered.usage), charge=self.pk)
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
        self.speed = evidence.word(usage.get("speed"), 20) or self.speed
        self.service_tier = evidence.word(usage.get("service_tier"), 20)
        self.inference_geo = evidence.word(usage.get("inference_geo"), 20)
        self.stop_reason = evidence.word(response.get("stop_reason"), 40)
        self.request_id = evidence.word(request_id, 100) or self.request_id
        self.message_id = evidence.word(message_id, 100) or self.message_id

    def _rated(self, book: PriceBook, metered: Metered) -> Rated:
        return rate(
            book,
            metered,
            at=self.authorized_at,
            max_tokens=self.max_tokens,
            held_pusd=self.held_pusd,
            heard=self.first_token_ms is not None,
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
