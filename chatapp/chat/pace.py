"""How long to let a stream's events gather before the next read, by how busy the loop is."""


class Pace:
    """Zero while the loop is quiet, so that text appears at once; up to 50 ms as it fills.

    Reading several events in one wake-up costs about half, and nobody sees 50 ms.
    """

    QUIET = 0.004  # seconds from being woken to running
    LONGEST = 0.05
    # Events closer together than this came with one read, so reading them all was waiting-free.
    AT_ONCE = 0.002

    def __init__(self) -> None:
        self._lag = 0.0
        self.seconds = 0.0

    def felt(self, lag: float) -> None:
        """One wake-up took this long, in seconds."""
        self._lag += (lag - self._lag) / 32
        self.seconds = 0.0 if self._lag < self.QUIET else min(self.LONGEST, 8 * self._lag)
