"""Which counters of a raw usage no rule of pricing knows: they may cost money that no sum shows."""

from collections.abc import Iterator, Mapping
from typing import Any

# By the object they stand in; "" is the usage itself, and each of its iterations.
KNOWN = {
    "": {
        "input_tokens",
        "output_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
    },
    "cache_creation": {"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"},
    "output_tokens_details": {"thinking_tokens"},
    # Searches have a fee, fetches are free, code execution is billed by the hour and flagged.
    "server_tool_use": {
        "web_search_requests",
        "web_fetch_requests",
        "code_execution_requests",
    },
}


def unknown_counters(usage: Mapping[str, Any] | None) -> list[str]:
    """The names, as "server_tool_use.tool_search_requests", of unknown counts that are not zero."""
    usage = usage or {}
    entries = usage.get("iterations")
    holders = [usage, *(entries if isinstance(entries, list) else [])]
    found = (name for holder in holders if isinstance(holder, Mapping) for name in _names(holder))
    return list(dict.fromkeys(found))


def _names(holder: Mapping[str, Any], place: str = "") -> Iterator[str]:
    for key, value in holder.items():
        if isinstance(value, Mapping):
            yield from _names(value, f"{place}.{key}" if place else key)
        elif _counts(value) and key not in KNOWN.get(place, ()):
            yield f"{place}.{key}" if place else key


def _counts(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value != 0
