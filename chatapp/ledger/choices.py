"""The ledger's fixed words: where money comes from, what for, and how well an amount is known."""

from django.db import models


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


WAITING = (Status.UNPRICED, Status.UNKNOWN)  # captured, with no amount


class Kind(models.TextChoices):
    """What a line counts: tokens, searches, or a counter that an admin gave a price."""

    INPUT = "input"
    CACHE_WRITE_5M = "cache_write_5m", "cache write, 5 min"
    CACHE_WRITE_1H = "cache_write_1h", "cache write, 1 h"
    CACHE_READ = "cache_read", "cache read"
    OUTPUT = "output"
    WEB_SEARCH = "web_search", "web search"
    COUNTER = "counter", "other counters"


PROMPT = (Kind.INPUT, Kind.CACHE_WRITE_5M, Kind.CACHE_WRITE_1H, Kind.CACHE_READ)
TOKENS = (*PROMPT, Kind.OUTPUT)
