"""What a draft would cost, before it is sent: counted, priced, and checked against every limit."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from chatapp.accounts.models import User
from chatapp.chat.draft import Ask, Draft
from chatapp.chat.models import Message
from chatapp.chat.prompts import MESSAGE_TOKENS
from chatapp.chat.refusals import context_exceeded, unpriced
from chatapp.claude import client
from chatapp.claude.client import Prompt
from chatapp.claude.meter import guess_tokens
from chatapp.ledger.models import Charge, State, Status
from chatapp.pricing.cost import ceiling, price
from chatapp.pricing.models import Model, price_book
from chatapp.pricing.money import format_usd

# The vendor keeps a cached prompt this long after its last use.
CACHED_FOR = timedelta(minutes=5)
AMBER = 80  # percent of a budget


@dataclass(frozen=True)
class Quote:
    """Tokens of the prompt, how many of them are cached, and strings ready to be shown."""

    tokens: int
    cached: int
    price: str
    at_most: str
    approximate: bool
    blocked: str
    level: str


def draft_of(user: User, ask: Ask) -> tuple[Prompt, int]:
    """The prompt a draft would send, and how much of it the vendor has cached. Raises Refused."""
    draft = Draft.of(user, ask)
    return draft.prompt, _cached(draft.path, draft.prompt.model)


def _cached(path: list[Message], model: str) -> int:
    """What the last reply's call left in the vendor's cache, in tokens."""
    last = next((message.charge for message in reversed(path) if message.charge), None)
    if last is None or last.state != State.CAPTURED or last.status != Status.EXACT:
        return 0
    if last.model != model or last.authorized_at < timezone.now() - CACHED_FOR:
        return 0
    usage = last.usage or {}
    kept = [usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")]
    return sum(tokens for tokens in kept if isinstance(tokens, int))


def guess(prompt: Prompt) -> int:
    """About how many tokens, when the count is not to be had."""
    words = [prompt.system, *(turn["content"] for turn in prompt.messages)]
    return sum(guess_tokens(text) for text in words) + MESSAGE_TOKENS


def quote(user: User, prompt: Prompt, tokens: int, cached: int, *, approximate: bool) -> Quote:
    """Price the draft as it would be priced now, and say what stands in its way, if anything."""
    model = Model.objects.get(id=prompt.model)
    cached = min(cached, tokens)
    now = timezone.now()
    usage: dict[str, Any] = {
        "input_tokens": tokens - cached,
        "cache_read_input_tokens": cached,
        "output_tokens": 0,
    }
    cost = price(price_book(), model=model.id, at=now, usage=usage).amount_pusd
    most = ceiling(
        price_book(), model=model.id, at=now, prompt_tokens=tokens, max_tokens=prompt.max_tokens
    )
    blocked, level = _limits(user, model, prompt, tokens, most)
    return Quote(tokens, cached, format_usd(cost), format_usd(most), approximate, blocked, level)


def _limits(
    user: User, model: Model, prompt: Prompt, tokens: int, most: int | None
) -> tuple[str, str]:
    """Why it may not be sent, or ""; and how near a budget is: ok, amber or red."""
    if most is None:
        return unpriced(model).message, "red"
    if tokens + prompt.max_tokens > model.context_window:
        return context_exceeded(model, tokens, prompt.max_tokens).message, "red"
    standings = Charge.objects.standings(user, source=client.source())
    short = [standing for standing in standings if standing.left_pusd < most]
    for standing in short:
        if standing.budget.hard:
            return standing.refusal(most), "red"
    near = short or any(standing.percent >= AMBER for standing in standings)
    return "", "amber" if near else "ok"
