"""The parameters of the Messages API that a prompt and its options become."""

from chatapp.claude.prompt import Options, Prompt

ASKED = [{"role": "user", "content": "secret"}]


def prompt(**options: object) -> Prompt:
    return Prompt("claude-opus-5", ASKED, max_tokens=9, options=Options(**options))  # type: ignore[typeddict-item]


def test_a_plain_one_is_cached_and_streamed() -> None:
    assert prompt().sent() == {
        "model": "claude-opus-5",
        "messages": ASKED,
        "max_tokens": 9,
        "stream": True,
        "cache_control": {"type": "ephemeral"},
    }
    assert prompt().counted() == {"model": "claude-opus-5", "messages": ASKED}


def test_options() -> None:
    sent = prompt(
        thinking="adaptive", effort="low", web_search=2, speed="fast", cache_ttl="1h"
    ).sent()
    assert sent["thinking"]["type"] == "adaptive"
    assert sent["output_config"] == {"effort": "low"}
    assert [(tool["name"], tool["max_uses"]) for tool in sent["tools"]] == [("web_search", 2)]
    assert (sent["speed"], sent["betas"]) == ("fast", ["fast-mode-2026-02-01"])
    assert sent["cache_control"]["ttl"] == "1h"
    assert prompt(thinking="disabled").sent()["thinking"] == {"type": "disabled"}


def test_uncached_with_a_system_prompt() -> None:
    sent = Prompt("claude-opus-5", ASKED, system="Be brief.", options={"cache_ttl": "off"}).sent()
    assert sent["system"] == "Be brief."
    assert "cache_control" not in sent


def test_its_words_stay_out_of_its_repr() -> None:
    assert "secret" not in repr(Prompt("claude-opus-5", ASKED, system="secret"))
