"""The list of models, and a chat whose own model is no longer in it."""

from typing import Any

import pytest

from chatapp.chat.conversation import post
from chatapp.chat.models import Conversation
from chatapp.chat.picking import Picker
from chatapp.pricing.models import Model
from tests.chat.conftest import ask

pytestmark = pytest.mark.usefixtures("prices")

HAIKU, OPUS = "claude-haiku-4-5", "claude-opus-4-5"


def withdraw(*ids: str) -> None:
    Model.objects.filter(id__in=ids).update(offered=False)


def fresh(model: str) -> Picker:
    return Picker.of(Conversation(model=model, max_tokens=100))


@pytest.mark.parametrize("name", [OPUS, f"{OPUS}-20251001"])
def test_an_offered_model_is_picked_by_any_of_its_names(name: str) -> None:
    picker = fresh(name)
    assert (picker.model.id, picker.gone) == (OPUS, None)
    assert {model.id for model in picker.models} == {HAIKU, OPUS}


def test_a_new_chat_begins_with_the_usual_model() -> None:
    withdraw(OPUS)
    picker = fresh(OPUS)
    assert picker.model.id == HAIKU
    assert picker.why == (
        "Claude Opus 4.5 is no longer offered. This chat begins with Claude Haiku 4.5."
    )


def test_without_the_usual_model_it_is_the_cheapest(settings: Any) -> None:
    settings.DEFAULT_MODEL = "claude-of-yore"
    picker = fresh(settings.DEFAULT_MODEL)
    assert picker.model.id == HAIKU
    assert picker.why.startswith("claude-of-yore is no longer offered.")


def test_an_old_chat_keeps_its_model_until_another_is_picked(alice: Any) -> None:
    chat = post(alice, ask(model=OPUS)).generation.message.conversation
    withdraw(OPUS)
    picker = Picker.of(chat)
    assert picker.model == picker.gone == picker.models[0]
    assert [model.id for model in picker.models] == [OPUS, HAIKU]
    assert picker.why == "Claude Opus 4.5 is no longer offered. Choose another model."


def test_a_page_is_there_without_any_model(client: Any, alice: Any, settings: Any) -> None:
    withdraw(HAIKU, OPUS)
    client.force_login(alice)
    page = client.get("/")
    assert page.context["model"] == HAIKU
    assert "Claude Haiku 4.5 is no longer offered" in page.content.decode()
    settings.DEFAULT_MODEL = "claude-of-yore"
    assert "There is no model “claude-of-yore” here." in client.get("/").content.decode()
