"""The table of what models can do: it covers every model of the price book, in the API's words."""

import json
from pathlib import Path
from typing import get_args, get_type_hints

from chatapp.claude.abilities import TABLE, abilities_of
from chatapp.claude.prompt import Options

PRICES = Path(__file__).parents[2] / "chatapp" / "pricing" / "data" / "prices.json"


def test_every_model_with_a_price_is_in_it() -> None:
    priced = {model["id"] for model in json.loads(PRICES.read_text())["models"]}
    assert priced == json.loads(TABLE.read_text())["models"].keys()


def test_it_speaks_the_api() -> None:
    hints = get_type_hints(Options)
    for model in json.loads(TABLE.read_text())["models"].values():
        assert set(model["thinking"]) <= set(get_args(hints["thinking"]))
        assert set(model["effort"]) <= set(get_args(hints["effort"]))
        assert model["usual_effort"] in ["", *model["effort"]]


def test_on_and_off_are_what_a_model_calls_them() -> None:
    opus = abilities_of("claude-opus-5-5")
    assert (opus.thinks, opus.thinking_type("off")) == (True, "adaptive")
    haiku = abilities_of("claude-haiku-4-5")
    assert (haiku.thinks, haiku.thinking_type("on")) == (False, "enabled")
    assert abilities_of("claude-sonnet-5-5").thinking_type("off") == "between_tools"
    assert abilities_of("claude-of-tomorrow").thinking_type("on") == ""
