"""The demonstration speaks the same wire, counts like it, caches like it and never passes for Claude."""

from pathlib import Path
from typing import Any

import pytest

from chatapp.claude import client
from chatapp.claude.demo_model import tokens
from chatapp.claude.demo_script import answer, library
from chatapp.claude.errors import Fault
from chatapp.claude.files import File
from chatapp.claude.prompt import Prompt
from chatapp.pricing.usage import Certainty, Metered


@pytest.fixture(autouse=True)
def _fast(settings: Any) -> None:
    settings.DEMO = True
    settings.DEMO_SPEED = 1000.0


def ask(*turns: str, **more: Any) -> Prompt:
    roles = ["user", "assistant"] * len(turns)
    messages = [{"role": r, "content": t} for r, t in zip(roles, turns, strict=False)]
    return Prompt(model="claude-haiku-4-5", messages=messages, **more)


async def hear(asked: Prompt) -> tuple[str, str, Metered]:
    said = {"start": "", "text": "", "thinking": ""}
    async with client.reply(asked) as reply:
        async for kind, piece in reply:
            said[kind] += piece
    return said["text"], said["thinking"], reply.meter.metered(asked.max_tokens)


async def test_answers_and_is_counted() -> None:
    text, thinking, metered = await hear(ask("Write a Python function, please"))
    assert text.startswith("> **Demonstration.**")
    assert "```python" in text
    assert "Write a Python function, please" in text
    assert thinking == ""
    assert metered.certainty == Certainty.EXACT
    assert metered.usage is not None
    assert metered.usage["output_tokens"] == tokens(text)
    assert metered.usage["input_tokens"] == await client.count_tokens(
        ask("Write a Python function, please")
    )
    assert client.source() == "demo"


@pytest.mark.parametrize("topic", sorted(library()))
def test_every_answer_quotes_the_question_as_plain_text(topic: str) -> None:
    keywords, _ = library()[topic]
    keyword = min(keywords, default="something else")
    told = answer(f"{keyword} <b>[x](javascript:1)</b> ![i](http://e.vil)")
    assert "<b>" not in told.text
    assert "](javascript" not in told.text
    assert "{{" not in told.text


async def test_files_are_counted_and_not_quoted(tmp_path: Path) -> None:
    bare = await client.count_tokens(ask("What is this?"))
    for kind, content, least in [
        ("image/png", b"not looked at", 1_500),
        ("application/pdf", b"%PDF-", 4_500),
        ("text/plain", b"quince " * 300, 300),
    ]:
        path = tmp_path / kind.replace("/", "-")
        path.write_bytes(content)
        file = File(path, kind, "a name", len(content))
        asked = Prompt(
            model="claude-haiku-4-5",
            messages=[
                {"role": "user", "content": [file, {"type": "text", "text": "What is this?"}]}
            ],
        )
        assert least <= await client.count_tokens(asked) - bare <= least + 100
        text, _, _ = await hear(asked)
        assert "What is this?" in text
        assert "quince" not in text


async def test_thinks_when_asked() -> None:
    _, thinking, metered = await hear(ask("Hello", options={"thinking": "adaptive"}))
    assert "Hello" in thinking
    assert metered.usage is not None
    assert metered.usage["output_tokens_details"]["thinking_tokens"] == tokens(thinking) > 0


async def test_obeys_max_tokens() -> None:
    text, _, metered = await hear(ask("Tell me a story", max_tokens=50))
    assert tokens(text) == 50
    assert metered.usage is not None
    assert metered.usage["output_tokens"] == 50
    assert metered.response["stop_reason"] == "max_tokens"


async def test_a_prompt_seen_before_is_read_from_the_cache() -> None:
    question = "Tell me a story " * 300
    _, _, first = await hear(ask(question))
    _, _, second = await hear(ask(question, "Once upon a time", "Go on"))
    assert first.usage is not None
    assert second.usage is not None
    written = first.usage["cache_creation_input_tokens"]
    assert written > 1000
    assert first.usage["cache_creation"] == {
        "ephemeral_5m_input_tokens": written,
        "ephemeral_1h_input_tokens": 0,
    }
    assert second.usage["cache_read_input_tokens"] == written
    assert second.usage["cache_creation_input_tokens"] > 0
    _, _, uncached = await hear(ask(question, options={"cache_ttl": "off"}))
    assert uncached.usage is not None
    assert uncached.usage["cache_read_input_tokens"] == 0


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (Prompt("gpt-9", [{"role": "user", "content": "x"}]), "model_missing"),
        (ask(" "), "bad_request"),
        (Prompt("claude-x", [{"role": "assistant", "content": "x"}]), "bad_request"),
        (Prompt("claude-x", []), "bad_request"),
        (ask("x", max_tokens=-1), "bad_request"),
        (ask("x." * 101_000), "prompt_too_long"),
    ],
)
async def test_refuses_what_the_api_refuses(asked: Prompt, code: str) -> None:
    with pytest.raises(Fault) as caught:
        await hear(asked)
    assert caught.value.code == code
    assert caught.value.request_id.startswith("req_demo_")


async def test_stop_sequence() -> None:
    messages = (await client.connection()).beta.messages
    events = await messages.create(
        model="claude-haiku-4-5",
        max_tokens=1000,
        messages=[{"role": "user", "content": "a table"}],
        stop_sequences=["Kestrel"],
        stream=True,
    )
    reasons = [e.delta.stop_reason async for e in events if e.type == "message_delta"]
    assert reasons == ["stop_sequence"]


async def test_a_search_is_told_cited_and_counted() -> None:
    text, thinking, metered = await hear(ask("What is new?", options={"web_search": 3}))
    assert "Searched the web for “What is new?”\n- Example Domain (example.com)" in thinking
    assert "[\\[1\\]](<https://example.com/>)" in text
    assert metered.usage
    assert metered.usage["server_tool_use"] == {"web_search_requests": 1}
