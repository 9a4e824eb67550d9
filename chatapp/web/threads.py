"""One thread a request: the whole chain of middleware and the view run in it."""

from collections.abc import Callable
from typing import Any


def one_thread(get_response: Callable[..., Any]) -> Callable[..., Any]:
    """Middleware, the innermost: being sync, it lets all others be called without a hop.

    Django's own would otherwise each go to a thread and back twice, to do next to nothing.
    """
    return get_response
