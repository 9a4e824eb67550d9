"""What stands above a chat: its cost, how full the model's context is, how long it stays cached."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum
from django.utils import timezone

from chatapp.chat import captions
from chatapp.chat.caching import cached_until
from chatapp.chat.models import Conversation, Message
from chatapp.chat.prompts import context_tokens
from chatapp.chat.wishes import Wishes
from chatapp.ledger.models import Charge, State
from chatapp.pricing.book import Tier
from chatapp.pricing.models import Model, price_book

WARN = 80  # percent of the context window
# About what a summary takes, in tokens, and what a short message and its reply do.
SUMMARY = 1_500
MESSAGE = 400


@dataclass(frozen=True)
class Figures:
    """Money in pico-USD, None where nothing is known. `tokens` fill `percent` of `window`.

    `model` is the chat's, which alone may have it all cached.
    """

    all_pusd: int | None = None
    branch_pusd: int | None = None
    tokens: int = 0
    window: int = 0
    model: str = ""
    cached_until: datetime | None = None
    # What a next message costs here, what a summary would, and a message after it.
    next_pusd: int | None = None
    summary_pusd: int | None = None
    fresh_pusd: int | None = None

    @property
    def percent(self) -> int:
        return min(100 * self.tokens // self.window, 100) if self.window else 0

    @property
    def full(self) -> bool:
        return self.percent >= WARN

    @property
    def branches(self) -> bool:
        """Whether other branches have cost something, too."""
        return self.all_pusd is not None and self.all_pusd != self.branch_pusd


def figures(conversation: Conversation, path: list[Message]) -> Figures:
    """Of the branch that is shown, whose messages know their calls."""
    calls = [call for message in path for call in message.calls]
    spent = captions.pusd(calls)
    last = next((call for call in reversed(calls) if call.state == State.CAPTURED), None)
    model = Model.objects.filter(id=conversation.model).first()
    if last is None or model is None:
        return Figures(spent_on(conversation), spent)
    tokens = context_tokens(last.usage)
    until = cached_until(last, model.id)
    speed = Wishes.of(conversation.options).options(model).get("speed", "standard")
    version = price_book().version(model.id, speed, timezone.now())
    costs = _costs(version.tier(tokens), tokens, cached=until is not None) if version else {}
    return Figures(
        spent_on(conversation), spent, tokens, model.context_window, model.id, until, **costs
    )


def spent_on(conversation: Conversation) -> int | None:
    """What all its calls cost so far; those of unknown price are left out."""
    charges = Charge.objects.captured().filter(conversation=conversation.id)
    total: int | None = charges.aggregate(total=Sum("amount_pusd"))["total"]
    return total


def _costs(tier: Tier, tokens: int, *, cached: bool) -> dict[str, int]:
    read = tokens * (tier.cache_read if cached else tier.input)
    return {
        "next_pusd": read + MESSAGE * (tier.input + tier.output),
        "summary_pusd": read + SUMMARY * tier.output,
        "fresh_pusd": (SUMMARY + MESSAGE) * tier.input + MESSAGE * tier.output,
    }
