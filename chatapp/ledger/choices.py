"""The ledger's fixed words: where money comes from, what for, and how well an amount is known."""

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _


class Source(models.TextChoices):
    ANTHROPIC = "anthropic", "Anthropic"
    DEMO = "demo", _("demonstration")


class Purpose(models.TextChoices):
    CHAT = "chat", _("Chat")
    TITLE = "title", _("Title")
    SUMMARY = "summary", _("Summary")


class State(models.TextChoices):
    AUTHORIZED = "authorized", _("Authorized")
    CAPTURED = "captured", _("Captured")
    VOIDED = "voided", _("Voided")


class Status(models.TextChoices):
    """How well a captured charge's amount is known."""

    EXACT = "exact", _("Exact")
    ESTIMATED = "estimated", _("Estimated")
    UNPRICED = "unpriced", _("unpriced (usage known, price not)")
    UNKNOWN = "unknown", _("unknown (usage not known)")

    @property
    def word(self) -> str:
        return str(WORDS[self.value])


# Each in one word.
WORDS = {
    "exact": _("exact"),
    "estimated": _("estimated"),
    "unpriced": _("unpriced"),
    "unknown": _("unknown"),
}
WAITING = (Status.UNPRICED, Status.UNKNOWN)  # captured, with no amount


class Kind(models.TextChoices):
    """What a line counts: tokens, searches, or a counter that an admin gave a price."""

    INPUT = "input", _("Input")
    CACHE_WRITE_5M = "cache_write_5m", _("cache write, 5 min")
    CACHE_WRITE_1H = "cache_write_1h", _("cache write, 1 h")
    CACHE_READ = "cache_read", _("cache read")
    OUTPUT = "output", _("Output")
    WEB_SEARCH = "web_search", _("web search")
    COUNTER = "counter", _("other counters")

    @property
    def head(self) -> str:
        """The label as it stands at the beginning of a line."""
        return capfirst(str(self.label))


PROMPT = (Kind.INPUT, Kind.CACHE_WRITE_5M, Kind.CACHE_WRITE_1H, Kind.CACHE_READ)
TOKENS = (*PROMPT, Kind.OUTPUT)
