"""Who is at a socket: asked of the session again and again, since people leave while it is open."""

from http.cookies import SimpleCookie
from importlib import import_module

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user
from django.http import HttpRequest
from django.utils.translation import get_language_from_request

from chatapp.accounts.models import User

SIGNED_OUT = 4401
NO_LONGER_ALLOWED = 4403
# Signing out sends its signal just before the session is removed.
FLUSHED = 0.3  # seconds


class Gone(Exception):
    """Nobody is signed in there any more; `code` closes the socket."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


Headers = list[tuple[bytes, bytes]]


def origin(headers: Headers) -> str:
    """The Origin header, or "" when there is none, or more than one."""
    found = [value for name, value in headers if name == b"origin"]
    return found[0].decode("latin-1") if len(found) == 1 else ""


def session_key(headers: Headers) -> str:
    """The session's cookie, or ""."""
    return _cookies(headers).get(settings.SESSION_COOKIE_NAME, "")


def language(headers: Headers) -> str:
    """What the browser asks for, as Django's own middleware would say."""
    request = HttpRequest()
    request.COOKIES = _cookies(headers)
    asked = [value.decode("latin-1") for name, value in headers if name == b"accept-language"]
    request.META["HTTP_ACCEPT_LANGUAGE"] = ",".join(asked)
    return get_language_from_request(request)


def _cookies(headers: Headers) -> dict[str, str]:
    cookies: SimpleCookie = SimpleCookie()
    for name, value in headers:
        if name == b"cookie":
            cookies.load(value.decode("latin-1"))
    return {name: morsel.value for name, morsel in cookies.items()}


def person(key: str) -> User:
    """Who is signed in with this session, as Django's own middleware would say. Raises Gone."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key or None)
    user = get_user(request)
    if isinstance(user, User):
        return user
    signed_in = request.session.get(SESSION_KEY)
    deactivated = signed_in and User.objects.filter(pk=signed_in, is_active=False).exists()
    raise Gone(NO_LONGER_ALLOWED if deactivated else SIGNED_OUT)
