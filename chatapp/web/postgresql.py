"""PostgreSQL connections that give up on an answer that does not come.

libpq has no read timeout: with a frozen server, or a link that swallows answers, a thread would
wait for ever, and soon all of them.
"""

from contextvars import ContextVar
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

# Seconds to wait for one answer, in this context; longer than statement_timeout by default.
patience = ContextVar("patience", default=20.0)


class Connection(psycopg.Connection[Any]):
    """A connection whose every wait ends after `patience` seconds, and the connection with it."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, timeout or patience.get())
        except psycopg.errors.IdleInTransactionSessionTimeout as ended:
            # Of a process that slept. To Django an internal error, in truth a lost connection.
            raise psycopg.OperationalError(str(ended)) from None
        except psycopg.OperationalError:
            # An answer may still be under way: nobody may use this connection again.
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise
