"""The price book in the database: models, and dated versions of what each costs, in pico-USD."""

from chatapp.pricing.models.catalogue import Model, price_book, read_book
from chatapp.pricing.models.counters import CounterPrice
from chatapp.pricing.models.editions import Edition
from chatapp.pricing.models.versions import PriceTier, PriceVersion, RefusalRule, Speed

__all__ = [
    "CounterPrice",
    "Edition",
    "Model",
    "PriceTier",
    "PriceVersion",
    "RefusalRule",
    "Speed",
    "price_book",
    "read_book",
]
