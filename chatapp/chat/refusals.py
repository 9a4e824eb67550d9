"""Why something is not done, in words for people; the codes are those of docs/protocol.md."""

from django.utils.translation import gettext as _

from chatapp.claude.client import Prompt
from chatapp.pricing.models import Model
from chatapp.web.numbers import number


class Refused(Exception):
    """Nothing was written, nothing was spent. `field` names the setting to change, if one."""

    def __init__(self, code: str, message: str, *, field: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field


class CountNeeded(Exception):
    """Whether the prompt fits can only be told by counting its tokens, which takes the network."""

    def __init__(self, prompt: Prompt) -> None:
        super().__init__("the bound does not fit")
        self.prompt = prompt


def not_found() -> Refused:
    """The same answer for what is somebody else's and what does not exist."""
    return Refused("not_found", _("That is not here."))


def busy() -> Refused:
    return Refused("busy", _("A reply is being written here. Wait for it, or stop it."))


def unpriced(model: Model) -> Refused:
    words = _("%(model)s has no price, so it cannot be used. An admin can add one.")
    return Refused("model_unpriced", words % {"model": model.name}, field="model")


def withdrawn(model: Model) -> Refused:
    words = _("%(model)s is no longer offered. Choose another model.")
    return Refused("model_unknown", words % {"model": model.name}, field="model")


def context_exceeded(model: Model, tokens: int, max_tokens: int) -> Refused:
    words = _(
        "This conversation is %(tokens)s tokens long and up to %(most)s are kept for the reply, "
        "but %(model)s holds %(window)s. Shorten it, start anew, or choose a larger model. "
        "Nothing was sent."
    )
    said = words % {
        "tokens": number(tokens),
        "most": number(max_tokens),
        "model": model.name,
        "window": number(model.context_window),
    }
    field = "max_tokens" if tokens < model.context_window else ""
    return Refused("context_exceeded", said, field=field)
