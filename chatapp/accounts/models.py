"""People and the teams they spend for."""

import uuid
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from chatapp.accounts import links
from chatapp.accounts.signals import access_ended, person_erased


class NeverDeleted(TypeError):
    """People are erased, never deleted: money points at them."""


class LastAdmin(ValueError):
    """Nobody would be left who can administer."""


class Team(models.Model):
    """A group whose spend is summed and may be limited; a charge keeps the team of its time."""

    name = models.CharField(_("name"), max_length=80, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name


class PersonQuerySet(models.QuerySet):
    def admins(self) -> "PersonQuerySet":
        return self.filter(is_superuser=True)

    def active(self) -> "PersonQuerySet":
        return self.filter(is_active=True)

    def delete(self) -> Any:
        raise NeverDeleted("People are never deleted, since money points at them; erase() them.")


class PersonManager(UserManager.from_queryset(PersonQuerySet)):  # type: ignore[misc]
    use_in_migrations = False

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username__iexact=username)

    def invite(self, username: str, **fields: Any) -> "User":
        """A person without a password; `links.invitation` lets them choose one."""
        return self.create_user(username, password=None, **fields)


class User(AbstractUser):
    """A person. Never deleted, since money points here: `erase` removes who they were."""

    first_name = last_name = None  # type: ignore[assignment]
    name = models.CharField(_("name"), max_length=150, blank=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    team = models.ForeignKey(
        Team,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="people",
        verbose_name=_("team"),
    )
    erased_at = models.DateTimeField(null=True, editable=False)
    # "" follows each browser.
    language = models.CharField(_("language"), max_length=10, blank=True, default="", db_default="")

    objects: ClassVar[PersonManager] = PersonManager()

    class Meta(AbstractUser.Meta):
        verbose_name = _("person")  # type: ignore[assignment]
        verbose_name_plural = _("people")  # type: ignore[assignment]
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="one_user_name_in_any_case",
                violation_error_message=_("Somebody has this user name."),
            ),
            models.UniqueConstraint(
                Lower("email"),
                condition=~Q(email=""),
                name="one_person_per_email",
                violation_error_message=_("Somebody has this e-mail address."),
            ),
        ]

    @property
    def label(self) -> str:
        """How other people see this person: their name, else the user name."""
        return self.name or self.username

    @property
    def initials(self) -> str:
        """One or two letters that stand for them."""
        words = self.label.split()
        return "".join(word[0] for word in (words[0], *words[1:][-1:]))

    @property
    def awaited(self) -> bool:
        """Invited, and not in yet: there is no password."""
        return self.is_active and not self.has_usable_password()

    def speaking(self) -> AbstractContextManager[None]:
        """For words that reach them outside a page: in their language, else in the server's."""
        return translation.override(self.language or settings.LANGUAGE_CODE)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.label

    def save_as_first_admin(self) -> bool:
        """Store this new person as the one superuser; False, and nothing stored, when there is one."""
        with transaction.atomic():
            # One row that is always there: whoever else makes the first admin waits here.
            ContentType.objects.select_for_update().get(app_label="accounts", model="user")
            if User.objects.admins().exists():
                return False
            self.is_staff = self.is_superuser = True
            self.save()
        return True

    def invite_again(self) -> None:
        """End the present password, sessions and earlier invitations; a new one may be made."""
        self.set_unusable_password()
        self.save(update_fields=["password"])
        self._announce_end()

    def deactivate(self) -> None:
        """Take access away; everything stays. Raises LastAdmin."""
        with transaction.atomic():
            self._leave_an_admin()
            self.is_active = False
            self.save(update_fields=["is_active"])
            self._announce_end()

    def reactivate(self) -> None:
        """Give access back; who was erased stays away."""
        if self.erased_at is None:
            self.is_active = True
            self.save(update_fields=["is_active"])

    def erase(self) -> None:
        """Remove who they were and what they wrote, for good. Their spend stays, nameless.

        Raises LastAdmin. `person_erased` tells the rooms that keep words.
        """
        with transaction.atomic():
            self._leave_an_admin()
            person_erased.send(sender=User, person=self)
            self.username = f"erased-{self.public_id.hex[:12]}"
            self.name = self.email = self.language = ""
            self.is_active = self.is_staff = self.is_superuser = False
            self.last_login = self.team = None
            self.set_unusable_password()
            self.erased_at = timezone.now()
            self.save()
            self.groups.clear()
            self.user_permissions.clear()
            self._announce_end()

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise NeverDeleted("People are never deleted, since money points at them; erase() them.")

    def _leave_an_admin(self) -> None:
        # All of them, in one order: two admins who end each other's access wait, and one stays.
        admins = list(User.objects.admins().active().order_by("pk").select_for_update())
        if admins == [self]:
            raise LastAdmin(f"{self.label} is the last admin.")

    def _announce_end(self) -> None:
        transaction.on_commit(lambda: access_ended.send(sender=User, person=self))


def setup_link() -> str | None:
    """The one-time address that makes the first admin, or None once there is one."""
    return None if User.objects.admins().exists() else links.setup()
