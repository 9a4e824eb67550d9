"""After a question is posted: count it when its size decides, and let every tab know."""

from contextlib import suppress
from uuid import UUID

from chatapp.chat import events
from chatapp.chat.articles import article_html, row_html, shown
from chatapp.chat.events import Frame
from chatapp.chat.models import Conversation, Generation
from chatapp.chat.prompts import counts
from chatapp.claude import client
from chatapp.claude.client import Prompt
from chatapp.claude.errors import Fault


async def count(prompt: Prompt) -> int:
    """Ask the vendor how many tokens this prompt has, and remember it. Raises Fault."""
    tokens = counts.get(prompt)
    if tokens is None:
        tokens = await client.count_tokens(prompt)
        counts.keep(prompt, tokens)
    return tokens


async def know_count(prompt: Prompt) -> None:
    """Have the count at hand that holding money for files may need; another process has made it."""
    if prompt.has_files and counts.get(prompt) is None:
        with suppress(Fault):
            await count(prompt)


def news(id: UUID) -> list[tuple[str, Frame]]:
    """What the tabs learn of a reply just queued, each frame with its topic."""
    generation = Generation.objects.get(id=id)
    reply = shown().select_related("parent").get(id=generation.message_id)
    assert reply.parent
    html = article_html(reply.parent) + article_html(reply)
    generation.message = reply
    conversation = reply.conversation
    return [(conversation.topic, events.message(generation, html)), row_news(conversation)]


def row_news(conversation: Conversation) -> tuple[str, Frame]:
    """The conversation's place in its owner's list has changed."""
    return f"user.{conversation.owner_id}", events.conversation(
        conversation, row_html(conversation)
    )
