"""The life of a server process, for rooms that must start and end with it.

Sent inside the event loop with `asend_robust`; receivers may be coroutines and are awaited.
"""

import logging
from typing import Any

from django.dispatch import Signal

# Seconds, after the first SIGTERM, for replies being written.
GRACE = 25.0

# No arguments. The server listens; background work may begin.
server_started = Signal()

# grace: float, seconds. No new connections from now on; receivers return when their work is done,
# at the latest after `grace`. Sent again with grace=0.0 when the operator is in a hurry.
server_draining = Signal()

# Sent with `send`, before the server starts: receivers return lines to print for the operator.
server_greeting = Signal()

logger = logging.getLogger(__name__)


async def tell(signal: Signal, **arguments: Any) -> None:
    """Tell every receiver, whatever becomes of one of them."""
    for receiver, answer in await signal.asend_robust(sender=None, **arguments):
        if isinstance(answer, BaseException):
            logger.error("%r failed", receiver, exc_info=answer)
