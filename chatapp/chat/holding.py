"""The money held for a reply before it is asked for; what a budget cannot pay whole is shortened."""

from dataclasses import replace
from typing import Any

from chatapp.chat.models import Generation
from chatapp.chat.prompts import counts, upper_bound
from chatapp.chat.refusals import CountNeeded, Refused, context_exceeded, unpriced
from chatapp.claude import client
from chatapp.claude.client import Prompt
from chatapp.ledger.models import BudgetExceeded, Charge, Purpose, Unpriced
from chatapp.pricing.cost import looped
from chatapp.pricing.models import Model, price_book

USEFUL = 256  # tokens: a reply cut shorter is not worth its prompt


def hold(generation: Generation, prompt: Prompt, *, attempt: int = 1) -> Charge:
    """Hold the worst case of this prompt in the ledger, for as long a reply as it can pay.

    A token is at least one byte: that bound needs no network and mostly fits. When it does not, the
    vendor's count decides, and then a first attempt may be shortened: the charge's max_tokens, and
    the generation's, is what may be asked for. Raises Refused, or CountNeeded.
    """
    model = Model.objects.get(id=price_book().resolve(prompt.model) or prompt.model)
    bound, exact = upper_bound(prompt), counts.get(prompt)
    try:
        fit(prompt, model, bound)
        return _hold(generation, prompt, model, bound, attempt)
    except (BudgetExceeded, Refused) as refusal:
        if isinstance(refusal, Refused) and refusal.code != "context_exceeded":
            raise
        if exact is None:
            raise CountNeeded(prompt) from refusal
    fit(prompt, model, exact)
    most = min(bound, at_most(exact))
    while True:
        try:
            return _hold(generation, prompt, model, most, attempt)
        except BudgetExceeded as fault:
            fits = fault.max_tokens_affordable or 0
            if attempt > 1 or fits < USEFUL:
                raise Refused("budget_exceeded", fault.message) from fault
            generation.shorten(fits, by=fault.whose)
            prompt = replace(prompt, max_tokens=fits)


def fit(prompt: Prompt, model: Model, tokens: int) -> None:
    """Raises Refused when a prompt of so many tokens, and its reply, are too long for the model."""
    if tokens + prompt.max_tokens > model.context_window:
        raise context_exceeded(model, tokens, prompt.max_tokens)


def at_most(counted: int) -> int:
    """The tokens a prompt may really have: the vendor calls its count an estimate."""
    return counted + -(-counted // 50) + 16


def extras(prompt: Prompt, model: Model, tokens: int) -> dict[str, Any]:
    """What the ceiling of this prompt depends on, beside its model and max_tokens."""
    searches = prompt.options.get("web_search", 0)
    return {
        "prompt_tokens": looped(
            tokens,
            web_searches=searches,
            max_tokens=prompt.max_tokens,
            window=model.context_window,
        ),
        "web_searches": searches,
        "speed": prompt.options.get("speed", "standard"),
        "cache_ttl": prompt.options.get("cache_ttl", "5m"),
    }


def _hold(
    generation: Generation, prompt: Prompt, model: Model, tokens: int, attempt: int
) -> Charge:
    conversation = generation.message.conversation
    try:
        return Charge.objects.authorize(
            user=generation.user,
            source=client.source(),
            purpose=Purpose.CHAT,
            model=prompt.model,
            max_tokens=prompt.max_tokens,
            reference=generation.id,
            attempt=attempt,
            conversation=conversation.id,
            project=conversation.project_id,
            **extras(prompt, model, tokens),
        )
    except Unpriced as fault:
        raise unpriced(model) from fault
