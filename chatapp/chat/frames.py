"""What the page may send, checked against docs/protocol.md before anything believes it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from chatapp.chat.draft import Ask

T = TypeVar("T")

LARGEST = 2**31 - 1
LARGEST_LIST = 100


class Malformed(Exception):
    """A frame that cannot be understood; `key` is set when that much could be."""

    def __init__(self, message: str, code: str = "malformed", key: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.key = key


@dataclass(frozen=True)
class Watch:
    conversation: UUID


@dataclass(frozen=True)
class Stop:
    gen: UUID


@dataclass(frozen=True)
class Resume:
    gen: UUID
    epoch: int
    upto: int


@dataclass(frozen=True)
class Ping:
    pass


Request = Watch | Ask | Stop | Resume | Ping


def parse(text: str) -> Request:
    """What a text frame asks for. Raises Malformed."""
    frame = _object(text)
    try:
        return _request(frame)
    except Malformed as fault:
        key = frame.get("key")
        fault.key = key if isinstance(key, str) and len(key) <= 64 else ""
        raise


def _object(text: str) -> Mapping[str, Any]:
    try:
        frame = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Malformed("That was not JSON.") from None
    if not isinstance(frame, dict):
        raise Malformed("A frame is a JSON object.")
    return frame


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _request(frame: Mapping[str, Any]) -> Request:
    match frame.get("type"):
        case "watch":
            return Watch(_uuid(frame, "conversation"))
        case "send":
            return Ask(
                key=_uuid(frame, "key"),
                conversation=_optional(_uuid, frame, "conversation"),
                project=_optional(_uuid, frame, "project"),
                parent=_optional(_uuid, frame, "parent"),
                text=_string(frame, "text"),
                model=_optional(_string, frame, "model"),
                max_tokens=_optional(_integer, frame, "max_tokens"),
                system_prompt=_optional(_string, frame, "system_prompt"),
                temporary=frame.get("temporary") is True,
                attachments=_uuids(frame, "attachments"),
                options=_optional(_strings, frame, "options"),
            )
        case "regenerate":
            return Ask(
                key=_uuid(frame, "key"),
                message=_uuid(frame, "message"),
                model=_optional(_string, frame, "model"),
            )
        case "stop":
            return Stop(_uuid(frame, "gen"))
        case "resume":
            return Resume(_uuid(frame, "gen"), _integer(frame, "epoch"), _integer(frame, "upto"))
        case "ping":
            return Ping()
    raise Malformed("This kind of frame is not known.", "unknown_type")


def _uuid(frame: Mapping[str, Any], name: str) -> UUID:
    try:
        return UUID(_string(frame, name))
    except ValueError:
        raise Malformed(f"{name} is not a UUID.") from None


def _uuids(frame: Mapping[str, Any], name: str) -> tuple[UUID, ...]:
    values = frame.get(name, [])
    if not isinstance(values, list) or len(values) > LARGEST_LIST:
        raise Malformed(f"{name} is not a list.")
    return tuple(_uuid({name: value}, name) for value in values)


def _string(frame: Mapping[str, Any], name: str) -> str:
    value = frame.get(name)
    if not isinstance(value, str):
        raise Malformed(f"{name} is not a string.")
    return value


def _strings(frame: Mapping[str, Any], name: str) -> dict[str, str]:
    value = frame.get(name)
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise Malformed(f"{name} is not an object of strings.")
    return value


def _integer(frame: Mapping[str, Any], name: str) -> int:
    value = frame.get(name)
    if type(value) is not int or not -1 <= value <= LARGEST:
        raise Malformed(f"{name} is not a sensible whole number.")
    return value


def _optional(
    read: Callable[[Mapping[str, Any], str], T], frame: Mapping[str, Any], name: str
) -> T | None:
    return None if frame.get(name) is None else read(frame, name)
