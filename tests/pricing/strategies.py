"""Generated calls: every model, time, tier, split, refusal and fallback the price file knows."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from tests.pricing.conftest import BUNDLED

PRICES: dict[str, Any] = json.loads(BUNDLED.read_text())
NAMES = [name for model in PRICES["models"] for name in (model["id"], *model["aliases"])]
EDGES = sorted(
    {entry["valid_from"] for entry in PRICES["versions"] + PRICES["refusal_rules"][1:]}
    | {"2026-12-15"}
)

tokens = st.one_of(
    st.sampled_from([0, 0, 1, 99_999, 100_000, 100_001, 200_000, 200_001]),
    st.integers(0, 1_000_000),
)
maybe_tokens = st.none() | tokens
models = st.sampled_from([*NAMES, *NAMES, "claude-opus-9", "claude-opus-5-20260101"])
categories = st.sampled_from(
    [None, "cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms", "new"]
)


@st.composite
def times(draw: st.DrawFn) -> datetime:
    """Around every edge to the second, or anywhere, in some UTC offset."""
    # Half of them late enough for every model to be on sale.
    edges = EDGES + ["2026-11-20"] * len(EDGES)
    edge = datetime.fromisoformat(draw(st.sampled_from(edges))).replace(tzinfo=UTC)
    near = draw(st.one_of(st.sampled_from([-1, 0, 1]), st.integers(0, 40_000_000)))
    offset = timezone(timedelta(minutes=draw(st.integers(-14 * 60, 14 * 60))))
    return (edge + timedelta(seconds=near)).astimezone(offset)


splits = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "ephemeral_5m_input_tokens": maybe_tokens,
        "ephemeral_1h_input_tokens": maybe_tokens,
    },
)
counts = st.fixed_dictionaries(
    {"input_tokens": tokens, "output_tokens": tokens},
    optional={
        "cache_creation_input_tokens": maybe_tokens,
        "cache_read_input_tokens": maybe_tokens,
        "cache_creation": splits,
    },
)


@st.composite
def iterations(draw: st.DrawFn) -> list[dict[str, Any]]:
    kinds = ["message", "message", "fallback_message", "compaction", "advisor_message", "novel"]
    entries = []
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=5)):
        entry = {"type": kind, **draw(counts)}
        if kind in ("advisor_message", "fallback_message") or draw(st.booleans()):
            entry["model"] = draw(models)
        entries.append(entry)
    return entries


requests = st.fixed_dictionaries(
    {},
    optional={
        "service_tier": st.sampled_from(["standard", "batch", "priority", None]),
        "inference_geo": st.sampled_from(["us", "us", "global", "not_available", None]),
        "speed": st.sampled_from(["standard", "fast", None]),
        "iterations": st.none() | iterations() | iterations(),
        "output_tokens_details": st.just({"thinking_tokens": 4_600}),
        "future_counter": st.integers(-3, 3),
        "server_tool_use": st.none()
        | st.fixed_dictionaries(
            {}, optional={"web_search_requests": st.integers(0, 9) | st.none()}
        ),
    },
)


@st.composite
def usages(draw: st.DrawFn) -> dict[str, Any]:
    return {**draw(counts), **draw(requests)}


@st.composite
def responses(draw: st.DrawFn) -> dict[str, Any] | None:
    if draw(st.booleans()):
        return None
    return {
        "stop_reason": draw(st.sampled_from(["end_turn", "refusal", "refusal", "max_tokens"])),
        "stop_details": draw(st.none() | st.fixed_dictionaries({"category": categories})),
        "content": [
            {"type": "fallback", "trigger": {"type": "refusal", "category": category}}
            for category in draw(st.lists(categories, max_size=4))
        ],
    }
