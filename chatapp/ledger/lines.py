"""What a charge adds up from: its lines, and the adjustments that took some back."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from chatapp.ledger.choices import Kind, Status
from chatapp.pricing.cost import Line
from chatapp.pricing.words import usd

if TYPE_CHECKING:
    from chatapp.ledger.charges import Charge


class Adjustment(models.Model):
    """Why a captured charge's lines changed later: a price correction, or evidence that came late."""

    class Reason(models.TextChoices):
        RERATE = "rerate", _("prices corrected")
        LATE_EVIDENCE = "late_evidence", _("final usage arrived late")

    charge = models.ForeignKey(
        "ledger.Charge", on_delete=models.PROTECT, related_name="adjustments"
    )
    reason = models.CharField(max_length=20, choices=Reason.choices)
    note = models.CharField(max_length=300, blank=True)
    status_before = models.CharField(max_length=10, choices=Status.choices)
    amount_before_pusd = models.BigIntegerField(null=True)
    status_after = models.CharField(max_length=10, choices=Status.choices)
    amount_after_pusd = models.BigIntegerField(null=True)
    evidence = models.JSONField(null=True, help_text="what was metered, when that is the reason")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["charge"],
                condition=Q(reason="late_evidence"),
                name="late_evidence_counts_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.reason} of {self.charge_id}"

    @property
    def before(self) -> str:
        return _amount(self.status_before, self.amount_before_pusd)

    @property
    def after(self) -> str:
        return _amount(self.status_after, self.amount_after_pusd)


def _amount(status: str, pusd: int | None) -> str:
    """ "$0.000406", or "unknown": the word says why there is no amount."""
    return Status(status).word if pusd is None else usd(pusd)


class ChargeLineQuerySet(models.QuerySet["ChargeLine"]):
    def in_force(self) -> Self:
        """The lines that add up to the charge: neither taken back nor taking back."""
        # Said twice over: without statistics SQLite takes "is null" of a unique column for one row,
        # and would read all lines there are.
        return self.exclude(reverses__isnull=False).filter(reversal=None)

    def between(self, first: date, last: date) -> Self:
        """Lines of calls authorized on these business days, both included."""
        return self.filter(charge__day__range=(first, last))

    def as_of(self, moment: datetime) -> Self:
        """What the ledger knew then: adjustments made later do not count."""
        return self.filter(recorded_at__lte=moment)

    def total(self) -> int:
        """Pico-USD, over lines taken back as well: they cancel out."""
        return self.aggregate(total=Sum("amount_pusd"))["total"] or 0

    def record(
        self,
        charge: "Charge",
        lines: Iterable[Line],
        *,
        at: datetime,
        adjustment: Adjustment | None = None,
        instead_of: Iterable["ChargeLine"] = (),
    ) -> None:
        """Write a charge's lines, taking back the ones they stand `instead_of`."""
        written = [line.taken_back() for line in instead_of]
        written += [ChargeLine.of(line) for line in lines]
        for line in written:
            line.charge, line.adjustment, line.recorded_at = charge, adjustment, at
        ChargeLine.objects.bulk_create(written)


class ChargeLine(models.Model):
    """One billable segment's tokens of one kind: quantity x unit price x multiplier = amount."""

    charge = models.ForeignKey("ledger.Charge", on_delete=models.PROTECT, related_name="lines")
    adjustment = models.ForeignKey(
        Adjustment, null=True, on_delete=models.PROTECT, related_name="lines", db_index=False
    )
    # The line that this one takes back: the same, with quantity and amount negated.
    reverses = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="reversal"
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
    # Of a counter, in place of a version.
    counter_price = models.ForeignKey(
        "pricing.CounterPrice",
        null=True,
        on_delete=models.PROTECT,
        related_name="lines",
        db_index=False,
    )
    recorded_at = models.DateTimeField()

    objects = ChargeLineQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.quantity} {self.kind} = {self.amount_pusd}"

    @classmethod
    def of(cls, line: Line) -> "ChargeLine":
        return cls(
            segment=line.segment,
            segment_type=line.segment_type[:30],
            model=line.model[:100],
            kind=line.kind,
            quantity=line.quantity,
            unit_price_pusd=line.unit_price_pusd,
            multiplier_bp=line.multiplier_bp,
            amount_pusd=line.amount_pusd,
            price_version_id=line.price_version,
            counter_price_id=line.counter_price,
        )

    def taken_back(self) -> "ChargeLine":
        return ChargeLine(
            reverses=self,
            segment=self.segment,
            segment_type=self.segment_type,
            model=self.model,
            kind=self.kind,
            quantity=-self.quantity,
            unit_price_pusd=self.unit_price_pusd,
            multiplier_bp=self.multiplier_bp,
            amount_pusd=-self.amount_pusd,
            price_version_id=self.price_version_id,
            counter_price_id=self.counter_price_id,
        )

    def says(self, line: Line) -> bool:
        """Whether this is the same line, whichever price version it names."""
        return (
            self.segment,
            self.segment_type,
            self.model,
            self.kind,
            self.quantity,
            self.unit_price_pusd,
            self.multiplier_bp,
        ) == (
            line.segment,
            line.segment_type[:30],
            line.model,
            line.kind,
            line.quantity,
            line.unit_price_pusd,
            line.multiplier_bp,
        )
