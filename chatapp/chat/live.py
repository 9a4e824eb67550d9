"""The text of a reply while this process writes it: what arrived, what was sent, what is saved."""

from asgiref.sync import sync_to_async

from chatapp.chat import events
from chatapp.chat.events import Frame
from chatapp.chat.markdown import Block, BlockStream
from chatapp.chat.models import Chunk, Generation
from chatapp.chat.text import units

# So much takes too long to parse on the event loop.
LONG = 8_000  # characters


class Live:
    """One reply's words, heard from the model piece by piece.

    Three readers follow at their own pace: `frames` (what tabs are sent next), `snapshot` (what a
    tab that comes later needs) and `unsaved` (the next checkpoint).
    """

    def __init__(self, generation: Generation) -> None:
        self.gen = str(generation.id)
        self.epoch = generation.fence
        self.generation_id = generation.id
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._sent_text = self._sent_thinking = 0  # pieces
        self._saved_text = self._saved_thinking = 0  # pieces
        self._saved_units = 0
        # What tabs have been sent:
        self.length = 0
        self.thought = 0
        self.blocks: list[Block] = []
        self.tail = ""
        self._stream = BlockStream()

    def hear(self, kind: str, piece: str) -> None:
        """The hot path: nothing but an append."""
        (self._text if kind == "text" else self._thinking).append(piece)

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def thinking(self) -> str:
        return "".join(self._thinking)

    @property
    def long(self) -> bool:
        """Whether `frames` may hold the event loop up."""
        unsent = sum(map(len, self._text[self._sent_text :]))
        return len(self.tail) + unsent > LONG

    def frames(self) -> list[Frame]:
        """The deltas that say what was heard since the last call."""
        text, thinking = self._news()
        return self._deltas(text, thinking, self._stream.feed(text))

    async def frames_slowly(self) -> list[Frame]:
        """The same, parsed in a thread; nobody else may ask meanwhile."""
        text, thinking = self._news()
        feed = sync_to_async(self._stream.feed, thread_sensitive=False)
        return self._deltas(text, thinking, await feed(text))

    def _news(self) -> tuple[str, str]:
        text, self._sent_text = "".join(self._text[self._sent_text :]), len(self._text)
        thinking = "".join(self._thinking[self._sent_thinking :])
        self._sent_thinking = len(self._thinking)
        return text, thinking

    def _deltas(self, text: str, thinking: str, blocks: list[Block]) -> list[Frame]:
        off, self.length = self.length, self.length + units(text)
        self.blocks += blocks
        self.tail = self._stream.tail
        at, self.thought = self.thought, self.thought + units(thinking)
        return events.deltas(self.gen, self.epoch, off, text, blocks, thinking, at)

    def snapshot(self, upto: int = 0) -> list[Frame]:
        """All that was sent from `upto` on if that is the end of a block, else from the start."""
        return snapshot(
            self.gen, self.epoch, Generation.State.RUNNING, self.blocks, self.tail,
            self._thinking_sent(), upto,
        )  # fmt: skip

    def _thinking_sent(self) -> str:
        return "".join(self._thinking[: self._sent_thinking])

    def unsaved(self) -> Chunk | None:
        """What was heard since the last checkpoint that is known to be saved."""
        text = "".join(self._text[self._saved_text :])
        thinking = "".join(self._thinking[self._saved_thinking :])
        if not text and not thinking:
            return None
        chunk = Chunk(
            generation_id=self.generation_id,
            offset=self._saved_units,
            text=text,
            thinking=thinking,
        )
        self._saving = len(self._text), len(self._thinking), units(text) + units(thinking)
        return chunk

    def saved(self) -> None:
        """The last `unsaved` is."""
        self._saved_text, self._saved_thinking, size = self._saving
        self._saved_units += size


def snapshot(
    gen: str, epoch: int, state: str, blocks: list[Block], tail: str, thinking: str, upto: int
) -> list[Frame]:
    start = upto if any(block.upto == upto for block in blocks) else 0
    news = [block for block in blocks if block.start >= start]
    return events.snapshot(gen, epoch, state, start, news, tail, thinking)
