"""From what the SDK, the transport and the vendor say to one Fault."""

import asyncio
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_noop as noop

from chatapp.claude.errors import Fault

if TYPE_CHECKING:
    from httpx2 import Response

BY_TYPE = {
    "api_error": "vendor_error",
    "authentication_error": "unauthorized",
    "billing_error": "billing",
    "conflict_error": "vendor_error",
    "invalid_request_error": "bad_request",
    "not_found_error": "model_missing",
    "overloaded_error": "overloaded",
    "permission_error": "forbidden",
    "rate_limit_error": "rate_limited",
    "request_too_large": "prompt_too_long",
    "timeout_error": "vendor_error",
}
BY_STATUS = {
    401: "unauthorized",
    402: "billing",
    403: "forbidden",
    408: "vendor_error",
    409: "vendor_error",
    413: "prompt_too_long",
    429: "rate_limited",
    529: "overloaded",
}
# The vendor gives these no type of their own (pricing/spec section 7).
BY_PHRASE = {
    "credit balance is too low": "billing",
    "specified api usage limits": "spend_limit",
    "prompt is too long": "prompt_too_long",
    "exceed context limit": "prompt_too_long",
    "image dimensions exceed": "images_too_large",
}
REFUSAL_TIMEOUT = 3.0  # seconds, for the body of an error
LONGEST_WAIT = 366 * 24 * 3600.0  # seconds; some say milliseconds, or a moment in time
TOO_LONG = re.compile(r"(\d+) tokens > (\d+)")
TOKENS = noop("It has %s tokens of %s.")


def translated(
    error: BaseException, *, unbilled: bool = False, started: bool = False, request_id: str = ""
) -> Fault | None:
    """What the SDK, the transport or a parser raised, or None for what is not about the call."""
    import aiohttp
    import anthropic
    import httpx2

    match error:
        case Fault():
            return error
        case anthropic.APIConnectionError(__cause__=Fault() as fault):
            return fault
        case anthropic.APIStatusError():
            return refused(error.status_code, error.body, error.response.headers)
        case anthropic.APIConnectionError() if never_left(error):
            return Fault("unreachable", unbilled=True)
        case TimeoutError() | anthropic.APITimeoutError():
            code = "no_answer"
        case anthropic.APIConnectionError():
            code = "connection_lost"
        case anthropic.AnthropicError():
            code = "unexpected_answer"
        case ValueError() | RecursionError():
            code = "malformed"
        case httpx2.HTTPError() | httpx2.StreamError() | aiohttp.ClientError() | OSError():
            code = "connection_lost"
        case _:
            return None
    return Fault(code, unbilled=unbilled, started=started, request_id=request_id)


def never_left(error: BaseException | None) -> bool:
    """No connection was made, so that nothing was sent. The transport names even resets ConnectError."""
    from aiohttp import ClientConnectorError, ConnectionTimeoutError, InvalidURL

    while error:
        if isinstance(error, (ClientConnectorError, ConnectionTimeoutError, InvalidURL)):
            return True
        error = error.__cause__
    return False


def refused(status: int, body: object, headers: Mapping[str, str]) -> Fault:
    """The fault of an answer with an error status, which Anthropic never bills (section 5)."""
    kind, message, reason = described(body)
    numbers = TOO_LONG.search(message)
    return Fault(
        code_of(status, kind, message, reason),
        unbilled=True,
        retry_after=seconds(headers.get("retry-after", "")),
        http_status=status,
        request_id=headers.get("request-id", ""),
        vendor_type=kind,
        retryable=headers.get("x-should-retry") != "false",
        detail="\t".join([TOKENS, *numbers.groups()]) if numbers else "",
    )


async def read_refusal(response: "Response") -> None:
    """For every answer: an error's body may break off, and its status still says that it is free."""
    import aiohttp
    import httpx2

    if response.status_code < 400:
        return
    try:
        async with asyncio.timeout(REFUSAL_TIMEOUT):
            await response.aread()
        return
    except (TimeoutError, OSError, httpx2.HTTPError, httpx2.StreamError, aiohttp.ClientError):
        fault = refused(response.status_code, None, response.headers)
    raise fault


def failed_midway(event: object, *, started: bool, request_id: str) -> Fault:
    """The fault of an `error` event in a stream whose status said 200."""
    kind, message, reason = described(event)
    return Fault(
        code_of(200, kind, message, reason),
        unbilled=not started,
        started=started,
        http_status=200,
        request_id=request_id,
        vendor_type=kind,
    )


def described(body: object) -> tuple[str, str, str]:
    """Type, message and details.error_code of an error body; "" for what it lacks."""
    match body:
        case {"error": {"details": {"error_code": str(reason)}, **error}}:
            return *_texts(error), reason
        case {"error": {**error}}:
            return *_texts(error), ""
    return "", "", ""


def _texts(error: Mapping[Any, Any]) -> tuple[str, str]:
    kind, message = error.get("type"), error.get("message")
    return kind if isinstance(kind, str) else "", message if isinstance(message, str) else ""


def code_of(status: int, kind: str, message: str, reason: str) -> str:
    """The most telling first: the reason, the vendor's phrases, the type, the status."""
    if reason == "enforced_spend_limit_reached":
        return "spend_limit"
    for phrase, code in BY_PHRASE.items():
        if phrase in message.lower():
            return code
    if kind in BY_TYPE:
        return BY_TYPE[kind]
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status >= 500 or status == 200:
        return "vendor_error"
    # An error without a type is not Anthropic's; neither is a redirect.
    return "bad_request" if kind else "unexpected_answer"


def seconds(retry_after: str) -> float | None:
    """Seconds of a retry-after header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    try:
        wait = float(retry_after)
    except ValueError:
        try:
            then = parsedate_to_datetime(retry_after)
            then = then if then.tzinfo else then.replace(tzinfo=UTC)
            wait = (then - datetime.now(UTC)).total_seconds()
        except (ValueError, OverflowError):
            return None
    return min(max(wait, 0.0), LONGEST_WAIT) if math.isfinite(wait) else None
