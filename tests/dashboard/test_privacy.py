"""Whoever pays sees money, never words: no page and no file of the dashboard holds what people wrote."""

import re
from dataclasses import asdict
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import models
from django.urls import resolve
from django.utils import timezone

from chatapp.accounts.models import User
from chatapp.chat.models import Attachment, Conversation, Generation, Message, Project
from chatapp.chat.models.generation import Chunk
from chatapp.dashboard.differences import Finding
from chatapp.dashboard.look import BY
from chatapp.dashboard.models import ApiToken, Reconciliation
from chatapp.dashboard.urls import urlpatterns
from chatapp.ledger.models import Budget, BudgetRequest, Charge, Status
from tests.dashboard.conftest import HAIKU, TODAY, make, signed_in
from tests.ledger.conftest import exact

PLANTED = "zanzibar-heron-7"
PERMISSIONS = ["view_spend", "manage_budgets", "add_apitoken", "view_unknowncounter"]
# Routes that only take what a form sends.
SENT = {"budget_remove", "budget_answer", "budget_ask", "token_revoke"}
OURS = "/(?:dashboard|usage|admin/ledger)/"
# A link with more parameters than these is like one with fewer.
MOST = 1


@pytest.fixture
def payer_of_secrets(transactional_db: None) -> User:
    """One who sees all spend, with calls of their own, and chats that are full of words."""
    call_command("import_prices", verbosity=0)
    make(60, people=2)
    counter = {"server_tool_use": {"tool_search_requests": 2}}
    for owner in User.objects.filter(charges__isnull=False).distinct():
        plant(owner)
        call = Charge.objects.authorize(
            user=owner,
            source="anthropic",
            purpose="title",
            model=HAIKU,
            max_tokens=10,
            prompt_tokens=100,
            reference=uuid4(),
        )
        call.capture(exact(**counter))
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    owner.user_permissions.set(Permission.objects.filter(codename__in=PERMISSIONS))
    budget = Budget.objects.create(scope="person", person=owner, limit_pusd=10**12)
    BudgetRequest.objects.ask(owner, budget)
    found = Finding("missing_call", str(TODAY), 1, 5, 7, kinds={"input": [1, 2, 3, 4]})
    Reconciliation.objects.create(
        first=TODAY,
        last=TODAY,
        calls=1,
        ledger_pusd=1,
        vendor_pusd=8,
        billed_pusd=8,
        findings=[asdict(found)],
    )
    return owner


def plant(owner: User) -> None:
    """Projects and conversations of the calls of one person, with all that hangs on them."""
    calls = owner.charges.order_by()
    for uuid in calls.exclude(project=None).values_list("project", flat=True).distinct():
        Project.objects.create(id=uuid, owner=owner, **words(Project))
    for uuid in calls.values_list("conversation", flat=True).distinct()[:5]:
        talk = Conversation.objects.create(
            id=uuid,
            owner=owner,
            max_tokens=100,
            active_at=timezone.now(),
            **words(Conversation),
        )
        asked = Message.objects.create(conversation=talk, **words(Message) | {"role": "user"})
        reply = Message.objects.create(
            conversation=talk,
            parent=asked,
            charge=calls.filter(conversation=uuid).first(),
            **words(Message) | {"role": "assistant"},
        )
        made = Generation.objects.create(
            message=reply, user=owner, key=uuid4(), max_tokens=9, **words(Generation)
        )
        Chunk.objects.create(generation=made, offset=0, **words(Chunk))
        Attachment.objects.create(owner=owner, conversation=talk, size=9, **words(Attachment))


def words(model: type[models.Model]) -> dict[str, Any]:
    """The planted word in every field that holds words, whatever fields there come to be."""
    fields = [field for field in model._meta.concrete_fields if not field.choices]
    return {
        field.name: PLANTED[: field.max_length]
        for field in fields
        if isinstance(field, models.CharField | models.TextField)
    } | {
        field.name: {PLANTED: [PLANTED]} for field in fields if isinstance(field, models.JSONField)
    }


def test_no_page_and_no_file_holds_a_word(payer_of_secrets: User) -> None:
    client = signed_in(payer_of_secrets)
    _, secret = ApiToken.objects.make(name="books", by=payer_of_secrets)
    bearer = {"Authorization": f"Bearer {secret}"}
    waiting = [
        *("/dashboard/", "/usage/", "/usage/budgets/", "/admin/ledger/"),
        "/dashboard/what-if/?range=12m&cache=off",
        f"/dashboard/earlier/?range=12m&by=user&at={TODAY}T09:00",
        "/usage/what-if/?range=12m&cache=off",
        f"/usage/earlier/?range=12m&by=purpose&at={TODAY}T09:00",
        *(f"/api/v1/{name}?range=12m" for name in ("spend.json", "spend.csv", "focus.csv")),
        *(f"/dashboard/export.{kind}?range=12m" for kind in ("csv", "json")),
        *(f"/dashboard/?range=12m&by={part}" for part in BY),
        f"/dashboard/?user={payer_of_secrets.username}",
    ]
    for status in Status:
        calls = Charge.objects.filter(status=status)[:1]
        waiting += [f"/dashboard/calls/{call.uuid}/" for call in calls]
    taken: set[Any] = set(waiting)
    routes, conversations = set(), 0
    while waiting:
        path = waiting.pop(0)
        answer = client.get(path, headers=bearer)
        assert answer.status_code == 200, path
        text = read(answer)
        assert PLANTED not in text, path
        routes.add(resolve(urlsplit(path).path).url_name)
        conversations += len(re.findall(r"Conversation [0-9a-f]{6}", text))
        for link in map(unescape, re.findall(rf'href="({OURS}[^"]*)"', text)):
            parts = urlsplit(link)
            names = frozenset(parse_qs(parts.query))
            kind = resolve(parts.path).route, names
            if len(names) <= MOST and kind not in taken:
                taken.add(kind)
                waiting.append(link)
    assert conversations
    assert any("conversation" in kind[1] for kind in taken if isinstance(kind, tuple))
    assert routes >= {pattern.name for pattern in urlpatterns} - SENT
    assert routes >= {
        "ledger_charge_change",
        "ledger_budget_change",
        "ledger_unknowncounter_change",
    }


def read(answer: Any) -> str:
    if not answer.streaming:
        return str(answer.text)

    async def parts() -> list[bytes]:
        return [part async for part in answer]

    return b"".join(async_to_sync(parts)()).decode()
