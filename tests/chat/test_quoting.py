"""A quote is what the vendor would charge for the prompt."""

from typing import Any

import pytest
from django.core.management import call_command

from chatapp.chat.quoting import quote
from chatapp.claude.client import Prompt

# Input, written for five minutes, for an hour, and read cost $1, $1.25, $2 and $0.10 a million
# with the one, and fast $10, $12.50, $20 and $1 with the other.
HAIKU, OPUS = "claude-haiku-4-5", "claude-opus-5"
FAST = {"speed": "fast"}


@pytest.fixture
def whole_book(db: None) -> None:
    call_command("import_prices", verbosity=0)


@pytest.mark.parametrize(
    ("model", "options", "tokens", "cached", "dollars"),
    [
        (HAIKU, {}, 1_000, 0, "0.001"),
        (HAIKU, {}, 5_000, 0, "0.00625"),
        (HAIKU, {"cache_ttl": "1h"}, 5_000, 0, "0.01"),
        (HAIKU, {"cache_ttl": "off"}, 5_000, 0, "0.005"),
        (HAIKU, {}, 3_000, 2_000, "0.00145"),
        (HAIKU, {"cache_ttl": "1h"}, 3_000, 2_000, "0.0022"),
        (HAIKU, {"cache_ttl": "off"}, 3_000, 2_000, "0.0012"),
        (OPUS, FAST, 1_000, 0, "0.01"),
        (OPUS, FAST, 10_000, 8_000, "0.033"),
        (OPUS, {**FAST, "cache_ttl": "1h"}, 10_000, 0, "0.20"),
    ],
)
def test_each_token_at_its_own_price(
    whole_book: None, alice: Any, model: str, options: Any, tokens: int, cached: int, dollars: str
) -> None:
    prompt = Prompt(model, [{"role": "user", "content": "Hello"}], max_tokens=100, options=options)
    quoted = quote(alice, prompt, tokens, cached, approximate=False)
    assert quoted.price == f"${dollars}"
