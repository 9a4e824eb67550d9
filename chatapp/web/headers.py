"""What every answer says to browsers besides its Content-Security-Policy, and which methods exist."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

METHODS = ("GET", "HEAD", "POST")
# Features of browsers we never use; nobody who gets into a page may either.
UNUSED = (
    *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen"),
    *("geolocation", "gyroscope", "hid", "identity-credentials-get", "magnetometer", "microphone"),
    *("midi", "payment", "publickey-credentials-create", "publickey-credentials-get"),
    *("screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
)
# Parts of a page run under the page's policies; theirs would weigh more than many of them.
PARTS = ("text/css", "text/javascript")
HEADERS = {
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Cross-Origin-Resource-Policy": "same-origin",
    # Pages show what people wrote and spent: no cache may keep them, not even the browser's own.
    "Cache-Control": "no-store",
}
OF_DOCUMENTS = ("Content-Security-Policy", "Permissions-Policy", "Cross-Origin-Opener-Policy")


def headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware, the outermost, so that refusals and errors carry the headers too."""

    def middleware(request: HttpRequest) -> HttpResponse:
        allowed = request.method in METHODS
        response = get_response(request) if allowed else HttpResponseNotAllowed(METHODS)
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        if response.get("Content-Type", "").startswith(PARTS):
            for name in OF_DOCUMENTS:
                del response[name]
        return response

    return middleware
