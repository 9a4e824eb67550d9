"""Projects: folders with a system prompt and a model, that come and go without their chats."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from chatapp.chat.conversation import post
from chatapp.chat.frames import parse
from chatapp.chat.models import Conversation, Project
from chatapp.pricing.models import Model
from tests.chat.conftest import ask
from tests.chat.test_finding import posted, talk
from tests.chat.test_posting import refusal

pytestmark = pytest.mark.usefixtures("prices")


@pytest.fixture
def mine(client: Client, alice: Any) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def project(alice: Any) -> Project:
    return Project.objects.create(
        owner=alice, name="Thesis", system_prompt="Be exact.", model="claude-opus-4-5"
    )


def test_a_project_is_made_changed_and_deleted(mine: Client, alice: Any) -> None:
    fields = {"name": " Garden <b>", "system_prompt": "Be green.\n", "model": ""}
    answer = mine.post(reverse("chat:projects"), fields)
    project = Project.objects.get(owner=alice)
    assert answer["location"] == reverse("chat:project", args=[project.id])
    assert (project.name, project.system_prompt, project.model) == ("Garden <b>", "Be green.\n", "")
    assert "Garden &lt;b&gt;" in mine.get(reverse("chat:projects")).content.decode()
    url = reverse("chat:project", args=[project.id])
    mine.post(url, fields | {"name": "Yard", "model": "claude-opus-4-5"})
    project.refresh_from_db()
    assert (project.name, project.model) == ("Yard", "claude-opus-4-5")
    chat = talk(alice, "Roses", project=project)
    assert "Roses" in mine.get(url).content.decode()
    mine.post(reverse("chat:delete-project", args=[project.id]))
    assert not Project.objects.exists()
    chat.refresh_from_db()
    assert chat.project is None
    assert "Roses" in mine.get("/").content.decode()


@pytest.mark.parametrize(
    "bad",
    [{"name": " "}, {"model": "nonsense"}, {"system_prompt": "x" * 60_000}, {"name": "x" * 121}],
)
def test_nonsense_makes_no_project(mine: Client, bad: dict[str, str]) -> None:
    fields = {"name": "Fine", "system_prompt": "", "model": ""} | bad
    assert mine.post(reverse("chat:projects"), fields).status_code == 200
    assert not Project.objects.exists()


def test_a_model_that_is_no_longer_offered_is_named(
    mine: Client, alice: Any, project: Project
) -> None:
    Model.objects.filter(id=project.model).update(offered=False)
    url = reverse("chat:project", args=[project.id])
    assert "Claude Opus 4.5, chosen before, is no longer offered." in mine.get(url).content.decode()
    page = mine.get("/", {"project": str(project.id)})
    assert page.context["model"] == "claude-haiku-4-5"
    assert "Claude Opus 4.5 is no longer offered. This chat begins" in page.content.decode()


def test_a_chat_begins_with_the_settings_of_its_project(
    mine: Client, alice: Any, project: Project
) -> None:
    page = mine.get("/", {"project": str(project.id)})
    assert page.context["model"] == "claude-opus-4-5"
    assert page.context["system_prompt"] == "Be exact."
    assert f'data-project="{project.id}"' in page.content.decode()
    reply = post(alice, ask("First", project=project.id)).generation.message
    conversation = reply.conversation
    assert conversation.project == project
    assert (conversation.model, conversation.system_prompt) == ("claude-opus-4-5", "Be exact.")
    assert reply.charge
    assert reply.charge.project == project.id
    other = post(alice, ask("Second", project=project.id, system_prompt="", model=None)).generation
    assert other.message.conversation.system_prompt == ""
    html = mine.get(reverse("chat:conversation", args=[conversation.id])).content.decode()
    assert "Thesis" in html


def test_a_frame_may_name_a_project() -> None:
    id = uuid4()
    frame = '{"type": "send", "key": "%s", "text": "x", "project": "%s"}'
    assert parse(frame % (uuid4(), id)).project == id  # type: ignore[union-attr]
    assert ask("x", project=id).hash != ask("x", project=id).hash


def test_chats_move_between_projects(mine: Client, alice: Any, project: Project) -> None:
    chat = talk(alice, "Wanders")
    assert posted(mine, "move", chat.id, project=str(project.id)).json()["ok"]
    chat.refresh_from_db()
    assert chat.project == project
    assert posted(mine, "move", chat.id, project="").json()["ok"]
    chat.refresh_from_db()
    assert chat.project is None
    assert posted(mine, "move", chat.id, project=str(uuid4())).status_code == 404
    assert posted(mine, "move", chat.id, project="nonsense").status_code == 400


def test_nobody_elses_project_is_there(
    client: Client, alice: Any, bob: Any, project: Project
) -> None:
    client.force_login(bob)
    assert "Thesis" not in client.get(reverse("chat:projects")).content.decode()
    assert client.get("/", {"project": str(project.id)}).status_code == 404
    for id in project.id, uuid4():
        assert client.get(reverse("chat:project", args=[id])).status_code == 404
        assert client.post(reverse("chat:project", args=[id]), {"name": "x"}).status_code == 404
        assert client.post(reverse("chat:delete-project", args=[id])).status_code == 404
        assert refusal(bob, ask("Mine?", project=id)).code == "not_found"
    his, hers = talk(bob, "His"), talk(alice, "Hers", project=project)
    assert posted(client, "move", his.id, project=str(project.id)).status_code == 404
    assert posted(client, "move", hers.id, project="").status_code == 404
    assert Conversation.objects.get(id=hers.id).project == project
    assert client.get(reverse("chat:delete-project", args=[project.id])).status_code == 405
    client.logout()
    assert client.get(reverse("chat:projects")).status_code == 302
