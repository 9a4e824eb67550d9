"""Dated prices of counters that the vendor reports and no rule of pricing knows."""

from datetime import datetime
from typing import Self

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from chatapp.pricing import book
from chatapp.pricing.models.editions import Signed
from chatapp.pricing.models.versions import MONEY
from chatapp.pricing.words import usd


class CounterPriceQuerySet(models.QuerySet["CounterPrice"]):
    def known(self, at: datetime | None = None) -> Self:
        """Those recorded by now, or by `at`."""
        return self if at is None else self.filter(recorded_at__lte=at)


class CounterPrice(Signed):
    """What one count costs from `valid_from` on, whatever the model; never changed once recorded.

    In force at t, as known at k: as a price version. It is corrected by another that begins at the
    same time, and ended by one that costs 0.
    """

    counter = models.CharField(
        max_length=200,
        help_text="As the usage names it, place and all.",
        verbose_name=lazy("counter"),
    )
    unit_price_pusd = models.BigIntegerField(validators=MONEY, help_text="pico-USD for one")
    valid_from = models.DateTimeField(help_text="UTC")
    reason = models.CharField(max_length=300, verbose_name=lazy("reason"))

    objects = CounterPriceQuerySet.as_manager()

    class Meta:
        ordering = ["counter", "-valid_from", "-recorded_at"]
        verbose_name = lazy("counter price")
        verbose_name_plural = lazy("counter prices")
        indexes = [models.Index(fields=["counter", "valid_from"], name="counter_in_force")]

    def __str__(self) -> str:
        return _("%(counter)s %(price)s from %(begins)s") % {
            "counter": self.counter,
            "price": usd(self.unit_price_pusd, "exact"),
            "begins": f"{self.valid_from:%Y-%m-%d %H:%M}",
        }

    def value(self) -> book.CounterRate:
        return book.CounterRate(self.counter, self.valid_from, self.unit_price_pusd, self.pk)
