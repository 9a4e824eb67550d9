"""The stamp of the price book: whatever changes a row of it makes a new edition."""

import uuid
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone


class Edition(models.Model):
    """The stamp of the book as it stands; every change gives it a new one, so caches can tell."""

    stamp = models.UUIDField(default=uuid.uuid4)

    def __str__(self) -> str:
        return str(self.stamp)

    @staticmethod
    def stamp_now() -> object:
        """To be compared only, as the database returns it; None before the first edition.

        Each send asks several times, so it is asked in SQL.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT stamp FROM pricing_edition WHERE id = 1")
            row = cursor.fetchone()
        return row and row[0]

    @classmethod
    def renew(cls) -> None:
        if not cls.objects.filter(pk=1).update(stamp=uuid.uuid4()):
            cls.objects.get_or_create(pk=1)


class BookEntry(models.Model):
    """A row of the price book: whoever saves it makes a new edition, in one transaction."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            Edition.renew()


class Recorded(BookEntry):
    """A row of the book that is written once: neither saved again nor deleted."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("A recorded price is never changed: record another version.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("A recorded price is never deleted.")


class Signed(Recorded):
    """One that says when it was recorded, and by whom."""

    recorded_at = models.DateTimeField(default=timezone.now, editable=False)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        abstract = True
