"""The price book in Django admin."""

from chatapp.pricing.admin import catalogue, counters, versions

__all__ = ["catalogue", "counters", "versions"]
