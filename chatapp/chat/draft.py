"""A question about to be asked, checked: what a send is made of, and what a quote is made for."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from chatapp.accounts.models import User
from chatapp.chat.fitting import check_files
from chatapp.chat.models import Attachment, Conversation, Generation, Message, Project
from chatapp.chat.picking import offered
from chatapp.chat.prompts import prompt_for
from chatapp.chat.refusals import Refused, busy, not_found
from chatapp.chat.text import clean
from chatapp.chat.wishes import Wishes
from chatapp.claude.client import Prompt
from chatapp.claude.prompt import Options
from chatapp.pricing.models import Model
from chatapp.web.numbers import number

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
    temporary: bool = False
    attachments: tuple[UUID, ...] = ()
    # Of regenerate: the reply to write anew.
    message: UUID | None = None
    model: str | None = None
    max_tokens: int | None = None
    system_prompt: str | None = None
    options: dict[str, Any] | None = None

    @property
    def hash(self) -> str:
        """The same for the same frame: a key names one question for ever."""
        fields = asdict(self)
        for newer in "project", "temporary", "attachments", "options":
            if not fields[newer]:  # as before there were any
                del fields[newer]
        return hashlib.sha256(json.dumps(fields, default=str).encode()).hexdigest()


@dataclass
class Draft:
    """A question about to be asked: also what a quote is made for; nothing is written yet."""

    conversation: Conversation
    question: Message
    model: str
    max_tokens: int
    path: list[Message]
    options: Options

    @classmethod
    def of(cls, user: User, ask: Ask) -> Self:
        """Raises Refused for what is not theirs, not possible or not sensible."""
        if ask.message:
            return cls._anew(user, ask.message, ask.model)
        conversation = (
            _owned(user, ask.conversation)
            if ask.conversation
            else _fresh(user, ask.project, temporary=ask.temporary)
        )
        chosen = change_settings(
            conversation, ask.model, ask.max_tokens, ask.system_prompt, ask.options
        )
        parent = _parent(conversation, ask.parent)
        question = _question(user, conversation, parent, ask)
        path = [*(conversation.path_to(parent) if parent else []), question]
        check_files(path, chosen)
        options = Wishes.of(conversation.options).options(chosen)
        return cls(conversation, question, chosen.id, conversation.max_tokens, path, options)

    @classmethod
    def _anew(cls, user: User, id: UUID, model: str | None) -> Self:
        reply = Message.objects.kept().filter(id=id, conversation__owner=user).first()
        if reply is None or reply.parent_id is None or reply.role != Message.Role.ASSISTANT:
            raise not_found()
        conversation = _owned(user, reply.conversation_id)
        path = conversation.path_to(reply.parent_id)
        chosen = offered(model or conversation.model)
        check_files(path, chosen)
        most = min(conversation.max_tokens, chosen.max_output)
        options = Wishes.of(conversation.options).options(chosen)
        return cls(conversation, path[-1], chosen.id, most, path, options)

    @property
    def prompt(self) -> Prompt:
        return prompt_for(
            self.path,
            model=self.model,
            system=self.conversation.system_prompt,
            max_tokens=self.max_tokens,
            options=self.options,
        )

    def save(self) -> None:
        """Write the conversation and the question; a regenerated question is there already."""
        self.conversation.active_at = timezone.now()
        self.conversation.archived_at = None
        self.conversation.save()
        if self.question._state.adding:
            self.question.save()
            self._attach(self.question.attaching or [])

    def _attach(self, files: list[Attachment]) -> None:
        if files:
            self.question.attachments.set(files)
            self.conversation.attachments.add(*files)


def _owned(user: User, id: UUID) -> Conversation:
    """Lock it, so that two tabs asking at once are served one after the other."""
    found = Conversation.objects.of(user).kept().select_for_update().filter(id=id).first()
    if found is None:
        raise not_found()
    if Generation.objects.live().filter(message__conversation=found).exists():
        raise busy()
    return found


def _fresh(user: User, project: UUID | None, *, temporary: bool) -> Conversation:
    fresh = Conversation(
        owner=user, model=settings.DEFAULT_MODEL, max_tokens=settings.DEFAULT_MAX_TOKENS
    )
    if temporary:
        fresh.expires_at = timezone.now() + timedelta(hours=settings.TEMPORARY_HOURS)
    if project:
        found = Project.objects.filter(owner=user, id=project).first()
        if found is None:
            raise not_found()
        fresh.begin_in(found)
    return fresh


def change_settings(
    conversation: Conversation,
    model: str | None,
    max_tokens: int | None,
    system: str | None,
    options: dict[str, Any] | None,
) -> Model:
    """Set what is given, and check what is then in force; its model. Saves nothing. Raises Refused."""
    if options is not None:
        conversation.options = Wishes.of(options).kept
    if system is not None:
        conversation.system_prompt = _short(clean(system), field="system_prompt")
    chosen = offered(model or conversation.model)
    conversation.model = chosen.id
    if max_tokens is None:
        # Another model, or another default, may write less.
        conversation.max_tokens = min(conversation.max_tokens, chosen.max_output)
        return chosen
    if not 1 <= max_tokens <= chosen.max_output:
        raise Refused(
            "max_tokens",
            _("%(model)s writes between 1 and %(most)s tokens.")
            % {"model": chosen.name, "most": number(chosen.max_output)},
            field="max_tokens",
        )
    conversation.max_tokens = max_tokens
    return chosen


def _question(user: User, conversation: Conversation, parent: Message | None, ask: Ask) -> Message:
    question = Message(conversation=conversation, parent=parent, role=Message.Role.USER)
    question.attaching = _attachments(user, conversation, ask.attachments)
    text = clean(ask.text or "")
    if not text.strip() and not question.attaching:
        raise Refused("empty", _("There is nothing to send yet."), field="text")
    question.text = _short(text, field="text")
    if not conversation.title:
        conversation.name_after(text if text.strip() else question.attaching[0].name)
    return question


def _attachments(user: User, conversation: Conversation, ids: tuple[UUID, ...]) -> list[Attachment]:
    if len(ids) > settings.ATTACHMENTS:
        words = _("At most %(most)s files go with a message.")
        raise Refused("attachments", words % {"most": settings.ATTACHMENTS})
    if not ids:
        return []
    found = Attachment.objects.of(user).for_question(conversation).filter(id__in=ids)
    if len(found) != len(set(ids)):
        raise Refused("attachments", _("A file is no longer here. Remove it, and attach it again."))
    return list(found)


def _parent(conversation: Conversation, id: UUID | None) -> Message | None:
    if id is None:
        return None
    parent = (
        None if conversation._state.adding else conversation.messages.kept().filter(id=id).first()
    )
    if parent is None:
        raise not_found()
    return parent


def _short(text: str, *, field: str) -> str:
    size = len(text.encode())
    if size > TEXT_LIMIT:
        words = _("That is %(size)s bytes of text; %(most)s can be sent at once. Nothing was sent.")
        said = words % {"size": number(size), "most": number(TEXT_LIMIT)}
        raise Refused("too_long", said, field=field)
    return text
