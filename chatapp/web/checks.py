"""System checks: a setting that would hurt is said at the start, with an id and what to do."""

import zoneinfo
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.http.request import validate_host

from chatapp.settings import LOOPBACK


def is_local(host: str | None) -> bool:
    return host in LOOPBACK


@register
def addresses(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """The address people type must be one we answer to, and safe to send passwords to."""
    public = urlsplit(settings.PUBLIC_URL)
    if public.scheme not in ("http", "https") or not public.hostname or public.path:
        yield Error(
            f"PUBLIC_URL={settings.PUBLIC_URL} is not an address like https://chat.example.com.",
            id="chatapp.E001",
        )
        return
    hosts = settings.ALLOWED_HOSTS
    if not validate_host(
        f"[{public.hostname}]" if ":" in public.hostname else public.hostname, hosts
    ):
        yield Error(
            f"PUBLIC_URL's host {public.hostname} is not in ALLOWED_HOSTS.",
            hint=f"Set ALLOWED_HOSTS={','.join([*hosts, public.hostname])}",
            id="chatapp.E002",
        )
    if public.hostname in ("0.0.0.0", "::"):  # noqa: S104 - looked for, not listened on
        yield Error(
            "PUBLIC_URL names no address a browser could open.",
            hint="Set PUBLIC_URL to what people type, or HOST=127.0.0.1.",
            id="chatapp.E003",
        )
    if settings.PRODUCTION and public.scheme != "https":
        yield Error("PRODUCTION=1 needs a PUBLIC_URL with https.", id="chatapp.E004")
    if settings.PRODUCTION and "*" in hosts:
        yield Error("PRODUCTION=1 does not allow ALLOWED_HOSTS=*.", id="chatapp.E005")
    if not settings.PRODUCTION and not is_local(public.hostname):
        yield Warning(
            "The address is not this machine's, and PRODUCTION is not set.",
            hint="Set PRODUCTION=1, so that cookies and redirects insist on https.",
            id="chatapp.W001",
        )


@register
def debugging(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """DEBUG shows source, settings and data to whoever meets an error."""
    hosts = {urlsplit(settings.PUBLIC_URL).hostname, settings.HOST, *settings.ALLOWED_HOSTS}
    if settings.DEBUG and (
        settings.PRODUCTION or not all(is_local(host.strip("[]")) for host in hosts if host)
    ):
        yield Error(
            "DEBUG=1 is for this machine alone.",
            hint="Unset DEBUG, or keep HOST, PUBLIC_URL and ALLOWED_HOSTS to 127.0.0.1 and localhost.",
            id="chatapp.E006",
        )


@register
def vendor(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """Prompts and the key go to this address: over TLS, or not off this machine."""
    url = urlsplit(settings.ANTHROPIC_BASE_URL)
    if url.scheme != "https" and not (url.scheme == "http" and is_local(url.hostname)):
        yield Error(
            f"ANTHROPIC_BASE_URL={settings.ANTHROPIC_BASE_URL} is neither https nor this machine.",
            id="chatapp.E007",
        )


@register
def time_zone(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    if settings.TIME_ZONE not in zoneinfo.available_timezones():
        yield Error(
            f"TIME_ZONE={settings.TIME_ZONE} is not known.",
            hint="Use a name like Europe/Berlin.",
            id="chatapp.E008",
        )


@register
def several_processes(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """Redis is there for several processes; SQLite is one file of one machine."""
    sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if sqlite and settings.REDIS_URL:
        yield Warning(
            "REDIS_URL joins several processes, but the database is a SQLite file.",
            hint="Set DATABASE_URL=postgres://… before starting a second process.",
            id="chatapp.W002",
        )
    if not sqlite and not settings.REDIS_URL:
        yield Warning(
            "PostgreSQL without REDIS_URL: right for one process only.",
            hint="With several processes, live text reaches other processes only through Redis.",
            id="chatapp.W003",
        )
