"""The worked examples, and costs put in the examples' words."""

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from chatapp.pricing import money
from chatapp.pricing.cost import Cost

EXAMPLES = json.loads((Path(__file__).parent / "examples.json").read_text())
VECTORS: list[dict[str, Any]] = EXAMPLES["vectors"]
STREAMS: list[dict[str, Any]] = EXAMPLES["stream_vectors"]
NOON = datetime.fromisoformat("2026-11-20T12:00:00Z")


def by_kind(cost: Cost, *, iterated: bool) -> dict[str, str]:
    """Dollars by "kind", or by "segment_type.kind" when the usage has iterations."""
    sums: dict[str, int] = defaultdict(int)
    for line in cost.lines:
        named = iterated and line.kind != "web_search"
        sums[f"{line.segment_type}.{line.kind}" if named else line.kind] += line.amount_pusd
    return {key: money.exact(amount) for key, amount in sums.items()}


def segments(cost: Cost) -> list[dict[str, Any]]:
    """What each segment was billed, as far as its lines tell."""
    found: dict[int, dict[str, Any]] = {}
    for line in cost.lines:
        if line.kind != "web_search":
            segment = found.setdefault(
                line.segment,
                {"kind": line.segment_type, "model": line.model, "billed": True, "pusd": 0},
            )
            segment["billed"] = line.multiplier_bp > 0
            segment["pusd"] += line.amount_pusd
    return [segment | {"usd": money.exact(segment["pusd"])} for _, segment in sorted(found.items())]
