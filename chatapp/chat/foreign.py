"""Chats as claude.ai and ChatGPT export them, put into the format of our own export.

Neither vendor documents its `conversations.json`: this reads what public importers agree on
(docs/chat.md names them), and leaves out what it does not know. Nothing here trusts a type.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

ROLES = {"human": "user", "user": "user", "assistant": "assistant"}


def translated(data: Json) -> Json | None:
    """One exported chat as `exporting` writes it; None when it is of neither kind."""
    if isinstance(data.get("chat_messages"), list):
        rows = list(_claude(data["chat_messages"]))
        return {"title": data.get("name") or "", "updated_at": data.get("updated_at")} | _rest(rows)
    if isinstance(data.get("mapping"), dict):
        rows = list(_chatgpt(data["mapping"], data.get("current_node")))
        when = _moment(data.get("update_time"))
        return {"title": data.get("title") or "", "updated_at": when} | _rest(rows)
    return None


def _rest(rows: list[Json]) -> Json:
    return {"model": "", "system_prompt": "", "messages": rows}


def _claude(messages: list[Any]) -> Iterator[Json]:
    """A list in the order of writing; older exports do not say what a message answers."""
    stands: dict[str, str | None] = {}  # each message's id -> its own, or of the last one kept
    last: str | None = None
    for number, message in enumerate(map(_dict, messages)):
        role = ROLES.get(_text(message.get("sender")))
        id = _text(message.get("uuid")) or str(number)
        parent = _text(message.get("parent_message_uuid"))
        above = stands.get(parent, None if parent and role == "user" else last)
        row = _row(id, above, role, **_written(message))
        stands[id] = last = id if row else above
        if row:
            yield row


def _written(message: Json) -> dict[str, str]:
    blocks = [*map(_dict, _list(message.get("content")))]
    texts = [_text(block.get("text")) for block in blocks if block.get("type") == "text"]
    thoughts = [_text(b.get("thinking")) for b in blocks if b.get("type") == "thinking"]
    files = [*_list(message.get("attachments")), *_list(message.get("files"))]
    names = [f"(File: {name})" for file in files if (name := _text(_dict(file).get("file_name")))]
    words = "\n\n".join(filter(None, texts)) or _text(message.get("text"))
    return {"text": "\n\n".join(filter(None, [*names, words])), "thinking": "\n\n".join(thoughts)}


def _chatgpt(mapping: Json, current: Any) -> Iterator[Json]:
    """A tree of nodes, of which some are the product's own: those are passed over.

    Parents come before children, and the branch that was last shown comes last.
    """
    nodes = {id: _dict(node) for id, node in mapping.items()}
    shown = _path(nodes, current)
    stands: dict[str, str | None] = {}
    waiting = [id for id, node in nodes.items() if _text(node.get("parent")) not in nodes]
    while waiting:
        id = waiting.pop()
        if id in stands:
            continue
        node = nodes[id]
        above = stands.get(_text(node.get("parent")))
        row = _node(id, above, _dict(node.get("message")))
        stands[id] = id if row else above
        if row:
            yield row
        children = [c for c in map(_text, reversed(_list(node.get("children")))) if c in nodes]
        waiting += sorted(children, key=lambda child: child not in shown)


def _path(nodes: dict[str, Json], leaf: Any) -> set[str]:
    path: set[str] = set()
    step = _text(leaf)
    while step in nodes and step not in path:
        path.add(step)
        step = _text(nodes[step].get("parent"))
    return path


def _node(id: str, above: str | None, message: Json) -> Json | None:
    """What a person and the model said to each other: not to tools, and not hidden."""
    metadata, content = _dict(message.get("metadata")), _dict(message.get("content"))
    hidden = metadata.get("is_visually_hidden_from_conversation")
    if hidden or message.get("recipient", "all") != "all":
        return None
    if content.get("content_type") not in ("text", "multimodal_text"):
        return None
    parts = [part if isinstance(part, str) else "(File)" for part in _list(content.get("parts"))]
    role = ROLES.get(_text(_dict(message.get("author")).get("role")))
    model = _text(metadata.get("model_slug")) if role == "assistant" else ""
    return _row(id, above, role, text="\n\n".join(filter(None, parts)), model=model)


def _row(id: str, above: str | None, role: str | None, *, text: str, **more: str) -> Json | None:
    """None for what says nothing, or answers nobody."""
    if not role or not text.strip() or (role == "assistant" and above is None):
        return None
    return {"id": id, "parent": above, "role": role, "text": text, **more}


def _moment(seconds: Any) -> str | None:
    try:
        return datetime.fromtimestamp(float(seconds), UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
