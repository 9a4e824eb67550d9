"""How long a reply has thought, over all the stretches in which it did."""


class Stopwatch:
    def __init__(self) -> None:
        self._since: float | None = None
        self._seconds: float | None = None

    def run(self, on: bool, now: float) -> None:
        """Start or stop; `now` in seconds of a monotonic clock."""
        if self._since is not None:
            self._seconds = (self._seconds or 0) + now - self._since
        self._since = now if on else None

    def ms(self, now: float) -> int | None:
        """Milliseconds until now; None when it never ran."""
        self.run(False, now)
        return None if self._seconds is None else round(1000 * self._seconds)
