"""A reply that was refused for a time: from when asking again may succeed, in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Self

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Wait:
    """`seconds` from now; `after` is that moment, rounded up to the minute that people read."""

    seconds: int
    after: datetime

    @classmethod
    def until(cls, moment: datetime | None) -> Self | None:
        """None when there is nothing to wait for, or no longer."""
        now = timezone.now()
        if moment is None or moment <= now:
            return None
        minute = moment.replace(second=0, microsecond=0)
        after = minute if minute == moment else minute + timedelta(minutes=1)
        return cls(ceil((moment - now).total_seconds()), after)

    @property
    def words(self) -> str:
        """In the server's zone, which they name; waiting.js says it in the reader's."""
        local = timezone.localtime(self.after)
        time = date_format(local, "H:i T")
        if local.date() != timezone.localdate():
            time = f"{date_format(local, _('j M Y'))}, {time}"
        return _("Try again after %(time)s.") % {"time": time}
