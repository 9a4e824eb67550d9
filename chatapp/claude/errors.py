"""What can go wrong between us and Anthropic, in words for people: what happened, the money, what to do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One way to fail. `retryable`: the same request may soon succeed, and failing cost nothing more."""

    happened: str
    advice: str
    retryable: bool = False


KINDS = {
    "bad_request": Kind(
        "Anthropic did not accept the request.", "Changing the message or the settings may help."
    ),
    "billing": Kind(
        "Anthropic declined the request because of this account's billing.",
        "An admin needs to look at credit and payment in the Anthropic Console.",
    ),
    "connection_lost": Kind("The connection to Claude broke.", "Try again."),
    "forbidden": Kind(
        "This server's API key may not do this.", "An admin needs to check the key's permissions."
    ),
    "idle_timeout": Kind("Claude fell silent in the middle of the reply.", "Try again."),
    "malformed": Kind("Part of the answer could not be understood.", "Try again."),
    "model_missing": Kind("Anthropic does not offer this model.", "Choose another model."),
    "no_answer": Kind("Claude did not answer in time.", "Try again."),
    "overloaded": Kind(
        "Claude has more work than it can do just now.", "Try again in a moment.", retryable=True
    ),
    "prompt_too_long": Kind(
        "This conversation is longer than the model can read.",
        "Start a new conversation, or choose a model with a larger window.",
    ),
    "rate_limited": Kind(
        "Claude was asked too often in a short time.", "Try again a little later.", retryable=True
    ),
    "spend_limit": Kind(
        "The spending limit of this Anthropic account is reached.",
        "An admin can raise it in the Anthropic Console.",
    ),
    "stream_ended_early": Kind("The reply ended before it was complete.", "Try again."),
    "total_timeout": Kind("The reply took too long and was ended.", "Ask for a shorter one."),
    "unauthorized": Kind(
        "Anthropic does not accept this server's API key.",
        "An admin needs to check ANTHROPIC_API_KEY.",
    ),
    "unexpected_answer": Kind(
        "Something other than Anthropic answered.", "An admin needs to check ANTHROPIC_BASE_URL."
    ),
    "unreachable": Kind(
        "Anthropic could not be reached.", "Try again in a moment.", retryable=True
    ),
    "vendor_error": Kind(
        "Something went wrong at Anthropic.", "Try again in a moment.", retryable=True
    ),
}


class Fault(Exception):
    """A call that failed. Holds no prompt, no key and nothing the vendor wrote but numbers.

    `message` is for people. `retryable`: asking again by itself is worth it, before any text was
    shown; `retry_after` (seconds) says when, if the vendor did. `unbilled`: it provably cost nothing,
    since the request never left or was refused with a status; else the meter knows what it may cost.
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
            "Nothing was charged."
            if unbilled
            else "What was written so far is charged."
            if started
            else "It is not known whether it was charged."
        )
        self.code = code
        self.message = " ".join(filter(None, [kind.happened, detail, money, kind.advice]))
        self.retryable = kind.retryable and retryable
        self.retry_after = retry_after
        self.http_status = http_status
        self.request_id = request_id
        self.vendor_type = vendor_type
        self.unbilled = unbilled
        super().__init__(f"{code} (HTTP {http_status}, {vendor_type or '-'}, {request_id or '-'})")
