"""What an admin must not miss on any page: that Anthropic refuses this server's key or money."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from chatapp.claude.breaker import breaker
from chatapp.web.notices import Notice

REFUSED = {
    "unauthorized": noop(
        "Since %(time)s Anthropic has not accepted this server's API key, and nobody gets a reply. "
        "Check ANTHROPIC_API_KEY, and the key in the Anthropic Console."
    ),
    "billing": noop(
        "Since %(time)s Anthropic has declined requests because of this account's billing, and "
        "nobody gets a reply. Check credit and payment in the Anthropic Console."
    ),
    "forbidden": noop(
        "Since %(time)s Anthropic has not let this server's API key use %(model)s. "
        "Check the key's permissions in the Anthropic Console."
    ),
}


def refused(request: HttpRequest) -> Iterator[Notice]:
    """As this process knows it, until a call succeeds again."""
    user = getattr(request, "user", None)
    if user is None or not user.is_superuser:
        return
    for circuit, model in breaker.refusals():
        if circuit.since:
            since = date_format(localtime(circuit.since), _("Y-m-d H:i"))
            yield Notice("error", _(REFUSED[circuit.refusal]) % {"time": since, "model": model})


def well() -> bool:
    """The same for /healthz; that one model is refused leaves the others."""
    return not breaker.account.refusal
