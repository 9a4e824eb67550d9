"""One signed POST to the address the operator named, and to no other: no redirects, no proxies."""

import base64
import hashlib
import hmac
import ipaddress
import socket
import time
from contextlib import suppress
from typing import Any

from django.conf import settings

TIMEOUT = 10.0  # seconds, for the whole exchange
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(OSError):
    """The address is one of a private network, which a webhook may not reach."""


def signature(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """As Standard Webhooks 1.0 signs: HMAC-SHA256 over id, time and body."""
    prefix, _, encoded = secret.partition("_")
    key = base64.b64decode(encoded) if prefix == "whsec" else secret.encode()
    signed = f"{id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


async def post(url: str, id: str, text: str) -> str:
    """Deliver, and say what went wrong: "" after an answer of 2xx."""
    import aiohttp

    body, now = text.encode(), int(time.time())
    headers = {
        "content-type": "application/json",
        "user-agent": "chatapp-webhook",
        "webhook-id": id,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(settings.BUDGET_WEBHOOK_SECRET, id, now, body),
    }
    try:
        connector = aiohttp.TCPConnector(resolver=_resolver(), force_close=True)
        async with (
            aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT),
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session,
            session.post(refused(url), data=body, headers=headers, allow_redirects=False) as answer,
        ):
            return "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        return f"{type(error).__name__}: {_cause(error)}"


def refused(url: str) -> str:
    """The address itself; raises Forbidden when it names a private IP address outright."""
    from yarl import URL

    parsed = URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError("not an http address")
    with suppress(ValueError):  # a name: its addresses are checked when it is resolved
        check(parsed.host)
    return url


def check(address: str) -> None:
    """Raises Forbidden unless the IP address is a public one; ValueError when it is none at all."""
    ip: Any = ipaddress.ip_address(address.partition("%")[0])
    if settings.BUDGET_WEBHOOK_PRIVATE:
        return
    inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    translated = ip.version == 6 and (ip in NAT64 or ip.teredo)
    if translated or not (inner or ip).is_global or ip.is_multicast or (inner or ip).is_multicast:
        raise Forbidden(f"{address} is not a public address")


def _resolver() -> Any:
    """Looks a name up once and checks all that it means; the connection goes to just those."""
    from aiohttp.resolver import ThreadedResolver

    class Resolver(ThreadedResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> Any:
            found = await super().resolve(host, port, family)
            for one in found:
                check(one["host"])
            return found

    return Resolver()


def _cause(error: BaseException) -> str:
    """What is said of a failure: no more than the reason, and never the address' own secrets."""
    while error.__cause__:
        error = error.__cause__
    return str(error) if isinstance(error, (Forbidden, ValueError)) else type(error).__name__
