"""Counters that the vendor reports and no price knows, kept until somebody has looked at them."""

from collections.abc import Iterable
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as lazy

from chatapp.pricing.models import CounterPrice


class UnknownCounterQuerySet(models.QuerySet["UnknownCounter"]):
    def note(self, names: Iterable[str], *, charge: int) -> None:
        """Remember the first call that each was reported for."""
        counters = [UnknownCounter(name=name[:200], charge_id=charge) for name in names]
        if counters:
            UnknownCounter.objects.bulk_create(counters, ignore_conflicts=True)

    def waiting(self) -> Self:
        """Neither looked at, nor with a price that reaches back to the first call."""
        prices = CounterPrice.objects.known().filter(
            counter=OuterRef("name"), valid_from__lte=OuterRef("charge__authorized_at")
        )
        return self.filter(~Exists(prices), harmless=False)


class UnknownCounter(models.Model):
    """A count in some call's usage that no rule knows: in no sum until it is given a price."""

    name = models.CharField(max_length=200, unique=True, editable=False, verbose_name=lazy("name"))
    charge = models.ForeignKey(
        "ledger.Charge",
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        verbose_name=lazy("charge"),
    )
    first_seen_at = models.DateTimeField(auto_now_add=True, verbose_name=lazy("first seen at"))
    harmless = models.BooleanField(
        default=False,
        help_text=lazy("Looked at: it costs nothing, or is billed elsewhere."),
        verbose_name=lazy("harmless"),
    )

    objects = UnknownCounterQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = lazy("unknown counter")
        verbose_name_plural = lazy("unknown counters")

    def __str__(self) -> str:
        return self.name
