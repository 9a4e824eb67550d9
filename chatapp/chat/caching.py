"""The vendor's prompt cache: until when it has what was said, and why it had not."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chatapp.chat.prompts import counted
from chatapp.ledger.models import Charge
from chatapp.web.numbers import number


def cached_until(call: Charge, model: str) -> datetime | None:
    """When the vendor forgets what this call left in its cache; None when there is nothing now."""
    if call.model != model or not _used(call):
        return None
    until = call.authorized_at + _kept(call)
    return until if until > timezone.now() else None


def missed(call: Charge, before: Charge | None) -> str:
    """Why this call read nothing of what the one before it had left; "" when it did, or need not."""
    if before is None or not _used(before):
        return ""
    if counted(call.usage, "cache_read_input") or not counted(call.usage, "cache_creation_input"):
        return ""
    if call.model != before.model:
        return _("cache missed: each model has its own")
    waited = call.authorized_at - before.authorized_at
    if waited > _kept(before):
        minutes = round(waited.total_seconds() / 60)
        words = ngettext(
            "cache missed: %(minutes)s minute had passed",
            "cache missed: %(minutes)s minutes had passed",
            minutes,
        )
        return words % {"minutes": number(minutes)}
    return _("cache missed: a setting or an earlier message had changed")


def _used(call: Charge) -> bool:
    """Whether the vendor has something of this call."""
    return counted(call.usage, "cache_creation_input", "cache_read_input") > 0


def _kept(call: Charge) -> timedelta:
    split = (call.usage or {}).get("cache_creation")
    return timedelta(hours=1) if counted(split, "ephemeral_1h_input") else timedelta(minutes=5)
