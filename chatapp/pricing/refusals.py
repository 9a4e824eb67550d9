"""Which segments of a refused or fallen-back turn are not billed: a rule that changed with time."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, zip_longest
from typing import Any

from chatapp.pricing.segments import Segment
from chatapp.pricing.usage import UsageError

# The categories the API names today; null stands for none of them.
CATEGORIES = frozenset({"cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms"})

Attempt = list[int]  # indexes of the segments of one try at the answer


def unbilled(
    segments: Sequence[Segment],
    response: Mapping[str, Any] | None,
    *,
    billed: frozenset[str] | None,
    canonical: Callable[[str], str | None],
) -> tuple[frozenset[int], tuple[str, ...]]:
    """Indexes of the segments that are not billed, and flags.

    `billed` are the categories whose refusals before any output are billed; None: all are. Each
    hop of a fallback turn was refused for its fallback block's category, the last attempt for
    stop_details' when the turn ended in a refusal. An attempt with output is always billed.
    """
    if response is not None and not isinstance(response, Mapping):
        raise UsageError("response is not an object")
    response = response or {}
    hop_categories = _hop_categories(response)
    attempts = _attempts(segments, canonical, fell_back=bool(hop_categories))
    hops = attempts[:-1]
    declined = list(zip_longest(hops, hop_categories[: len(hops)]))
    if attempts and response.get("stop_reason") == "refusal":
        declined.append((attempts[-1], _category(response.get("stop_details"))))
    free: set[int] = set()
    flags = ["fallback_hops_not_in_usage"] if len(hop_categories) > len(hops) else []
    for attempt, category in declined:
        if billed is None or category in billed or any(segments[i].tokens.output for i in attempt):
            continue
        free.update(attempt)
        flags.append("unbilled_refusal")
        if billed and category not in CATEGORIES:
            flags.append("refusal_category_unknown_or_null")
    return frozenset(free), tuple(flags)


def _attempts(
    segments: Sequence[Segment], canonical: Callable[[str], str | None], *, fell_back: bool
) -> list[Attempt]:
    """Of a fallback turn, the runs of entries of one model; any other turn is one attempt."""

    def model(index: int) -> str:
        return canonical(segments[index].model) or segments[index].model

    tries = [index for index, segment in enumerate(segments) if segment.is_attempt]
    # Another model alone is no refusal: without a sign of one, its tokens are billed.
    if not fell_back and all(segment.type != "fallback_message" for segment in segments):
        return [tries] if tries else []
    return [list(run) for _, run in groupby(tries, key=model)]


def _hop_categories(response: Mapping[str, Any]) -> list[str | None]:
    content = response.get("content")
    return [
        _category(block.get("trigger"))
        for block in (content if isinstance(content, list) else [])
        if isinstance(block, Mapping) and block.get("type") == "fallback"
    ]


def _category(details: object) -> str | None:
    category = details.get("category") if isinstance(details, Mapping) else None
    return category if isinstance(category, str) else None
