"""People and the teams they spend for."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class Team(models.Model):
    """A group whose spend is summed and may be limited; a charge keeps the team of its time."""

    name = models.CharField(max_length=80, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person. Never deleted, since money points here: `erase` removes who they were."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.PROTECT, related_name="people"
    )
    erased_at = models.DateTimeField(null=True, editable=False)

    class Meta(AbstractUser.Meta):
        pass

    @property
    def label(self) -> str:
        """How other people see this person: full name, else user name."""
        return self.get_full_name() or self.username
