"""What a tab that comes late, or lost something, is sent of a reply: from memory, or from storage."""

from dataclasses import dataclass, field
from uuid import UUID

from chatapp.accounts.models import User
from chatapp.chat import claims, live
from chatapp.chat.events import Frame
from chatapp.chat.markdown import Block, BlockStream
from chatapp.chat.models import Chunk, Conversation, Generation
from chatapp.chat.refusals import not_found


@dataclass(frozen=True)
class Saved:
    """A reply as the database has it: `ended` when it has, else its saved words."""

    id: UUID
    epoch: int
    state: str
    ended: Frame | None = None
    blocks: list[Block] = field(default_factory=list)
    tail: str = ""
    thinking: str = ""

    def snapshot(self, upto: int) -> list[Frame]:
        return live.snapshot(
            str(self.id), self.epoch, self.state, self.blocks, self.tail, self.thinking, upto
        )


def watch(user: User, id: UUID) -> tuple[Conversation, list[Saved]]:
    """The conversation and the replies being written in it."""
    conversation = Conversation.objects.of(user).filter(id=id).first()
    if conversation is None:
        raise not_found()
    replies = Generation.objects.live().filter(message__conversation=conversation)
    return conversation, [_saved(generation) for generation in replies]


def resume(user: User, id: UUID) -> Saved:
    generation = Generation.objects.filter(id=id, message__conversation__owner=user).first()
    if generation is None:
        raise not_found()
    return _saved(generation)


def _saved(generation: Generation) -> Saved:
    if not generation.live:
        _, ended = claims.farewell(generation.id)
        return Saved(generation.id, generation.fence, generation.state, ended)
    text, thinking = Chunk.words(generation)
    stream = BlockStream()
    blocks = stream.feed(text)
    return Saved(
        generation.id, generation.fence, generation.state, None, blocks, stream.tail, thinking
    )
