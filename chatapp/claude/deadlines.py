"""How long a stream may keep us waiting: for its first event, for more of it, and altogether."""

import asyncio
from types import TracebackType

LAG = 1.0  # seconds a timer may be late before we doubt ourselves instead of the vendor
GRACE = 2.0  # seconds to read what arrived while this process did not run
LAST_CALL = 1.0  # seconds to let a finished stream end by itself, so that its connection is kept


class Patience:
    """Cancels the task that waits for the stream, when it has waited too long. All in seconds.

    One timer for a whole stream, since one per event would cost more than the event. It never fires
    while the reader is busy elsewhere, nor for time in which this process itself stood still: a
    paused process finds its timers due before it has read its sockets.
    """

    def __init__(self, *, first: float, idle: float, total: float) -> None:
        self.expired = ""
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + first
        self._ends = self._total = self._loop.time() + total
        self._late_code = "no_answer"
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0

    def __enter__(self) -> "Patience":
        self.wait()
        self._arm(min(self._due, self._ends))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()

    def wait(self) -> None:
        """The running task is going to wait for the stream."""
        self._task = asyncio.current_task()

    def leave(self) -> None:
        """It is busy elsewhere."""
        self._task = None

    def heard(self) -> None:
        """Content came. A ping is none. After a last call there is time for more of it."""
        self._ends = self._total
        self._due = self._loop.time() + self._idle
        self._late_code = "idle_timeout"

    def last_call(self) -> None:
        """All was said; wait no longer than for the polite end."""
        self._timer.cancel()
        self._ends = min(self._total, self._loop.time() + LAST_CALL)
        self._arm(self._ends)

    def ended(self) -> bool:
        """Whether the CancelledError just caught is ours alone, and swallow it if so."""
        task = asyncio.current_task()
        return bool(self.expired and task and task.uncancel() <= self._cancelling)

    def _arm(self, when: float) -> None:
        # What is heard meanwhile may be due sooner.
        soonest = min(when, self._loop.time() + self._idle)
        self._timer = self._loop.call_at(soonest, self._check)

    def _check(self) -> None:
        now = self._loop.time()
        if now - self._timer.when() > LAG:
            self._due, self._ends = max(self._due, now + GRACE), max(self._ends, now + GRACE)
        when = min(self._due, self._ends)
        if now < when:
            self._arm(when)
        elif self._task is None:
            self._arm(now + LAG)
        else:
            self.expired = "total_timeout" if self._ends <= self._due else self._late_code
            self._cancelling = self._task.cancelling()
            self._task.cancel()
