"""One-time links: the first admin's set-up, and invitations. Signed; nothing is stored for them."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse

if TYPE_CHECKING:
    from chatapp.accounts.models import User

SETUP_SECONDS = 24 * 3600


class Invitations(PasswordResetTokenGenerator):
    """Tokens that hold until a password is chosen, or PASSWORD_RESET_TIMEOUT is over.

    The stored (unusable) password is part of what is signed: using an invitation, or making a
    new one, ends the earlier ones. A person who is deactivated cannot use theirs.
    """

    key_salt = "chatapp.accounts.invitation"

    def check_token(self, user: "User | None", token: str | None) -> bool:
        return bool(user and user.awaited) and super().check_token(user, token)


invitations = Invitations()


def invitation(person: "User") -> str:
    """The address where this person chooses a password and comes in."""
    return public("accounts:invitation", person.public_id.hex, invitations.make_token(person))


def setup() -> str:
    """The address where the first admin is made."""
    return public("accounts:setup", _setup_signer().sign("admin"))


def opens_setup(token: str) -> bool:
    """Whether the token was signed here, less than a day ago."""
    try:
        return _setup_signer().unsign(token, max_age=SETUP_SECONDS) == "admin"
    except BadSignature:
        return False


def public(name: str, *args: str) -> str:
    """An address people can type: PUBLIC_URL, never the Host header of a request."""
    return settings.PUBLIC_URL + reverse(name, args=args)


def _setup_signer() -> TimestampSigner:
    return TimestampSigner(salt="chatapp.accounts.setup", sep=".")
