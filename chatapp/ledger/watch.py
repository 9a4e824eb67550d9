"""Beside the server: looks for budgets that reached a mark, and sends what is to be told."""

import asyncio
import contextlib
import logging
import random
from datetime import timedelta
from email.utils import formatdate
from typing import Any

from django.core.mail import EmailMessage
from django.utils import timezone

from chatapp.ledger import webhook
from chatapp.ledger.alerts import Alert
from chatapp.ledger.marks import BudgetMark, reach_back
from chatapp.web.database import db

EVERY = 5.0  # seconds
AT_START = timedelta(days=1)
SOME = 20  # alerts at a time

logger = logging.getLogger(__name__)


class Watch:
    """Every process has one. They share nothing but the database: each mark and try has one owner."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._back = AT_START

    async def start(self, **kwargs: Any) -> None:
        self._task = asyncio.create_task(self._forever())

    async def close(self, **kwargs: Any) -> None:
        task, self._task = self._task, None
        if task:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def look(self) -> None:
        await db(BudgetMark.objects.look, timezone.now() - self._back)
        self._back = reach_back()
        await send_due()

    async def _forever(self) -> None:
        while True:
            await asyncio.sleep(EVERY * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
            try:
                await self.look()
            except Exception as fault:
                logger.warning("budgets could not be looked at: %s", type(fault).__name__)


async def send_due() -> None:
    """Send what is due and not being sent by another process."""
    for alert in await db(_due):
        if await db(alert.claim):
            trouble = await _send(alert)
            await db(alert.settle, trouble)
            if trouble:
                logger.warning("%s %s was not delivered: %s", alert.channel, alert.uuid, trouble)


def _due() -> list[Alert]:
    return list(Alert.objects.due()[:SOME])


async def _send(alert: Alert) -> str:
    if alert.channel == Alert.Channel.WEBHOOK:
        return await webhook.post(alert.address, str(alert.uuid), alert.text)
    try:
        await asyncio.to_thread(message(alert).send)
    except Exception as error:
        # The class alone: an SMTP error repeats addresses.
        return type(error).__name__
    return ""


def message(alert: Alert) -> EmailMessage:
    """The mail; its Message-ID stays the same, so that mailboxes drop a repetition."""
    headers = {
        "Message-ID": f"<{alert.uuid}@chatapp>",
        "Date": formatdate(alert.written_at.timestamp()),
        "Auto-Submitted": "auto-generated",
    }
    return EmailMessage(alert.subject, alert.text, to=[alert.address], headers=headers)


watch = Watch()
