"""Settings of a chat and of a project: what is kept, what a model can do, what is then asked."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chatapp.chat.conversation import post
from chatapp.chat.draft import Draft
from chatapp.chat.models import Conversation, Project
from chatapp.chat.refusals import Refused
from chatapp.chat.wishes import Wishes, offered_by
from chatapp.ledger.models import Charge
from chatapp.pricing.models import Model, PriceTier, PriceVersion
from tests.chat.conftest import ask
from tests.chat.test_pages import posted

pytestmark = pytest.mark.usefixtures("prices")


def model(id: str) -> Model:
    return Model(id=id, name=id)


@pytest.fixture
def fast_opus(prices: None) -> None:
    version = PriceVersion.objects.create(
        model_id="claude-opus-4-5",
        speed="fast",
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        web_search_pusd=10**10,
    )
    rates = dict.fromkeys(("input", "cache_write_5m", "cache_write_1h", "cache_read"), 10**7)
    PriceTier.objects.create(version=version, output=5 * 10**7, **rates)


@pytest.mark.parametrize(
    ("id", "wished", "asked"),
    [
        ("claude-haiku-4-5", {}, {}),
        ("claude-haiku-4-5", {"thinking": "on", "effort": "max"}, {"thinking": "enabled"}),
        ("claude-opus-5-5", {"thinking": "off"}, {"thinking": "adaptive"}),
        ("claude-opus-5", {"thinking": "off"}, {"thinking": "disabled"}),
        (
            "claude-opus-5",
            {"thinking": "off", "effort": "max"},
            {"thinking": "disabled", "effort": "high"},
        ),
        ("claude-opus-4-8", {"thinking": "off", "effort": "max"}, {"effort": "max"}),
        ("claude-sonnet-5-5", {"thinking": "off"}, {"thinking": "between_tools"}),
        ("claude-haiku-4-5", {"web_search": "5"}, {"web_search": 5}),
        ("claude-haiku-4-5", {"speed": "fast", "cache": "1h"}, {"cache_ttl": "1h"}),
        ("claude-of-tomorrow", {"thinking": "on", "web_search": "5"}, {}),
    ],
)
def test_only_what_the_model_can_do_is_asked(
    id: str, wished: dict[str, str], asked: dict[str, Any]
) -> None:
    assert Wishes.of(wished).options(model(id)) == asked


@pytest.mark.parametrize("given", [{"thinking": "loud"}, {"shape": "round"}, [], {"effort": []}])
def test_what_can_be_no_wish_is_refused(given: Any) -> None:
    with pytest.raises(Refused):
        Wishes.of(given)


def test_speed_is_offered_where_it_has_a_price(fast_opus: None) -> None:
    assert offered_by(model("claude-opus-4-5"))["speed"] == ["fast"]
    assert offered_by(model("claude-haiku-4-5"))["speed"] == []
    assert Wishes(speed="fast").options(model("claude-opus-4-5")) == {"speed": "fast"}


def test_they_go_with_the_reply_and_stay_with_the_chat(alice: Any) -> None:
    wished = {"thinking": "on", "web_search": "5", "cache": "off"}
    generation = post(alice, ask("Hi", max_tokens=4096, options=wished)).generation
    assert generation.message.conversation.options == wished
    assert generation.asked == {"thinking": "enabled", "web_search": 5, "cache_ttl": "off"}
    plain = post(alice, ask("Hi", max_tokens=4096)).generation
    held, without = (Charge.objects.get(reference=g.id).held_pusd for g in (generation, plain))
    assert held > without + 5 * 10**10  # five fees, and what is found


def test_a_prompt_has_them(alice: Any) -> None:
    wished = {"thinking": "on", "web_search": "3", "cache": "off"}
    prompt = Draft.of(alice, ask("Hi", max_tokens=4096, options=wished)).prompt
    assert prompt.sent()["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    assert prompt.sent()["tools"][0]["max_uses"] == 3
    assert "cache_control" not in prompt.sent()
    small = Draft.of(alice, ask("Hi", max_tokens=2047, options=wished)).prompt
    assert "thinking" not in small.sent()


def test_the_settings_page_changes_them(client: Client, alice: Any, bob: Any) -> None:
    conversation = post(alice, ask("Hi")).generation.message.conversation
    url = reverse("chat:settings", args=[conversation.id])
    client.force_login(alice)
    answer = posted(client, url, {"options": {"effort": "low", "thinking": ""}})
    assert answer.json()["options"] == {"effort": "low"}
    assert posted(client, url, {"options": {"effort": "lots"}}).status_code == 400
    posted(client, url, {"max_tokens": 100})
    conversation.refresh_from_db()
    assert conversation.options == {"effort": "low"}
    client.force_login(bob)
    assert posted(client, url, {"options": {}}).status_code == 404


def test_a_project_gives_them_to_its_new_chats(client: Client, alice: Any) -> None:
    client.force_login(alice)
    project = Project.objects.create(owner=alice, name="Plans")
    url = reverse("chat:project", args=[project.id])
    settings = {"max_tokens": "900000", "thinking": "on", "web_search": "10", "cache": ""}
    client.post(url, {"name": "Plans", **settings})
    project.refresh_from_db()
    assert project.options == {"thinking": "on", "web_search": "10"}
    post(alice, ask("Hi", project=project.id))
    conversation = Conversation.objects.get()
    assert conversation.options == project.options
    assert conversation.max_tokens == 64_000  # the most that its model writes
    new = client.get(f"{reverse('chat:new')}?project={project.id}").content.decode()
    assert 'max="64000" value="64000"' in new
    assert 'value="10" selected' in client.get(url).content.decode()
