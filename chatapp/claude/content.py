"""The blocks of a reply exactly as they came: a paused turn goes on only from these."""

import json
from collections.abc import Mapping
from typing import Any

Block = dict[str, Any]
# Where each kind of delta writes.
APPENDED = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


class Content:
    """Hears each raw event once. `blocks` are what an assistant's message may hold again."""

    def __init__(self) -> None:
        self._blocks: dict[Any, Block] = {}
        self._json: dict[Any, str] = {}

    @property
    def blocks(self) -> list[Block]:
        """Without empty texts, which the API refuses."""
        return [block for block in self._blocks.values() if block.get("text") != ""]

    def hear(self, event: Mapping[str, Any]) -> None:
        """ValueError: this cannot be a message's event."""
        try:
            self._hear(event)
        except (KeyError, TypeError) as error:
            raise ValueError("an event of a strange shape") from error

    def _hear(self, event: Mapping[str, Any]) -> None:
        index = event.get("index")
        match event:
            case {"type": "content_block_start", "content_block": dict(block)}:
                self._blocks[index] = {**block}
            case {"type": "content_block_delta", "delta": {**delta}} if index in self._blocks:
                self._add(index, delta)
            case {"type": "content_block_stop"} if index in self._json:
                self._blocks[index]["input"] = _object(self._json[index])

    def _add(self, index: Any, delta: Mapping[Any, Any]) -> None:
        block = self._blocks[index]
        match delta:
            case {"type": "citations_delta", "citation": citation}:
                block["citations"] = [*(block.get("citations") or []), citation]
            case {"type": "input_json_delta", "partial_json": str(part)}:
                self._json[index] = self._json.get(index, "") + part
            case {"type": str(kind)} if name := APPENDED.get(kind):
                block[name] = block.get(name, "") + delta[name]


def _object(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return {}
