"""The bundled prices as a book, and the worked examples."""

import json
from pathlib import Path

import pytest

from chatapp.pricing import price_file
from chatapp.pricing.book import PriceBook

BUNDLED = Path(price_file.__file__).parent / "data" / "prices.json"


@pytest.fixture(scope="session")
def bundled() -> price_file.PriceFile:
    return price_file.parse(json.loads(BUNDLED.read_text()))


@pytest.fixture(scope="session")
def book(bundled: price_file.PriceFile) -> PriceBook:
    return bundled.book()
