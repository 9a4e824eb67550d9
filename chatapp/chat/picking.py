"""Which models a person may pick, and what becomes of one that is no longer offered."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.utils.translation import gettext as _

from chatapp.chat.models import Conversation
from chatapp.chat.refusals import Refused, unpriced, withdrawn
from chatapp.pricing.models import Model, price_book


def offered(name: str) -> Model:
    """The model people may pick under this id or alias. Raises Refused."""
    id = _id(name)
    if model := Model.objects.offered().filter(id=id).first():
        return model
    model = Model.objects.filter(id=id).first()
    if model is None:
        words = _("There is no model “%(name)s” here.") % {"name": name[:60]}
        raise Refused("model_unknown", words, field="model")
    if model.offered and not (model.price and model.price.available):
        raise unpriced(model)
    raise withdrawn(model)


def usual(models: list[Model]) -> Model | None:
    """What a new chat talks to: DEFAULT_MODEL, or the cheapest when it is not among these."""
    wanted = _id(settings.DEFAULT_MODEL)
    default = next((model for model in models if model.id == wanted), None)
    return default or min(models, key=_output, default=None)


@dataclass(frozen=True)
class Picker:
    """The list of models, the picked one, and what is to be said of one that is `gone`."""

    models: list[Model]
    model: Model
    gone: Model | None = None
    why: str = ""

    @classmethod
    def of(cls, conversation: Conversation) -> Self:
        """A new conversation begins with another model; an old one keeps its own until one is picked.

        Nobody pays another model's price without having chosen it, or having been told.
        """
        models = list(Model.objects.offered())
        wanted = _id(conversation.model)
        if model := next((model for model in models if model.id == wanted), None):
            return cls(models, model)
        gone = Model.objects.filter(id=wanted).first() or _unknown(conversation)
        if conversation._state.adding and (model := usual(models)):
            words = _("%(gone)s is no longer offered. This chat begins with %(model)s.")
            return cls(models, model, gone, words % {"gone": gone.name, "model": model.name})
        return cls([gone, *models], gone, gone, _why(wanted))


def _id(name: str) -> str:
    return price_book().resolve(name) or name


def _output(model: Model) -> float:
    return model.price.tiers[0].output if model.price else float("inf")


def _unknown(conversation: Conversation) -> Model:
    """Of a model that nothing is known of, so that its chat can be shown."""
    name, most = conversation.model, conversation.max_tokens
    return Model(id=name, name=name, context_window=0, max_output=most)


def _why(name: str) -> str:
    try:
        offered(name)
    except Refused as refused:
        return refused.message
    return ""
