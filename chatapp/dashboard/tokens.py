"""Keys for programs that read the spend: shown once, stored as a digest, revoked with a click."""

import hashlib
import secrets
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from chatapp.accounts.models import User

PREFIX = "chatapp_"
SHOWN = len(PREFIX) + 6
# How exactly the last use is kept: not every request writes.
USE = timedelta(minutes=1)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def live(self) -> Self:
        return self.filter(revoked_at=None)

    def make(self, *, name: str, by: User) -> tuple["ApiToken", str]:
        """A new token, and its secret, which nobody can read again."""
        secret = PREFIX + secrets.token_urlsafe(32)
        token = self.create(name=name, made_by=by, prefix=secret[:SHOWN], digest=digest(secret))
        return token, secret

    def holder(self, secret: str) -> User | None:
        """Who made the live token with this secret, while they may see everybody's spend."""
        token = self.live().select_related("made_by").filter(digest=digest(secret)).first()
        if not token or not token.made_by.is_active:
            return None
        if not token.made_by.has_perm("ledger.view_spend"):
            return None
        now = timezone.now()
        unused = Q(used_at=None) | Q(used_at__lt=now - USE)
        self.filter(unused, pk=token.pk).update(used_at=now)
        return token.made_by


class ApiToken(models.Model):
    name = models.CharField(max_length=80, help_text="What it is for.")
    prefix = models.CharField(max_length=20, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at", "-id"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def revoke(self, *, by: User) -> None:
        """End it at once; a second time changes nothing."""
        live = ApiToken.objects.live().filter(pk=self.pk)
        live.update(revoked_at=timezone.now(), revoked_by=by)


def digest(secret: str) -> str:
    """Unsalted, since the secret is random and long: nothing to be guessed, and one look-up."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
