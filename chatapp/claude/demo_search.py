"""The stand-in's web search: one search with one page that everybody may cite."""

import json
from collections.abc import Iterator
from typing import Any

Event = dict[str, Any]

ID = "srvtoolu_demo"
PAGE = {"url": "https://example.com/", "title": "Example Domain"}
SAID = "A search would be told above, and what is cited is linked like this."


def wanted(tools: Any) -> bool:
    match tools:
        case [*listed]:
            return any(tool.get("name") == "web_search" for tool in listed if tool)
    return False


def blocks(question: str) -> Iterator[tuple[Event, list[Event]]]:
    """Each block with its deltas, as the API streams them."""
    query = json.dumps({"query": question[:80]})
    use = {"type": "server_tool_use", "id": ID, "name": "web_search", "input": {}}
    yield use, [{"type": "input_json_delta", "partial_json": query}]
    found: Event = {
        "type": "web_search_result",
        **PAGE,
        "page_age": None,
        "encrypted_content": "ZGVtbw==",
    }
    result: Event = {"type": "web_search_tool_result", "tool_use_id": ID, "content": [found]}
    yield result, []
    cited = {"type": "web_search_result_location", **PAGE}
    cited |= {"cited_text": "This domain is for use in examples.", "encrypted_index": "ZGVtbw=="}
    deltas: list[Event] = [
        {"type": "citations_delta", "citation": cited},
        {"type": "text_delta", "text": SAID},
    ]
    yield {"type": "text", "text": "", "citations": []}, deltas
