"""System checks: prompts and the key go to Anthropic over TLS, or nowhere but this machine."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, Tags, register

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@register(Tags.security)
def address_is_private(**kwargs: Any) -> list[Error]:
    """claude.E001: the address must be https, or http to this machine."""
    url = urlsplit(settings.ANTHROPIC_BASE_URL)
    if url.hostname and (
        url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK)
    ):
        return []
    return [
        Error(
            "ANTHROPIC_BASE_URL must begin with https://, or be an http:// address of this machine.",
            hint="The default is https://api.anthropic.com.",
            id="claude.E001",
        )
    ]
