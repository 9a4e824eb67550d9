"""What can go wrong between us and Anthropic, in words for people: what happened, the money, what to do."""

from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as noop

from chatapp.web.numbers import number


@dataclass(frozen=True)
class Kind:
    """One way to fail. `retryable`: the same request may soon succeed, and failing cost nothing more."""

    happened: str
    advice: str
    retryable: bool = False


KINDS = {
    "bad_request": Kind(
        noop("Anthropic did not accept the request."),
        noop("Changing the message or the settings may help."),
    ),
    "billing": Kind(
        noop("Anthropic declined the request because of this account's billing."),
        noop("An admin needs to look at credit and payment in the Anthropic Console."),
    ),
    "connection_lost": Kind(noop("The connection to Claude broke."), noop("Try again.")),
    "forbidden": Kind(
        noop("This server's API key may not do this."),
        noop("An admin needs to check the key's permissions."),
    ),
    "idle_timeout": Kind(
        noop("Claude fell silent in the middle of the reply."), noop("Try again.")
    ),
    "images_too_large": Kind(
        noop("The images of this conversation are too large to be looked at together."),
        noop("Send fewer, or start a new conversation."),
    ),
    "malformed": Kind(noop("Part of the answer could not be understood."), noop("Try again.")),
    "model_missing": Kind(
        noop("Anthropic does not offer this model."), noop("Choose another model.")
    ),
    "no_answer": Kind(noop("Claude did not answer in time."), noop("Try again.")),
    "overloaded": Kind(
        noop("Claude has more work than it can do just now."),
        noop("Try again in a moment."),
        retryable=True,
    ),
    "prompt_too_long": Kind(
        noop("This conversation is longer than the model can read."),
        noop("Start a new conversation, or choose a model with a larger window."),
    ),
    "rate_limited": Kind(
        noop("Claude was asked too often in a short time."),
        noop("Try again a little later."),
        retryable=True,
    ),
    "spend_limit": Kind(
        noop("The spending limit of this Anthropic account is reached."),
        noop("An admin can raise it in the Anthropic Console."),
    ),
    "stream_ended_early": Kind(noop("The reply ended before it was complete."), noop("Try again.")),
    "total_timeout": Kind(
        noop("The reply took too long and was ended."), noop("Ask for a shorter one.")
    ),
    "unauthorized": Kind(
        noop("Anthropic does not accept this server's API key."),
        noop("An admin needs to check ANTHROPIC_API_KEY."),
    ),
    "unexpected_answer": Kind(
        noop("Something other than Anthropic answered."),
        noop("An admin needs to check ANTHROPIC_BASE_URL."),
    ),
    "unreachable": Kind(
        noop("Anthropic could not be reached."), noop("Try again in a moment."), retryable=True
    ),
    "vendor_error": Kind(
        noop("Something went wrong at Anthropic."), noop("Try again in a moment."), retryable=True
    ),
}


class Fault(Exception):
    """A call that failed. Holds no prompt, no key and nothing the vendor wrote but numbers.

    `message` is for people, `told` is how it is stored. `retryable`: asking again by itself is
    worth it, before any text was shown; `retry_after` (seconds) says when, if the vendor did.
    `unbilled`: it provably cost nothing, since the request never left or was refused with a status;
    else the meter knows what it may cost.
    """

    def __init__(
        self,
        code: str,
        *,
        unbilled: bool = False,
        started: bool = False,
        retry_after: float | None = None,
        http_status: int | None = None,
        request_id: str = "",
        vendor_type: str = "",
        retryable: bool = True,
        detail: str = "",
    ) -> None:
        kind = KINDS[code]
        money = (
            noop("Nothing was charged.")
            if unbilled
            else noop("What was written so far is charged.")
            if started
            else noop("It is not known whether it was charged.")
        )
        self.code = code
        self.told = "\n".join(filter(None, [kind.happened, detail, money, kind.advice]))
        self.retryable = kind.retryable and retryable
        self.retry_after = retry_after
        self.http_status = http_status
        self.request_id = request_id
        self.vendor_type = vendor_type
        self.unbilled = unbilled
        super().__init__(f"{code} (HTTP {http_status}, {vendor_type or '-'}, {request_id or '-'})")

    @property
    def message(self) -> str:
        return words(self.told)


def words(told: str) -> str:
    """What is stored a sentence a line, in the language of the moment."""
    return " ".join(_sentence(*line.split("\t")) for line in told.splitlines())


def _sentence(said: str, *numbers: str) -> str:
    """Its numbers stand behind it, each after a tab."""
    return gettext(said) % tuple(number(int(n)) for n in numbers) if numbers else gettext(said)
