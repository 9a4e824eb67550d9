"""The life of a server process, for rooms that must start and end with it.

Sent inside the event loop with `asend_robust`; receivers may be coroutines and are awaited.
"""

from django.dispatch import Signal

# No arguments. The server listens; background work may begin.
server_started = Signal()

# grace: float, seconds. No new connections from now on; receivers return when their work is done,
# at the latest after `grace`. Sent again with grace=0.0 when the operator is in a hurry.
server_draining = Signal()

# Sent with `send`, before the server starts: receivers return lines to print for the operator.
server_greeting = Signal()
