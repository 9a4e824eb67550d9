"""A question about to be asked, checked: what a send is made of, and what a quote is made for."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Self
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from chatapp.accounts.models import User
from chatapp.chat.models import Conversation, Generation, Message, Project
from chatapp.chat.prompts import prompt_for
from chatapp.chat.refusals import Refused, busy, not_found, unpriced
from chatapp.chat.text import clean
from chatapp.claude.client import Prompt
from chatapp.pricing.models import Model, price_book

TEXT_LIMIT = 200_000  # bytes; a frame holds 256 KiB


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What a `send` or a `regenerate` frame asks for; None leaves a setting as it is."""

    key: UUID
    conversation: UUID | None = None
    # Of a new conversation: where it belongs.
    project: UUID | None = None
    parent: UUID | None = None
    text: str | None = None
    # Of regenerate: the reply to write anew.
    message: UUID | None = None
    model: str | None = None
    max_tokens: int | None = None
    system_prompt: str | None = None

    @property
    def hash(self) -> str:
        """The same for the same frame: a key names one question for ever."""
        fields = asdict(self)
        if self.project is None:  # as before there were projects
            del fields["project"]
        return hashlib.sha256(json.dumps(fields, default=str).encode()).hexdigest()


@dataclass
class Draft:
    """A question about to be asked: also what a quote is made for; nothing is written yet."""

    conversation: Conversation
    question: Message
    model: str
    max_tokens: int
    path: list[Message]

    @classmethod
    def of(cls, user: User, ask: Ask) -> Self:
        """Raises Refused for what is not theirs, not possible or not sensible."""
        if ask.message:
            return cls._anew(user, ask.message, ask.model)
        conversation = (
            _owned(user, ask.conversation) if ask.conversation else _fresh(user, ask.project)
        )
        change_settings(conversation, ask.model, ask.max_tokens, ask.system_prompt)
        parent = _parent(conversation, ask.parent)
        question = Message(
            conversation=conversation,
            parent=parent,
            role=Message.Role.USER,
            text=_checked(ask.text or ""),
        )
        if not conversation.title:
            conversation.name_after(question.text)
        path = conversation.path_to(parent) if parent else []
        return cls(
            conversation, question, conversation.model, conversation.max_tokens, [*path, question]
        )

    @classmethod
    def _anew(cls, user: User, id: UUID, model: str | None) -> Self:
        reply = Message.objects.filter(id=id, conversation__owner=user).first()
        if reply is None or reply.parent_id is None or reply.role != Message.Role.ASSISTANT:
            raise not_found()
        conversation = _owned(user, reply.conversation_id)
        path = conversation.path_to(reply.parent_id)
        chosen = offered(model or conversation.model)
        most = min(conversation.max_tokens, chosen.max_output)
        return cls(conversation, path[-1], chosen.id, most, path)

    @property
    def prompt(self) -> Prompt:
        return prompt_for(
            self.path,
            model=self.model,
            system=self.conversation.system_prompt,
            max_tokens=self.max_tokens,
        )

    def save(self) -> None:
        """Write the conversation and the question; a regenerated question is there already."""
        self.conversation.active_at = timezone.now()
        self.conversation.archived_at = None
        self.conversation.save()
        if self.question._state.adding:
            self.question.save()


def _owned(user: User, id: UUID) -> Conversation:
    """Lock it, so that two tabs asking at once are served one after the other."""
    found = Conversation.objects.of(user).kept().select_for_update().filter(id=id).first()
    if found is None:
        raise not_found()
    if Generation.objects.live().filter(message__conversation=found).exists():
        raise busy()
    return found


def _fresh(user: User, project: UUID | None) -> Conversation:
    fresh = Conversation(
        owner=user, model=settings.DEFAULT_MODEL, max_tokens=settings.DEFAULT_MAX_TOKENS
    )
    if project:
        found = Project.objects.filter(owner=user, id=project).first()
        if found is None:
            raise not_found()
        fresh.begin_in(found)
    return fresh


def change_settings(
    conversation: Conversation, model: str | None, max_tokens: int | None, system: str | None
) -> None:
    """Set what is given, and check what is then in force. Saves nothing. Raises Refused."""
    if system is not None:
        conversation.system_prompt = _short(clean(system), field="system_prompt")
    chosen = offered(model or conversation.model)
    conversation.model = chosen.id
    if max_tokens is None:
        # Another model, or another default, may write less.
        conversation.max_tokens = min(conversation.max_tokens, chosen.max_output)
        return
    if not 1 <= max_tokens <= chosen.max_output:
        raise Refused(
            "max_tokens",
            f"{chosen.name} writes between 1 and {chosen.max_output:,} tokens.",
            field="max_tokens",
        )
    conversation.max_tokens = max_tokens


def offered(name: str) -> Model:
    """The model people may pick under this id or alias."""
    id = price_book().resolve(name) or name
    if model := Model.objects.offered().filter(id=id).first():
        return model
    model = Model.objects.filter(id=id, offered=True).first()
    if model and not (model.price and model.price.available):
        raise unpriced(model)
    raise Refused("model_unknown", f"There is no model {name[:60]!r} here.", field="model")


def _parent(conversation: Conversation, id: UUID | None) -> Message | None:
    if id is None:
        return None
    parent = (
        None
        if conversation._state.adding
        else conversation.messages.filter(id=id, role=Message.Role.ASSISTANT).first()
    )
    if parent is None:
        raise not_found()
    return parent


def _checked(text: str) -> str:
    text = clean(text)
    if not text.strip():
        raise Refused("empty", "There is nothing to send yet.", field="text")
    return _short(text, field="text")


def _short(text: str, *, field: str) -> str:
    size = len(text.encode())
    if size > TEXT_LIMIT:
        raise Refused(
            "too_long",
            f"That is {size:,} bytes of text; {TEXT_LIMIT:,} can be sent at once. "
            "Nothing was sent.",
            field=field,
        )
    return text
