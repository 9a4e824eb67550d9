"""Mail to people, sent beside the request: how long it takes tells nobody who exists."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

log = logging.getLogger(__name__)
_postman = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")
# These print or drop it: nobody would get the link.
SILENT = ("console", "dummy")


def configured() -> bool:
    """Whether EMAIL_URL names a server that delivers."""
    return settings.EMAIL_BACKEND.split(".")[-2] not in SILENT


def send_soon(
    to: str, subject_template: str, body_template: str, context: dict[str, Any]
) -> Future[None]:
    """Render now, send from the mail thread; a failure is logged, without the address or link."""
    subject = " ".join(render_to_string(subject_template, context).split())
    body = render_to_string(body_template, context)
    return _postman.submit(_send, EmailMessage(subject, body, to=[to]))


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except Exception:
        log.exception("A mail could not be sent; check EMAIL_URL")
