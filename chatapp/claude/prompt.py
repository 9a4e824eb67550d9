"""What is asked of the model, and the Messages API's parameters for it."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypedDict

from chatapp.claude.files import File

LEAST_THINKING = 1024  # tokens: the API refuses smaller budgets


class Options(TypedDict, total=False):
    """What a request switches on; what is not there is as the model does it by itself.

    `thinking` is the API's type. `web_search` is the most searches one request may make.
    """

    thinking: Literal["adaptive", "enabled", "disabled", "between_tools"]
    effort: Literal["low", "medium", "high", "xhigh", "max"]
    web_search: int
    speed: Literal["standard", "fast"]
    cache_ttl: Literal["5m", "1h", "off"]


@dataclass(frozen=True)
class Prompt:
    """One request. Its words stay out of its repr, and so out of logs and error reports."""

    model: str
    messages: list[dict[str, Any]] = field(repr=False)
    system: str = field(default="", repr=False)
    max_tokens: int = 4096
    options: Options = field(default_factory=Options)

    @property
    def begun(self) -> list[Any]:
        """The content of a reply that was paused, and is to go on."""
        match self.messages:
            case [*_, {"role": "assistant", "content": [*content]}]:
                return content
        return []

    def going_on(self, content: list[Any], *, written: int, searches: int) -> "Prompt":
        """The request that continues a paused reply, with what is left of its tokens and searches."""
        said = [*self.begun, *content]
        asked = self.messages[: -1 if self.begun else None]
        options = {**self.options, "web_search": max(self.options["web_search"] - searches, 1)}
        return replace(
            self,
            messages=[*asked, {"role": "assistant", "content": said}],
            max_tokens=self.max_tokens - written,
            options=Options(**options),  # type: ignore[typeddict-item]
        )

    @property
    def has_files(self) -> bool:
        """Whether `counted` and `sent` read files, which is better done in a thread."""
        blocks = [turn["content"] for turn in self.messages if isinstance(turn["content"], list)]
        return any(isinstance(part, File) for content in blocks for part in content)

    def counted(self) -> dict[str, Any]:
        """The parameters that make its tokens, as count_tokens takes them. Reads its files."""
        messages = self.messages
        if self.has_files:
            messages = [{**turn, "content": _read(turn["content"])} for turn in messages]
        return {**self.outlined(), "messages": messages}

    def outlined(self) -> dict[str, Any]:
        """The same with its files by name."""
        parameters: dict[str, Any] = {"model": self.model, "messages": self.messages}
        if self.system:
            parameters["system"] = self.system
        if thinking := self._thinking():
            parameters["thinking"] = thinking
        if effort := self.options.get("effort"):
            parameters["output_config"] = {"effort": effort}
        if searches := self.options.get("web_search"):
            # Later versions run code over what is found, which costs money that no usage tells of.
            search = {"type": "web_search_20250305", "name": "web_search", "max_uses": searches}
            parameters["tools"] = [search]
        return parameters

    def sent(self) -> dict[str, Any]:
        """The parameters of a streamed reply."""
        parameters = {**self.counted(), "max_tokens": self.max_tokens, "stream": True}
        if (kept := self.options.get("cache_ttl", "5m")) != "off":
            ttl = {"ttl": "1h"} if kept == "1h" else {}
            parameters["cache_control"] = {"type": "ephemeral", **ttl}
        if self.options.get("speed") == "fast":
            parameters |= {"speed": "fast", "betas": ["fast-mode-2026-02-01"]}
        return parameters

    def _thinking(self) -> dict[str, Any] | None:
        """A budget is half of the longest reply: what is thought counts as written."""
        match self.options.get("thinking"):
            case "adaptive":
                return {"type": "adaptive", "display": "summarized"}
            case "enabled":
                budget = self.max_tokens // 2
                enough = budget >= LEAST_THINKING
                return {"type": "enabled", "budget_tokens": budget} if enough else None
            case str(kind):
                return {"type": kind}
        return None


def _read(content: Any) -> Any:
    if isinstance(content, str):
        return content
    return [part.block() if isinstance(part, File) else part for part in content]
