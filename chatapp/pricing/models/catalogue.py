"""The models the vendor sells, and the whole book as one value."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from chatapp.pricing import book
from chatapp.pricing.models.counters import CounterPrice
from chatapp.pricing.models.editions import BookEntry, Edition
from chatapp.pricing.models.versions import PriceVersion, RefusalRule, Speed


class ModelQuerySet(models.QuerySet["Model"]):
    def offered(self, at: datetime | None = None) -> Self:
        """Models people may pick: not withdrawn, not retired, and with a price in force now.

        The last is settings.SEND_UNPRICED's to waive.
        """
        at = at or timezone.now()
        latest = PriceVersion.objects.known().filter(
            model=OuterRef("pk"), speed=Speed.STANDARD, valid_from__lte=at
        )
        on_sale = latest.order_by("-valid_from", "-recorded_at", "-pk").values("available")[:1]
        retired = Q(retires__gt="", retires__lte=f"{at.astimezone(UTC):%Y-%m-%d}")
        return (
            self.filter(offered=True)
            .annotate(on_sale=Subquery(on_sale))
            .filter(
                Q(on_sale=True) | Q(on_sale=None) if settings.SEND_UNPRICED else Q(on_sale=True)
            )
            .exclude(retired & ~Q(retires__startswith=">"))
        )


class Model(BookEntry):
    """A model the vendor sells. Its `id` and `aliases` are matched exactly, never by prefix."""

    id = models.CharField(primary_key=True, max_length=100)
    name = models.CharField(max_length=100, verbose_name=lazy("name"))
    aliases = models.JSONField(default=list, blank=True, verbose_name=lazy("aliases"))
    launched = models.DateField(verbose_name=lazy("launched"))
    deprecated = models.DateField(null=True, blank=True, verbose_name=lazy("deprecated"))
    # As the vendor words it: a date, or ">=" and a date.
    retires = models.CharField(max_length=20, blank=True, verbose_name=lazy("retires"))
    context_window = models.PositiveIntegerField(
        help_text=lazy("tokens"), verbose_name=lazy("context window")
    )
    max_output = models.PositiveIntegerField(
        help_text=lazy("tokens"), verbose_name=lazy("max output")
    )
    offered = models.BooleanField(
        default=True,
        help_text=lazy("People may pick it in the chat page."),
        verbose_name=lazy("offered"),
    )
    note = models.CharField(max_length=200, blank=True, verbose_name=lazy("note"))

    objects = ModelQuerySet.as_manager()

    class Meta:
        ordering = ["-launched", "name"]
        verbose_name = lazy("model")
        verbose_name_plural = lazy("models")

    def __str__(self) -> str:
        return self.name

    @property
    def price(self) -> book.Version | None:
        """Its price in force now, at standard speed."""
        return price_book().version(self.pk, Speed.STANDARD, timezone.now())

    @property
    def end_of_life(self) -> str:
        """ "retires 30 Nov 2026" once the vendor has called it deprecated, else ""."""
        if not self.retires or not self.deprecated or self.deprecated > timezone.now().date():
            return ""
        words = _("retires %(day)s")
        if self.retires.startswith(">="):
            words = _("retires %(day)s or later")
        return words % {"day": _day(self.retires.removeprefix(">="))}


def _day(written: str) -> str:
    """A day in the reader's language; what is no date stays as it was written."""
    try:
        return date_format(date.fromisoformat(written), _("j M Y"))
    except ValueError:
        return written


_cached: tuple[object, book.PriceBook] | None = None


def price_book(known_at: datetime | None = None) -> book.PriceBook:
    """The book as it stands, or as it was known at a time (UTC).

    The book of now is kept per process; one query for its stamp tells whether it still holds.
    """
    global _cached
    if known_at is not None:
        return read_book(PriceVersion.objects.known(known_at), counters=_counters(known_at))
    # The stamp is read first: a change in between makes the next caller read again.
    stamp = Edition.stamp_now()
    if stamp and _cached and _cached[0] == stamp:
        return _cached[1]
    fresh = read_book(PriceVersion.objects.known())
    if stamp:
        _cached = stamp, fresh
    return fresh


def read_book(
    versions: models.QuerySet[PriceVersion],
    *hypothetical: book.Version,
    counters: Iterable[book.CounterRate] | None = None,
) -> book.PriceBook:
    """A book of the given versions, recorded order deciding between equals, `hypothetical` last.

    `counters` are those of now when None.
    """
    rows = versions.order_by("valid_from", "recorded_at", "pk").prefetch_related("tiers")
    names = {name: model.pk for model in Model.objects.all() for name in (model.pk, *model.aliases)}
    return book.PriceBook(
        versions=[*(row.value() for row in rows), *hypothetical],
        aliases=names,
        refusal_rules=[rule.value() for rule in RefusalRule.objects.all()],
        counters=_counters() if counters is None else counters,
    )


def _counters(known_at: datetime | None = None) -> list[book.CounterRate]:
    rows = CounterPrice.objects.known(known_at).order_by("valid_from", "recorded_at", "pk")
    return [row.value() for row in rows]
