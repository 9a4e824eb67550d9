"""Searches told between the thoughts, citations as numbered links, and blocks kept as they came."""

from typing import Any

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from chatapp.chat.captions import worded
from chatapp.chat.markdown import render
from chatapp.claude.content import Content
from chatapp.claude.meter import REDACTED, Meter
from chatapp.claude.sources import asked, found
from tests.vendor_script import Script

BODY = {"model": "claude-haiku-4-5", "max_tokens": 1000, "messages": []}


def heard(meter: Meter, events: list[Any]) -> dict[str, str]:
    words = {"start": "", "text": "", "thinking": ""}
    for event in events:
        if piece := meter.hear(event):
            words[piece[0]] += piece[1]
    return words


def searched(**faults: str) -> dict[str, str]:
    return heard(Meter(), list(Script(BODY, {"web_search": "1", "words": "1", **faults}).events()))


def test_a_search_is_told_and_its_page_is_linked() -> None:
    words = searched()
    assert words["thinking"] == ("Searched the web for “question 0”\n- Result 0 (example.com)")
    assert words["text"] == "As found.[\\[1\\]](<https://example.com/0>) w0 "
    html = render(words["text"])
    assert 'href="https://example.com/0"' in html
    assert ">[1]</a>" in html


def test_what_is_stored_in_english_is_shown_in_the_readers_language() -> None:
    stored = searched()["thinking"] + "\nHm, “so”.\nThe search was not available.\n"
    assert worded(stored) == stored
    with override("de"):
        assert worded(stored).splitlines() == [
            "Im Web gesucht nach „question 0“",
            "- Result 0 (example.com)",
            "Hm, “so”.",
            "Die Suche war nicht verfügbar.",
        ]


def test_one_page_has_one_number() -> None:
    words = searched(web_search="3", citations="https://example.com/a")
    assert words["text"].count("[\\[1\\]](<https://example.com/a>)") == 3


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//host/x", "file:///etc/passwd", "http://["]
)
def test_what_is_no_web_address_is_no_link(url: str) -> None:
    words = searched(citations=url)
    assert "](" not in words["text"]
    assert url not in words["thinking"]


@given(st.text(max_size=40))
def test_no_address_leaves_its_link(path: str) -> None:
    url = f"https://example.com/{path}"
    text = heard(Meter(), list(Script(BODY, {"web_search": "1", "citations": url}).events()))[
        "text"
    ]
    html = render(text)
    assert html.count("<a ") == html.count("https://example.com/") == 1
    assert "<script" not in html


def test_numbers_go_on_after_a_pause() -> None:
    cited = {"type": "web_search_result_location", "url": "https://example.com/first"}
    before = [{"type": "text", "text": "So.", "citations": [cited]}]
    words = heard(Meter(before), list(Script(BODY, {"web_search": "1"}).events()))
    assert words["text"].startswith("\n\nAs found.[\\[2\\]](<https://example.com/0>)")


def test_hidden_thinking_is_said_to_be_hidden() -> None:
    block = {"type": "redacted_thinking", "data": "c2VjcmV0"}
    meter = Meter()
    meter.hear({"type": "message_start", "message": {"usage": {}}})
    piece = meter.hear({"type": "content_block_start", "index": 0, "content_block": block})
    assert piece == ("thinking", REDACTED)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"type": "web_search_tool_result_error", "error_code": "unavailable"}, "not available"),
        ({"error_code": "novel"}, "failed"),
        ([{"title": "A\nB", "url": "https://a.example/x"}, {"url": 1}, "?"], "- A B (a.example)"),
        (None, ""),
    ],
)
def test_what_was_found(content: Any, words: str) -> None:
    assert words in found(content)


@pytest.mark.parametrize("query", ["", "{", "[]", '{"q": 1}', "[" * 9_000])
def test_a_query_that_cannot_be_read(query: str) -> None:
    assert asked(query) == "Searched the web"


def test_blocks_are_kept_as_they_came() -> None:
    content = Content()
    for event in Script(BODY, {"web_search": "1", "thinking": "", "words": "2"}).events():
        content.hear(event)
    kinds = [block["type"] for block in content.blocks]
    assert kinds == ["thinking", "server_tool_use", "web_search_tool_result", "text", "text"]
    thinking, use, result, text, _ = content.blocks
    assert (thinking["thinking"], thinking["signature"]) == (
        "Let me think about this.",
        "c2lnbmF0dXJl",
    )
    assert use["input"] == {"query": "question 0"}
    assert result["content"][0]["encrypted_content"] == "eA=="
    assert text["citations"][0]["encrypted_index"] == "eA=="
