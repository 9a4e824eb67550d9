"""From the path of messages to what is sent to the model, and how many tokens that is."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from chatapp.chat.models import Message
from chatapp.claude.client import Prompt
from chatapp.claude.files import File
from chatapp.claude.prompt import Options
from chatapp.ledger.rating import BEYOND_BELIEF

# What a request's frame may cost beyond the bytes of its words, in tokens.
FRAME_TOKENS = 64
MESSAGE_TOKENS = 16
TOOL_TOKENS = 4_000


def prompt_for(
    path: Iterable[Message], *, model: str, system: str, max_tokens: int, options: Options
) -> Prompt:
    """The messages in order; a reply that failed before its first word is left out."""
    turns = [
        {"role": message.role, "content": content} for message in path if (content := said(message))
    ]
    return Prompt(
        model=model, messages=turns, system=system, max_tokens=max_tokens, options=options
    )


def said(message: Message) -> str | list[Any]:
    """A message's text; files stand before it, where the model reads them best."""
    text = message.text if message.text.strip() else ""
    if not (files := message.files):
        return text
    words = [{"type": "text", "text": text}] if text else []
    return [*(attachment.file for attachment in files), *words]


def parts(prompt: Prompt) -> Iterator[Any]:
    """Everything in it that costs tokens: texts, files, and other blocks."""
    yield prompt.system
    for turn in prompt.messages:
        content = turn["content"]
        yield from [content] if isinstance(content, str) else content


def upper_bound(prompt: Prompt) -> int:
    """Never fewer tokens than the prompt has, since a token is at least one byte."""
    size = sum(map(_at_most, parts(prompt)))
    tools = TOOL_TOKENS if prompt.options.get("web_search") else 0
    return size + FRAME_TOKENS + MESSAGE_TOKENS * len(prompt.messages) + tools


def _at_most(part: Any) -> int:
    match part:
        case str(text) | {"type": "text", "text": str(text)}:
            return len(text.encode())
        case File():
            return part.most_tokens
    return len(json.dumps(part).encode())


def context_tokens(usage: Any) -> int:
    """What the last sampling of a call read and wrote: the next prompt begins with it."""
    match usage:
        case {"iterations": [*entries]}:
            samplings = [entry for entry in entries if isinstance(entry, dict)]
            messages = [entry for entry in samplings if entry.get("type") == "message"]
            usage = next(reversed(messages or samplings), usage)
    return counted(usage, "input", "cache_creation_input", "cache_read_input", "output")


def counted(usage: Any, *names: str) -> int:
    """The sum of these counts of tokens in a usage; what cannot be one is none."""
    counts = [usage.get(f"{name}_tokens") for name in names] if isinstance(usage, dict) else []
    return sum(count for count in counts if type(count) is int and 0 <= count <= BEYOND_BELIEF)


class Counts:
    """The vendor's counts of recent prompts: what a quote has counted, a send need not."""

    SIZE = 1_000

    def __init__(self) -> None:
        self._tokens: OrderedDict[str, int] = OrderedDict()

    def get(self, prompt: Prompt) -> int | None:
        return self._tokens.get(_digest(prompt))

    def keep(self, prompt: Prompt, tokens: int) -> None:
        self._tokens[_digest(prompt)] = tokens
        while len(self._tokens) > self.SIZE:
            self._tokens.popitem(last=False)


def _digest(prompt: Prompt) -> str:
    """Of what is counted: the reply's length is not."""
    return hashlib.sha256(json.dumps(prompt.outlined(), default=repr).encode()).hexdigest()


counts = Counts()
