"""What is asked of the model, and the Messages API's parameters for it."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

THINKING = {
    "adaptive": {"type": "adaptive", "display": "summarized"},
    "off": {"type": "disabled"},
}


class Options(TypedDict, total=False):
    """What a conversation may switch on. `web_search` is the most searches one reply may make."""

    thinking: Literal["adaptive", "off"]
    effort: Literal["low", "medium", "high", "xhigh", "max"]
    web_search: int
    speed: Literal["standard", "fast"]
    cache_ttl: Literal["5m", "1h"]


@dataclass(frozen=True)
class Prompt:
    """One request. Its words stay out of its repr, and so out of logs and error reports."""

    model: str
    messages: list[dict[str, Any]] = field(repr=False)
    system: str = field(default="", repr=False)
    max_tokens: int = 4096
    cache: bool = True
    options: Options = field(default_factory=Options)

    def counted(self) -> dict[str, Any]:
        """The parameters that make its tokens, as count_tokens takes them."""
        parameters: dict[str, Any] = {"model": self.model, "messages": self.messages}
        if self.system:
            parameters["system"] = self.system
        if thinking := self.options.get("thinking"):
            parameters["thinking"] = THINKING[thinking]
        if effort := self.options.get("effort"):
            parameters["output_config"] = {"effort": effort}
        if searches := self.options.get("web_search"):
            search = {"type": "web_search_20250305", "name": "web_search", "max_uses": searches}
            parameters["tools"] = [search]
        return parameters

    def sent(self) -> dict[str, Any]:
        """The parameters of a streamed reply."""
        parameters = {**self.counted(), "max_tokens": self.max_tokens, "stream": True}
        if self.cache:
            parameters["cache_control"] = {"type": "ephemeral"}
            if self.options.get("cache_ttl") == "1h":
                parameters["cache_control"]["ttl"] = "1h"
        if self.options.get("speed") == "fast":
            parameters |= {"speed": "fast", "betas": ["fast-mode-2026-02-01"]}
        return parameters
