"""Whoever pays sees money, never words: no page and no file of the dashboard holds what people wrote."""

import re
from html import unescape
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import models
from django.test import Client
from django.utils import timezone

from chatapp.accounts.models import User
from chatapp.chat.models import Conversation, Message, Project
from chatapp.ledger.models import Charge
from tests.dashboard.conftest import make, signed_in

PLANTED = "zanzibar-heron-7"
MOST = 80


@pytest.fixture
def admin_of_secrets(transactional_db: None, alice: User) -> Client:
    """Calls whose conversations and projects are full of words, and one who sees all spend."""
    call_command("import_prices", verbosity=0)
    make(60, people=2)
    for owner in User.objects.filter(charges__isnull=False).distinct():
        for uuid in (
            owner.charges.exclude(project=None)
            .order_by()
            .values_list("project", flat=True)
            .distinct()
        ):
            Project.objects.create(id=uuid, owner=owner, **words(Project))
        for uuid in owner.charges.order_by().values_list("conversation", flat=True).distinct()[:5]:
            talk = Conversation.objects.create(
                id=uuid,
                owner=owner,
                max_tokens=100,
                active_at=timezone.now(),
                **words(Conversation),
            )
            charge = Charge.objects.filter(conversation=uuid).first()
            asked = Message.objects.create(conversation=talk, **words(Message) | {"role": "user"})
            Message.objects.create(
                conversation=talk,
                parent=asked,
                charge=charge,
                **words(Message) | {"role": "assistant"},
            )
    alice.user_permissions.add(Permission.objects.get(codename="view_spend"))
    return signed_in(alice)


def words(model: type[models.Model]) -> dict[str, Any]:
    """The planted word in every field that holds words, whatever fields there come to be."""
    return {
        field.name: PLANTED[: field.max_length]
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField) and not field.choices
    }


def test_no_page_and_no_file_holds_a_word(admin_of_secrets: Client) -> None:
    waiting = [
        "/dashboard/",
        "/dashboard/?range=12m&by=user",
        "/dashboard/export.csv?range=12m",
        "/dashboard/export.json?range=12m",
        "/dashboard/focus.csv?range=12m",
        "/dashboard/earlier/?range=12m&by=user",
    ]
    person = Charge.objects.select_related("user")[0].user.username
    waiting += [f"/dashboard/?user={person}", f"/dashboard/calls/?user={person}"]
    seen: set[str] = set()
    conversations = 0
    while waiting and len(seen) < MOST:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = admin_of_secrets.get(path)
        assert answer.status_code == 200, path
        text = read(answer)
        assert PLANTED not in text, path
        conversations += len(re.findall(r"Conversation [0-9a-f]{6}", text))
        waiting += [unescape(link) for link in re.findall(r'href="(/dashboard/[^"]*)"', text)]
    assert conversations
    assert any("conversation=" in path for path in [*seen, *waiting])


def read(answer: Any) -> str:
    if not answer.streaming:
        return str(answer.text)

    async def parts() -> list[bytes]:
        return [part async for part in answer]

    return b"".join(async_to_sync(parts)()).decode()
