"""Dated price versions with their tiers, and the dated refusal rules."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from chatapp.pricing import book
from chatapp.pricing.models.editions import BookEntry, Edition, Recorded, Signed
from chatapp.web.numbers import number

MONEY = [MinValueValidator(0)]


class Speed(models.TextChoices):
    STANDARD = "standard", lazy("Standard")
    FAST = "fast", lazy("Fast")


class PriceVersionQuerySet(models.QuerySet["PriceVersion"]):
    def known(self, at: datetime | None = None) -> Self:
        """The versions that count, as the book stands now or stood at `at`."""
        if at is None:
            return self.filter(cancelled_at=None)
        return self.filter(
            Q(cancelled_at=None) | Q(cancelled_at__gt=at),
            recorded_at__lte=at,
        )

    def with_successors(self, at: datetime) -> Self:
        """Annotates `superseded`: by `at` another version has taken this one's place."""
        later = Q(valid_from__gt=OuterRef("valid_from")) | Q(
            valid_from=OuterRef("valid_from"), pk__gt=OuterRef("pk")
        )
        successors = PriceVersion.objects.known().filter(
            later, model=OuterRef("model"), speed=OuterRef("speed"), valid_from__lte=at
        )
        return self.annotate(superseded=Exists(successors))

    def record(
        self, value: book.Version, *, source: str = "", reason: str = "", by: Any = None
    ) -> "PriceVersion":
        """A version with its tiers, in one transaction."""
        with transaction.atomic():
            version = self.create(
                model_id=value.model,
                speed=value.speed,
                valid_from=value.valid_from,
                available=value.available,
                batch_bp=value.batch_bp,
                geo_us_bp=value.geo_us_bp,
                web_search_pusd=value.web_search_pusd,
                source=source,
                reason=reason,
                recorded_by=by,
            )
            PriceTier.objects.bulk_create(
                PriceTier(version=version, **asdict(tier)) for tier in value.tiers
            )
        return version


class PriceVersion(Signed):
    """What one model costs at one speed from `valid_from` on; never changed once recorded.

    Two times: `valid_from` says when the rates hold, `recorded_at` and `cancelled_at` what was
    known when. In force at t, as known at k: of the versions recorded by k and not cancelled by k
    with valid_from <= t, the one with the latest valid_from, then the one recorded last.
    """

    model = models.ForeignKey(
        "pricing.Model",
        on_delete=models.PROTECT,
        related_name="versions",
        verbose_name=lazy("model"),
    )
    speed = models.CharField(
        max_length=10, choices=Speed.choices, default=Speed.STANDARD, verbose_name=lazy("speed")
    )
    valid_from = models.DateTimeField(
        db_index=True, help_text="UTC", verbose_name=lazy("valid from")
    )
    available = models.BooleanField(
        default=True,
        help_text=lazy("Off: not on sale from then on."),
        verbose_name=lazy("available"),
    )
    batch_bp = models.PositiveIntegerField(
        null=True, blank=True, help_text="basis points; empty: not offered"
    )
    geo_us_bp = models.PositiveIntegerField(
        null=True, blank=True, help_text="basis points; empty: not offered"
    )
    web_search_pusd = models.BigIntegerField(validators=MONEY, help_text="pico-USD for one search")
    source = models.CharField(max_length=300, blank=True, verbose_name=lazy("source"))
    reason = models.CharField(max_length=300, blank=True, verbose_name=lazy("reason"))
    cancelled_at = models.DateTimeField(null=True, editable=False)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )

    objects = PriceVersionQuerySet.as_manager()

    class Meta:
        ordering = ["model", "speed", "-valid_from", "-recorded_at"]
        verbose_name = lazy("price version")
        verbose_name_plural = lazy("price versions")
        indexes = [models.Index(fields=["model", "speed", "valid_from"], name="price_in_force")]

    def __str__(self) -> str:
        return _("%(model)s %(speed)s from %(begins)s") % {
            "model": self.model_id,
            "speed": self.speed,
            "begins": f"{self.valid_from:%Y-%m-%d %H:%M}",
        }

    @property
    def state(self) -> str:
        """cancelled, future, past or current; of a row that came `with_successors`."""
        if self.cancelled_at:
            return "cancelled"
        if self.valid_from > timezone.now():
            return "future"
        return "past" if getattr(self, "superseded", False) else "current"

    def value(self) -> book.Version:
        """As a value of the book; the rows of `tiers` go with it. Raises ValueError as that does."""
        return book.Version(
            model=self.model_id,
            speed=self.speed,
            valid_from=self.valid_from,
            available=self.available,
            batch_bp=self.batch_bp,
            geo_us_bp=self.geo_us_bp,
            web_search_pusd=self.web_search_pusd,
            tiers=tuple(tier.value() for tier in self.tiers.all()),
            id=self.pk,
        )

    def cancel(self, *, by: Any) -> None:
        """Take back a version that has not begun. Raises ValidationError when it has."""
        now = timezone.now()
        changed = PriceVersion.objects.filter(
            pk=self.pk, cancelled_at=None, valid_from__gt=now
        ).update(cancelled_at=now, cancelled_by=by)
        if not changed:
            raise ValidationError(_("Only a version that has not begun can be cancelled."))
        Edition.renew()


class PriceTier(Recorded):
    """Rates, in pico-USD per token, of segments whose prompt is over `over` tokens."""

    version = models.ForeignKey(PriceVersion, on_delete=models.CASCADE, related_name="tiers")
    over = models.PositiveIntegerField(
        default=0,
        help_text=lazy("prompt tokens, strictly more than"),
        verbose_name=lazy("prompt over, tokens"),
    )
    input = models.BigIntegerField(validators=MONEY, verbose_name=lazy("input"))
    cache_write_5m = models.BigIntegerField(
        validators=MONEY, verbose_name=lazy("cache write, 5 min")
    )
    cache_write_1h = models.BigIntegerField(validators=MONEY, verbose_name=lazy("cache write, 1 h"))
    cache_read = models.BigIntegerField(validators=MONEY, verbose_name=lazy("cache read"))
    output = models.BigIntegerField(validators=MONEY, verbose_name=lazy("output"))

    class Meta:
        ordering = ["over"]
        constraints = [
            models.UniqueConstraint(fields=["version", "over"], name="one_tier_per_threshold")
        ]

    def __str__(self) -> str:
        return _("over %(count)s tokens") % {"count": number(self.over)}

    def value(self) -> book.Tier:
        return book.Tier(
            over=self.over,
            input=self.input,
            cache_write_5m=self.cache_write_5m,
            cache_write_1h=self.cache_write_1h,
            cache_read=self.cache_read,
            output=self.output,
        )


class RefusalRule(BookEntry):
    """From a time on, the categories whose refusals before any output are billed; null: all are."""

    valid_from = models.DateTimeField(unique=True, help_text="UTC")
    billed_categories = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["valid_from"]

    def __str__(self) -> str:
        return _("from %(day)s") % {"day": f"{self.valid_from:%Y-%m-%d}"}

    def value(self) -> tuple[datetime, frozenset[str] | None]:
        billed = self.billed_categories
        return self.valid_from, None if billed is None else frozenset(billed)
