"""A second way of computing a cost, for tests: dollars as fractions, straight from the price file.

It shares nothing with chatapp.pricing, and is written the other way round: one sum over
(entry, kind) instead of segments, lines and versions.
"""

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

KNOWN = ["cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms"]
RATE_OF = {"in": "input", "w5": "write_5m", "w1": "write_1h", "rd": "read", "out": "output"}


def dollars(
    prices: dict[str, Any],
    model: str,
    at: datetime,
    usage: dict[str, Any],
    response: dict[str, Any] | None = None,
) -> Fraction | None:
    """The exact cost in dollars; None when any part of it has no price."""
    entries = usage.get("iterations") or [{**usage, "type": "message", "model": None}]
    served = [_model_of(entry, model) for entry in entries]
    free = _free(prices, at, entries, [_id_of(prices, name) or name for name in served], response)
    total = Fraction(0)
    for position, entry in enumerate(entries):
        speed = usage.get("speed") or "standard"
        if entry["type"] == "advisor_message":
            speed = "standard"
        row = _row(prices, served[position], speed, at)
        if row is None:
            return None
        factor = Fraction(1)
        if usage.get("service_tier") == "batch":
            if row["batch"] is None:
                return None
            factor *= Fraction(row["batch"])
        if usage.get("inference_geo") == "us":
            factor *= Fraction(row["geo_us"] or 1)
        if position in free:
            factor = Fraction(0)
        found = counts(entry)
        prompt = sum(found.values()) - found["out"]
        [*_, rates] = [tier for tier in row["tiers"] if tier["over"] == 0 or prompt > tier["over"]]
        for kind, name in RATE_OF.items():
            total += found[kind] * Fraction(rates[name]) / 1_000_000 * factor
    searches = (usage.get("server_tool_use") or {}).get("web_search_requests") or 0
    if searches:
        row = _row(prices, model, usage.get("speed") or "standard", at)
        if row is None:
            return None
        total += searches * Fraction(row["web_search_per_1000"]) / 1000
    return total


def _model_of(entry: dict[str, Any], response_model: str) -> str:
    if entry["type"] == "compaction":
        return response_model
    if entry["type"] == "advisor_message":
        return entry.get("model") or "?"
    return entry.get("model") or response_model


def counts(entry: dict[str, Any]) -> dict[str, int]:
    split = entry.get("cache_creation") or {}
    five = split.get("ephemeral_5m_input_tokens") or 0
    hour = split.get("ephemeral_1h_input_tokens") or 0
    total = entry.get("cache_creation_input_tokens")
    if total is not None:
        if five + hour > total:
            hour = min(hour, total)
        five = total - hour
    return {
        "in": entry.get("input_tokens") or 0,
        "w5": five,
        "w1": hour,
        "rd": entry.get("cache_read_input_tokens") or 0,
        "out": entry.get("output_tokens") or 0,
    }


def _id_of(prices: dict[str, Any], name: str) -> str | None:
    for model in prices["models"]:
        if name == model["id"] or name in model["aliases"]:
            return model["id"]
    return None


def _row(prices: dict[str, Any], name: str, speed: str, at: datetime) -> dict[str, Any] | None:
    def latest(speed: str) -> dict[str, Any] | None:
        rows = [
            row
            for row in prices["versions"]
            if (row["model"], row["speed"]) == (_id_of(prices, name), speed)
            and datetime.fromisoformat(row["valid_from"]).replace(tzinfo=UTC) <= at
        ]
        row = max(rows, key=lambda row: row["valid_from"], default=None)
        return row if row and row["available"] else None

    return latest(speed) if latest("standard") else None


def _free(
    prices: dict[str, Any],
    at: datetime,
    entries: list[dict[str, Any]],
    served: list[str],
    response: dict[str, Any] | None,
) -> set[int]:
    day = at.astimezone(UTC).strftime("%Y-%m-%d")
    if day < "2026-06-02":
        return set()
    billed = ["bio", "frontier_llm", "reasoning_extraction"] if day >= "2026-09-24" else []
    response = response or {}
    reasons = [
        block["trigger"]["category"]
        for block in response.get("content", [])
        if block["type"] == "fallback"
    ]
    fell_back = reasons or "fallback_message" in [entry["type"] for entry in entries]
    runs: list[list[int]] = []
    last = None
    for position, entry in enumerate(entries):
        if entry["type"] in ("compaction", "advisor_message"):
            continue
        if not runs or (fell_back and served[position] != last):
            runs.append([])
        runs[-1].append(position)
        last = served[position]
    free: set[int] = set()
    for number, run in enumerate(runs):
        if any(entries[position].get("output_tokens") for position in run):
            continue
        if number < len(runs) - 1:
            category = reasons[number] if number < len(reasons) else None
        elif response.get("stop_reason") == "refusal":
            category = (response.get("stop_details") or {}).get("category")
        else:
            continue
        if category not in billed:
            free |= set(run)
    return free
