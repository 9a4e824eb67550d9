"""What each model may be asked for beside words: thinking, effort, web search."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "data" / "abilities.json"
# The types that stand for thinking, and for none before the reply.
KINDS = {"on": ("adaptive", "enabled"), "off": ("disabled", "between_tools")}


@dataclass(frozen=True)
class Abilities:
    """`thinking`: the API's types, the usual one first. `effort`: its levels, and the usual one."""

    thinking: tuple[str, ...] = ()
    effort: tuple[str, ...] = ()
    usual_effort: str = ""
    web_search: bool = False

    @property
    def thinks(self) -> bool:
        """When nothing is asked for."""
        return self.thinking[:1] == ("adaptive",)

    def thinking_type(self, wanted: str) -> str:
        """The type for "on" or "off", or the usual one when that is not to be had."""
        fitting = [kind for kind in self.thinking if kind in KINDS.get(wanted, ())]
        return next(iter([*fitting, *self.thinking]), "")


def abilities_of(model: str) -> Abilities:
    """By the model's id; of a model that is not in data/abilities.json nothing is known."""
    return _table().get(model, Abilities())


@cache
def _table() -> dict[str, Abilities]:
    models = json.loads(TABLE.read_text(encoding="utf-8"))["models"]
    return {
        id: Abilities(tuple(row["thinking"]), tuple(row["effort"]), row["usual_effort"], True)
        for id, row in models.items()
    }
