"""The language a page is in: what the person chose, else what the browser asks for."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation


def spoken(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware after Django's own, which knows the cookie and the browser, but nobody."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if chosen := getattr(request.user, "language", ""):
            translation.activate(chosen)
            request.LANGUAGE_CODE = chosen
        return get_response(request)

    return middleware
