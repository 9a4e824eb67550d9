"""Every frame the server sends, as docs/protocol.md describes them, and what may be asked of it."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from chatapp.chat.markdown import Block
from chatapp.chat.models import Conversation, Generation
from chatapp.chat.text import units

PROTOCOL = 1
HEARTBEAT = 15  # seconds
# Characters of text in one frame; longer text is sent in several.
FRAME = 32_000

Frame = dict[str, Any]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(frame: Frame) -> str:
    return _encode(frame)


def decode(text: str) -> Frame:
    frame: Frame = json.loads(text)
    return frame


def welcome() -> Frame:
    return {"type": "welcome", "protocol": PROTOCOL, "heartbeat": HEARTBEAT}


def heartbeat() -> Frame:
    return {"type": "hb"}


def watching(conversation: Conversation) -> Frame:
    return {"type": "watching", "conversation": str(conversation.id)}


def ack(key: str, generation: Generation, *, new: bool) -> Frame:
    """`generation` comes with its reply message."""
    reply = generation.message
    return {
        "type": "ack",
        "key": key,
        "conversation": str(reply.conversation_id),
        "message": str(reply.parent_id),
        "reply": str(reply.id),
        "gen": str(generation.id),
        "new": new,
    }


def reject(key: str | None, code: str, message: str, field: str = "") -> Frame:
    frame = {"type": "reject", "code": code, "message": message}
    return frame | ({"key": key} if key else {}) | ({"field": field} if field else {})


def retry(key: str, after: int) -> Frame:
    """`after` in milliseconds."""
    return {"type": "retry", "key": key, "after": after}


def message(generation: Generation, html: str) -> Frame:
    reply = generation.message
    return {
        "type": "message",
        "conversation": str(reply.conversation_id),
        "message": str(reply.parent_id),
        "parent": str(reply.parent.parent_id) if reply.parent and reply.parent.parent_id else None,
        "reply": str(reply.id),
        "gen": str(generation.id),
        "html": html,
    }


def delta(
    gen: str,
    epoch: int,
    off: int,
    s: str,
    blocks: Sequence[Block] = (),
    thinking: str = "",
    at: int = 0,
) -> Frame:
    frame: Frame = {"type": "delta", "gen": gen, "epoch": epoch, "off": off, "s": s}
    if blocks:
        frame["blocks"] = [block_of(block) for block in blocks]
    if thinking:
        frame["thinking"] = thinking
    if thinking or at:
        frame["at"] = at  # also beside words alone, so that a page sees that it missed thoughts
    return frame


def block_of(block: Block) -> Frame:
    return {"from": block.start, "upto": block.upto, "html": block.html}


def snapshot(
    gen: str,
    epoch: int,
    state: str,
    start: int,
    blocks: Iterable[Block],
    tail: str,
    thinking: str,
) -> list[Frame]:
    """The text from a block boundary on, as one frame, or as several of bearable size.

    A very long tail goes on in deltas, which append to it.
    """
    frames: list[Frame] = []
    batch: list[Frame] = []
    size = 0
    upto = start

    def close(tail: str, more: bool) -> None:
        frames.append(
            {"type": "snapshot", "gen": gen, "epoch": epoch, "state": state, "from": start}
            | {"blocks": batch, "tail": tail, "thinking": thinking, "more": more}
        )

    for block in blocks:
        if batch and size + len(block.html) > FRAME:
            close("", True)
            batch, size, start = [], 0, upto
        batch.append(block_of(block))
        size += len(block.html)
        upto = block.upto
    close(tail[:FRAME], len(tail) > FRAME)
    return frames + deltas(gen, epoch, upto + units(tail[:FRAME]), tail[FRAME:])


def deltas(
    gen: str,
    epoch: int,
    off: int,
    s: str,
    blocks: Sequence[Block] = (),
    thinking: str = "",
    at: int = 0,
) -> list[Frame]:
    """One delta, or several for a very long text; the blocks come with the text that ends them."""
    frames = []
    while len(s) > FRAME:
        frames.append(delta(gen, epoch, off, s[:FRAME], at=at))
        off += units(s[:FRAME])
        s = s[FRAME:]
    if s or blocks or thinking:
        frames.append(delta(gen, epoch, off, s, blocks, thinking, at))
    return frames


def merge(frames: Iterable[Frame]) -> list[Frame]:
    """The same frames with deltas that follow one another made one."""
    merged: list[Frame] = []
    for frame in frames:
        last = merged[-1] if merged else {}
        if (
            frame["type"] == last.get("type") == "delta"
            and (frame["gen"], frame["epoch"]) == (last["gen"], last["epoch"])
            and last["off"] + units(last["s"]) == frame["off"]
            and len(last["s"]) < FRAME
            and _thinks_on(last, frame)
        ):
            joined = {**frame, **last, "s": last["s"] + frame["s"]}
            for name in "blocks", "thinking":
                if name in last or name in frame:
                    empty: Any = [] if name == "blocks" else ""
                    joined[name] = last.get(name, empty) + frame.get(name, empty)
            merged[-1] = joined
        else:
            merged.append(frame)
    return merged


def _thinks_on(last: Frame, frame: Frame) -> bool:
    """Whether no thought is missing between two deltas."""
    whole: bool = last.get("at", 0) + units(last.get("thinking", "")) == frame.get("at", 0)
    return whole


def notice(gen: str, code: str, message: str, until: datetime | None = None) -> Frame:
    frame = {"type": "notice", "gen": gen, "code": code, "message": message}
    return frame | ({"until": until.isoformat()} if until else {})


def done(generation: Generation, html: str) -> Frame:
    return {
        "type": "done",
        "gen": str(generation.id),
        "epoch": generation.fence,
        "state": generation.state,
        "message": str(generation.message_id),
        "html": html,
    }


def conversation(conversation: Conversation, html: str) -> Frame:
    return {
        "type": "conversation",
        "id": str(conversation.id),
        "title": conversation.title,
        "model": conversation.model,
        "deleted": bool(conversation.deleted_at or conversation.expires_at),
        "active_at": conversation.active_at.isoformat(),
        "html": html,
    }


def changed(conversation: Conversation) -> Frame:
    """Messages were deleted, or brought back."""
    return {"type": "changed", "conversation": str(conversation.id)}


def error(code: str, message: str) -> Frame:
    return {"type": "error", "code": code, "message": message}
