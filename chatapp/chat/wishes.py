"""How a person wants their replies made, and what of it a model can do."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chatapp.chat.refusals import Refused
from chatapp.claude.abilities import KINDS, Abilities, abilities_of
from chatapp.claude.prompt import Options
from chatapp.pricing.models import Model, price_book

# What each wish may be, in words; "" leaves it as it usually is.
CHOICES: dict[str, dict[str, Any]] = {
    "thinking": {"": _("As usual"), "on": _("On"), "off": _("Off")},
    "effort": {
        "": _("As usual"),
        "low": _("Low"),
        "medium": _("Medium"),
        "high": _("High"),
        "xhigh": _("Very high"),
        "max": _("Highest"),
    },
    "web_search": {
        "": _("Off"),
        "3": _("Up to 3 searches"),
        "5": _("Up to 5 searches"),
        "10": _("Up to 10 searches"),
        "20": _("Up to 20 searches"),
    },
    "speed": {"": _("Standard"), "fast": _("Fast")},
    "cache": {"": _("Kept for 5 minutes"), "1h": _("Kept for an hour"), "off": _("Off")},
}
# Without thinking the models that usually think take no more effort than this.
MOST_UNTHINKING = "high"


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """Kept with a conversation or a project, also what the model at hand cannot do."""

    thinking: str = ""
    effort: str = ""
    web_search: str = ""
    speed: str = ""
    cache: str = ""

    @classmethod
    def of(cls, given: Any) -> Self:
        """Raises Refused for what can be no wish."""
        given = {} if given is None else given
        if not isinstance(given, dict) or not all(map(_known, given, given.values())):
            raise Refused("malformed", gettext("These settings are not known."), field="options")
        return cls(**given)

    @property
    def kept(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}

    def options(self, model: Model) -> Options:
        """What is asked of this model: wishes that it cannot fulfil are left out."""
        able = abilities_of(model.id)
        options = Options()
        thinking = able.thinking_type(self.thinking)
        # The usual "disabled" goes without saying; "adaptive" says that it is to be shown.
        if thinking in able.thinking[1:] or thinking == "adaptive":
            options["thinking"] = thinking  # type: ignore[typeddict-item]
        if self.effort in able.effort:
            options["effort"] = self._effort(able, thinking)  # type: ignore[typeddict-item]
        if self.web_search and able.web_search:
            options["web_search"] = int(self.web_search)
        if self.speed and sold_fast(model):
            options["speed"] = "fast"
        if self.cache:
            options["cache_ttl"] = self.cache  # type: ignore[typeddict-item]
        return options

    def _effort(self, able: Abilities, thinking: str) -> str:
        hushed = able.thinks and thinking != "adaptive"
        return MOST_UNTHINKING if hushed and self.effort in ("xhigh", "max") else self.effort


def _known(name: str, value: Any) -> bool:
    return isinstance(value, str) and value in CHOICES.get(name, {})


def offered_by(model: Model) -> dict[str, list[str]]:
    """The values that a person may choose with this model, beside leaving it as usual."""
    able = abilities_of(model.id)
    every = {name: list(words)[1:] for name, words in CHOICES.items()}
    return {
        "thinking": [wish for wish in every["thinking"] if able.thinking_type(wish) in KINDS[wish]],
        "effort": list(able.effort),
        "web_search": every["web_search"] if able.web_search else [],
        "speed": every["speed"] if sold_fast(model) else [],
        "cache": every["cache"],
    }


def offers(model: Model) -> str:
    """ "thinking=on,off effort=low,high": what may be chosen with a model, for wishes.js."""
    return " ".join(f"{name}={','.join(values)}" for name, values in offered_by(model).items())


def usual_of(model: Model) -> dict[str, Any]:
    """What a model does when nothing is chosen, in words."""
    able = abilities_of(model.id)
    thinking = CHOICES["thinking"]["on" if able.thinks else "off"] if able.thinking else ""
    return {"thinking": thinking, "effort": CHOICES["effort"][able.usual_effort]}


def sold_fast(model: Model) -> bool:
    return price_book().version(model.id, "fast", timezone.now()) is not None
