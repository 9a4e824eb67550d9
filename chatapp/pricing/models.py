"""The price book: models, and dated versions of what each costs, in integer pico-USD."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone


class Speed(models.TextChoices):
    STANDARD = "standard"
    FAST = "fast"


class Model(models.Model):
    """A model the vendor sells. Its `id` and `aliases` are matched exactly, never by prefix."""

    id = models.CharField(primary_key=True, max_length=100)
    name = models.CharField(max_length=100)
    aliases = models.JSONField(default=list, blank=True)
    launched = models.DateField()
    deprecated = models.DateField(null=True, blank=True)
    # As the vendor words it: a date, or ">=" and a date.
    retires = models.CharField(max_length=20, blank=True)
    context_window = models.PositiveIntegerField(help_text="tokens")
    max_output = models.PositiveIntegerField(help_text="tokens")
    offered = models.BooleanField(default=True, help_text="People may pick it in the chat page.")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-launched", "name"]

    def __str__(self) -> str:
        return self.name


class PriceVersion(models.Model):
    """What one model costs at one speed from `valid_from` on; never changed once recorded.

    Two times: `valid_from` says when the rates hold, `recorded_at` and `cancelled_at` what was
    known when. In force at t, as known at k: of the versions recorded by k and not cancelled by k
    with valid_from <= t, the one with the latest valid_from, then the latest recorded_at.
    """

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="versions")
    speed = models.CharField(max_length=10, choices=Speed.choices, default=Speed.STANDARD)
    valid_from = models.DateTimeField(db_index=True, help_text="UTC")
    available = models.BooleanField(default=True)
    batch_bp = models.PositiveIntegerField(
        null=True, blank=True, help_text="basis points; empty: not offered"
    )
    geo_us_bp = models.PositiveIntegerField(
        null=True, blank=True, help_text="basis points; empty: not offered"
    )
    web_search_pusd = models.BigIntegerField(
        validators=[MinValueValidator(0)], help_text="pico-USD for one search"
    )
    source = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    recorded_at = models.DateTimeField(default=timezone.now, editable=False)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    cancelled_at = models.DateTimeField(null=True, editable=False)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        ordering = ["model", "speed", "-valid_from", "-recorded_at"]
        indexes = [models.Index(fields=["model", "speed", "valid_from"], name="price_in_force")]

    def __str__(self) -> str:
        return f"{self.model_id} {self.speed} from {self.valid_from:%Y-%m-%d %H:%M}"


class PriceTier(models.Model):
    """Rates, in pico-USD per token, of segments whose prompt is over `over` tokens."""

    version = models.ForeignKey(PriceVersion, on_delete=models.CASCADE, related_name="tiers")
    over = models.PositiveIntegerField(default=0, help_text="prompt tokens, strictly more than")
    input = models.BigIntegerField(validators=[MinValueValidator(0)])
    cache_write_5m = models.BigIntegerField(validators=[MinValueValidator(0)])
    cache_write_1h = models.BigIntegerField(validators=[MinValueValidator(0)])
    cache_read = models.BigIntegerField(validators=[MinValueValidator(0)])
    output = models.BigIntegerField(validators=[MinValueValidator(0)])

    class Meta:
        ordering = ["over"]
        constraints = [
            models.UniqueConstraint(fields=["version", "over"], name="one_tier_per_threshold")
        ]

    def __str__(self) -> str:
        return f"over {self.over:,} tokens"


class RefusalRule(models.Model):
    """From a time on, the categories whose refusals before any output are billed; null: all are."""

    valid_from = models.DateTimeField(unique=True, help_text="UTC")
    billed_categories = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["valid_from"]

    def __str__(self) -> str:
        return f"from {self.valid_from:%Y-%m-%d}"
