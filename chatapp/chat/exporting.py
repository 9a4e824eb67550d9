"""Taking a conversation out, as Markdown or as JSON, and bringing that JSON in again.

The JSON has every branch; the Markdown has one. Neither has what it cost: that stays in the ledger.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chatapp.accounts.models import User
from chatapp.chat import foreign
from chatapp.chat.draft import TEXT_LIMIT
from chatapp.chat.models import Conversation, Message
from chatapp.chat.picking import offered
from chatapp.chat.refusals import Refused
from chatapp.chat.text import clean
from chatapp.chat.wishes import Wishes
from chatapp.web.numbers import number

FORMAT = "chatapp conversation"
VERSION = 1
MESSAGES = 5_000  # that can be brought in at once

Json = dict[str, Any]


def as_markdown(conversation: Conversation, messages: Iterable[Message]) -> str:
    """The messages one below the other, headed in the language of the moment.

    What Claude wrote is Markdown already.
    """
    parts = [f"# {conversation.title}"]
    for message in messages:
        parts += [
            f"## {_('You') if message.role == Message.Role.USER else _('Claude')}",
            *(_("(File: %(name)s)") % {"name": file.name} for file in message.files),
            message.text.strip(),
        ]
    return "\n\n".join(parts) + "\n"


def as_json(conversation: Conversation) -> Json:
    """All of it, parents before what answers them."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": conversation.title,
        "model": conversation.model,
        "max_tokens": conversation.max_tokens,
        "system_prompt": conversation.system_prompt,
        "options": conversation.options or {},
        "created_at": conversation.created_at.isoformat(),
        "messages": [
            _message(message)
            for message in conversation.messages.kept().prefetch_related("attachments")
        ],
    }


def _message(message: Message) -> Json:
    return {
        "id": str(message.id),
        "parent": str(message.parent_id) if message.parent_id else None,
        "role": message.role,
        "text": message.text,
        "thinking": message.thinking,
        "model": message.model,
        "created_at": message.created_at.isoformat(),
        "files": [file.name for file in message.files],
    }


def bring_in(user: User, content: bytes) -> list[Conversation]:
    """New conversations of this person's from an export of ours, claude.ai's or ChatGPT's.

    Raises Refused, and then writes nothing.
    """
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise _unfit(_("It is not JSON.")) from None
    chats = data if isinstance(data, list) else [data]
    if not chats:
        raise _unfit(_("There is no chat in it."))
    with transaction.atomic():
        return [bring_one(user, chat) for chat in chats]


def bring_one(user: User, chat: Any) -> Conversation:
    """One new conversation. Raises Refused, and then writes nothing."""
    data = _own(chat)
    now = timezone.now()
    conversation = Conversation(
        owner=user,
        title=" ".join(_text(data, "title").split())[:200] or _("Imported chat"),
        model=_model(_text(data, "model")),
        max_tokens=settings.DEFAULT_MAX_TOKENS,
        system_prompt=_short(_text(data, "system_prompt")),
        options=_options(data.get("options")),
        active_at=min(_when(data.get("updated_at")) or now, now),
    )
    messages = _messages(conversation, data.get("messages"))
    with transaction.atomic():
        conversation.save()
        Message.objects.bulk_create(messages)
        # In the order of the file, whatever the clock says.
        for number, message in enumerate(messages):
            message.created_at = conversation.active_at + timedelta(microseconds=number)
        Message.objects.bulk_update(messages, ["created_at"], batch_size=200)
    return conversation


def _own(data: Any) -> Json:
    """The chat in our own format."""
    if not isinstance(data, dict):
        raise _unfit(_("It is not a chat."))
    if chat := foreign.translated(data):
        return chat
    if data.get("format") != FORMAT:
        raise _unfit(_("It was exported neither here nor from claude.ai or ChatGPT."))
    if data.get("version") != VERSION:
        raise _unfit(_("It was exported by another version."))
    return data


def _messages(conversation: Conversation, rows: Any) -> list[Message]:
    if not isinstance(rows, list) or not 0 < len(rows) <= MESSAGES:
        raise _unfit(
            _("It has to have between 1 and %(most)s messages.") % {"most": number(MESSAGES)}
        )
    known: dict[str | None, Message | None] = {None: None}
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("parent"), str | None):
            raise _unfit(_("A message is malformed."))
        if row.get("parent") not in known:
            raise _unfit(_("A message answers one that is not there."))
        if _text(row, "id") in known:
            raise _unfit(_("Two messages have one id."))
        message = _written(conversation, row, known[row.get("parent")])
        known[_text(row, "id")] = message
    return [message for message in known.values() if message]


def _written(conversation: Conversation, row: Json, parent: Message | None) -> Message:
    role = row.get("role")
    if role not in Message.Role.values or (role == Message.Role.ASSISTANT and not parent):
        raise _unfit(_("It has to begin with a question, and a reply has to answer one."))
    return Message(
        conversation=conversation,
        parent=parent,
        role=role,
        text=_text(row, "text"),
        thinking=_text(row, "thinking"),
        model=_text(row, "model")[:100],
    )


def _text(row: Json, name: str) -> str:
    value = row.get(name, "")
    if not isinstance(value, str):
        raise _unfit(_("%(name)s is not text.") % {"name": name})
    return clean(value)


def _short(text: str) -> str:
    if len(text.encode()) > TEXT_LIMIT:
        raise _unfit(_("Its system prompt is too long."))
    return text


def _options(given: Any) -> Json:
    """What it wished, if such wishes are known here."""
    try:
        return Wishes.of(given).kept
    except Refused:
        return {}


def _model(name: str) -> str:
    """The one it had, when people may still pick it."""
    try:
        return offered(name).id
    except Refused:
        return settings.DEFAULT_MODEL


def _when(text: Any) -> datetime | None:
    """A moment of this century in ISO's notation; one without a zone is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    if not 2000 <= found.year < 2100:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _unfit(why: str) -> Refused:
    words = _("This file cannot be imported. %(why)s Nothing was changed.")
    return Refused("unfit", words % {"why": why})
