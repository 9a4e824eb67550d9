"""Finding words in titles and messages, by the database's own full-text index.

Every word of the query must begin a word of one title or of one message. Only letters and digits
count: nothing a person types has a meaning of its own to the database.
"""

import re
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from chatapp.accounts.models import User
from chatapp.chat.models import Conversation, Message

WORDS = 12  # of a query
AROUND = 60  # characters shown before a hit, and twice as many after it

Piece = tuple[str, bool]


@dataclass(frozen=True)
class Found:
    """A conversation, and the message of it with the words unless its title has them.

    `title` and `snippet` come in pieces, each with whether it is one of the words.
    """

    conversation: Conversation
    message: UUID | None
    title: list[Piece]
    snippet: list[Piece]


def search(user: User, query: str, limit: int = 20) -> list[Found]:
    """This person's conversations with all these words; those with such a title first."""
    words = re.findall(r"[^\W_]+", query)[:WORDS]
    if not words:
        return []
    hits = _hits(user, words, limit)
    conversations = Conversation.objects.in_bulk([id for id, _ in hits])
    messages = Message.objects.in_bulk([id for _, id in hits if id])
    pattern = re.compile(rf"(?<![^\W_])(?:{'|'.join(words)})", re.IGNORECASE)
    return [
        Found(
            conversation=conversations[id],
            message=message,
            title=pieces(conversations[id].title, pattern),
            snippet=snippet(messages[message].text, pattern) if message else [],
        )
        for id, message in hits
    ]


def pieces(text: str, pattern: re.Pattern[str]) -> list[Piece]:
    """The text, cut at the words; it is all there, and nothing is escaped yet."""
    found, at = [], 0
    for hit in pattern.finditer(text):
        found += [(text[at : hit.start()], False), (hit.group(), True)]
        at = hit.end()
    return [(piece, marked) for piece, marked in [*found, (text[at:], False)] if piece]


def snippet(text: str, pattern: re.Pattern[str]) -> list[Piece]:
    """One line of the text around the first of the words."""
    hit = pattern.search(text)
    at = hit.start() if hit else 0
    begin, end = max(0, at - AROUND), at + 2 * AROUND
    line = " ".join(text[begin:end].split())
    return pieces(("…" if begin else "") + line + ("…" if end < len(text) else ""), pattern)


def _hits(user: User, words: list[str], limit: int) -> list[tuple[UUID, UUID | None]]:
    """Conversations, each with one message that has the words when its title has not."""
    hits, arguments = _index(user, words)
    with connection.cursor() as cursor:
        cursor.execute(HITS.format(hits=hits), [*arguments, user.pk, limit])
        rows = cursor.fetchall()
    return [(UUID(str(id)), UUID(message) if message and not titled else None)
            for id, titled, message in rows]  # fmt: skip


def _index(user: User, words: list[str]) -> tuple[str, list[int | str]]:
    """What the index finds, as SQL: conversation, 1 for a title, and the message's id as text."""
    if connection.vendor == "sqlite":
        return SQLITE, [" AND ".join([f'owner:"{user.pk}"', *(f'words:"{w}"*' for w in words)])]
    query = " & ".join(f"'{word}':*" for word in words)
    return POSTGRESQL, [user.pk, query, query]


HITS = """
    SELECT c.id, MAX(hit.titled) AS titled, MAX(hit.message) AS message
    FROM ({hits}) hit JOIN chat_conversation c ON c.id = hit.conversation
    WHERE c.owner_id = %s AND c.deleted_at IS NULL AND c.expires_at IS NULL
    GROUP BY c.id, c.active_at ORDER BY titled DESC, c.active_at DESC LIMIT %s
"""
SQLITE = """
    SELECT p.conversation_id AS conversation, p.message_id IS NULL AS titled, p.message_id AS message
    FROM chat_search s JOIN chat_passage p ON p.id = s.rowid
    LEFT JOIN chat_message m ON m.id = p.message_id
    WHERE chat_search MATCH %s AND m.deleted_at IS NULL
"""
# As in migration 0003, whose indexes serve only this very expression.
VECTOR = (
    "to_tsvector('simple', translate(left({}, 200000),"
    " '!\"#$%%&''()*+,-./:;<=>?@[\\]^_`{{|}}~', repeat(' ', 32)))"
)
POSTGRESQL = f"""
    SELECT id AS conversation, 1 AS titled, NULL AS message FROM chat_conversation
    WHERE owner_id = %s AND {VECTOR.format("title")} @@ to_tsquery('simple', %s)
    UNION ALL
    SELECT conversation_id, 0, id::text FROM chat_message
    WHERE {VECTOR.format("text")} @@ to_tsquery('simple', %s) AND deleted_at IS NULL
"""  # noqa: S608 - of constants
