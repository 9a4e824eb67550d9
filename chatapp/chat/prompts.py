"""From the path of messages to what is sent to the model, and how many tokens that is."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable

from chatapp.chat.models import Message
from chatapp.claude.client import Prompt

# What a request's frame may cost beyond the bytes of its words, in tokens.
FRAME_TOKENS = 64
MESSAGE_TOKENS = 16
TOOL_TOKENS = 4_000


def prompt_for(path: Iterable[Message], *, model: str, system: str, max_tokens: int) -> Prompt:
    """The messages with words, in order; a reply that failed before its first word has none."""
    turns = [
        {"role": message.role, "content": message.text} for message in path if message.text.strip()
    ]
    return Prompt(model=model, messages=turns, system=system, max_tokens=max_tokens)


def upper_bound(prompt: Prompt) -> int:
    """Never fewer tokens than the prompt has, since a token is at least one byte."""
    words = [prompt.system, *(turn["content"] for turn in prompt.messages)]
    size = sum(len(text.encode()) for text in words)
    tools = TOOL_TOKENS if prompt.options.get("web_search") else 0
    return size + FRAME_TOKENS + MESSAGE_TOKENS * len(prompt.messages) + tools


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
    return hashlib.sha256(json.dumps(prompt.counted()).encode()).hexdigest()


counts = Counts()
