"""Counters of a raw usage that no rule of pricing knows: their names, and how much each counts."""

from collections.abc import Iterator, Mapping
from typing import Any

from chatapp.pricing.segments import whole

# Of the usage itself and of each of its iterations.
KNOWN = frozenset(
    {
        "input_tokens",
        "output_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "cache_creation.ephemeral_5m_input_tokens",
        "cache_creation.ephemeral_1h_input_tokens",
        "output_tokens_details.thinking_tokens",
        # Searches have a fee, fetches are free, code execution is billed by the hour and flagged.
        "server_tool_use.web_search_requests",
        "server_tool_use.web_fetch_requests",
        "server_tool_use.code_execution_requests",
    }
)


def unknown_counters(usage: Mapping[str, Any] | None) -> list[str]:
    """The names, as "server_tool_use.tool_search_requests", of unknown counts that are not zero."""
    found = (
        name
        for holder in (usage or {}, *_iterations(usage or {}))
        for name, value in _leaves(holder)
        if _counts(value) and name not in KNOWN
    )
    return list(dict.fromkeys(found))


def counted(usage: Mapping[str, Any], name: str) -> int:
    """How much a usage counts of `name`: the sum over its iterations if they tell, else the top's.

    Raises UsageError for what is no whole number, or negative.
    """
    told = [value for entry in _iterations(usage) for key, value in _leaves(entry) if key == name]
    values = told or [value for key, value in _leaves(usage) if key == name]
    return sum(whole(value, name) or 0 for value in values)


def _iterations(usage: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = usage.get("iterations")
    return [
        entry
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, Mapping)
    ]


def _leaves(holder: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in holder.items():
        name = f"{place}.{key}" if place else str(key)
        if isinstance(value, Mapping):
            yield from _leaves(value, name)
        else:
            yield name, value


def _counts(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value != 0
