"""What a draft would cost, before it is sent: counted, priced, and checked against every limit."""

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from chatapp.accounts.models import User
from chatapp.chat.caching import cached_until
from chatapp.chat.draft import Ask, Draft
from chatapp.chat.holding import USEFUL, at_most, extras, fit
from chatapp.chat.models import Message
from chatapp.chat.models.generation import shortened
from chatapp.chat.prompts import MESSAGE_TOKENS, counted, parts, upper_bound
from chatapp.chat.refusals import Refused, unpriced
from chatapp.claude import client
from chatapp.claude.client import Prompt
from chatapp.claude.files import File
from chatapp.claude.meter import guess_tokens
from chatapp.ledger.models import Charge, State, Status
from chatapp.pricing.cost import affordable, ceiling, price
from chatapp.pricing.models import Model, price_book
from chatapp.pricing.words import usd

# From here on every model's prompts are cached; those of some from 1,024 tokens on.
CACHEABLE = 4_096  # tokens
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
    shortened: str
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
    if cached_until(last, model) is None:
        return 0
    return counted(last.usage, "cache_read_input", "cache_creation_input")


def guess(prompt: Prompt) -> int:
    """About how many tokens, when the count is not to be had."""
    return sum(map(_about, parts(prompt))) + MESSAGE_TOKENS


def _about(part: Any) -> int:
    match part:
        case str(text) | {"type": "text", "text": str(text)}:
            return guess_tokens(text)
        case File():
            return part.about_tokens
    return guess_tokens(json.dumps(part))


def quote(user: User, prompt: Prompt, tokens: int, cached: int, *, approximate: bool) -> Quote:
    """Price the draft as it would be priced now, and say what stands in its way, if anything."""
    model = Model.objects.get(id=prompt.model)
    cached = min(cached, tokens)
    usage = _usage(prompt, tokens, cached)
    cost = price(price_book(), model=model.id, at=timezone.now(), usage=usage).amount_pusd
    verdict = _verdict(user, model, prompt, tokens)
    return Quote(
        tokens,
        cached,
        usd(cost),
        usd(verdict.most_pusd),
        approximate,
        verdict.blocked,
        verdict.shortened,
        verdict.level,
    )


def _usage(prompt: Prompt, tokens: int, cached: int) -> dict[str, Any]:
    """What the vendor would report before it writes a word."""
    kept = prompt.options.get("cache_ttl", "5m")
    fresh = tokens - cached
    # A conversation that is cached goes on to be.
    written = fresh if kept != "off" and (cached or tokens >= CACHEABLE) else 0
    return {
        "input_tokens": fresh - written,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": written,
        "cache_creation": {f"ephemeral_{kept}_input_tokens": written} if written else {},
        "output_tokens": 0,
        "speed": prompt.options.get("speed", "standard"),
    }


@dataclass(frozen=True)
class Verdict:
    """Why it may not be sent, or ""; how near a budget is (ok, amber, red); the hold in pico-USD."""

    most_pusd: int | None
    blocked: str = ""
    shortened: str = ""
    level: str = "ok"


def _verdict(user: User, model: Model, prompt: Prompt, tokens: int) -> Verdict:
    """What `hold` would say of a prompt with so many tokens."""
    held = min(upper_bound(prompt), at_most(tokens))
    call = {"model": model.id, "at": timezone.now(), **extras(prompt, model, held)}
    most = ceiling(price_book(), max_tokens=prompt.max_tokens, **call)
    try:
        fit(prompt, model, tokens)
    except Refused as refused:
        return Verdict(most, refused.message, level="red")
    standings = Charge.objects.standings(user, source=client.source())
    if most is None:
        limited = any(standing.budget.hard for standing in standings)
        if limited or not settings.SEND_UNPRICED:
            return Verdict(None, unpriced(model).message, level="red")
        return Verdict(None, level="amber")
    short = [standing for standing in standings if standing.left_pusd < most]
    near = short or any(standing.percent >= AMBER for standing in standings)
    hard = [standing for standing in short if standing.budget.hard]
    if not hard:
        return Verdict(most, level="amber" if near else "ok")
    budget = min(hard, key=lambda standing: standing.left_pusd)
    fits = affordable(
        price_book(), room_pusd=budget.left_pusd, max_tokens=prompt.max_tokens, **call
    )
    if fits < USEFUL:
        return Verdict(most, budget.refusal(most), level="red")
    shorter = ceiling(price_book(), max_tokens=fits, **call)
    return Verdict(shorter, "", shortened(fits, budget.whose), "amber")
