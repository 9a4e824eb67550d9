"""How long to let a stream's events gather before the next read, by how busy the loop is."""

from time import thread_time


class Pace:
    """Zero while the loop is quiet, so that text appears at once; up to 50 ms as it fills.

    Reading several events in one wake-up costs about half, and nobody sees 50 ms.
    """

    FEW = 10  # streams: they cannot fill a loop, and a cut connection loses what was not yet read
    QUIET = 0.25  # of a processor: below, nothing is gained
    BUSY = 0.5
    LONGEST = 0.05  # seconds
    # Events closer together than this came with one read, so reading them all was waiting-free.
    AT_ONCE = 0.002
    EVERY = 0.25  # seconds between two looks

    def __init__(self) -> None:
        self.streams = 0
        self.seconds = 0.0
        self._share = 0.0
        self._looked_at = self._worked = 0.0

    def look(self, now: float) -> None:
        """Called by the loop's thread with the monotonic clock's time, as often as it likes."""
        if now - self._looked_at < self.EVERY:
            return
        worked = thread_time()
        share = (worked - self._worked) / (now - self._looked_at)
        self._share += (share - self._share) / 2
        self._looked_at, self._worked = now, worked
        quiet = self.streams <= self.FEW or self._share < self.QUIET
        self.seconds = 0.0 if quiet else self.LONGEST * min(1.0, self._share / self.BUSY)
