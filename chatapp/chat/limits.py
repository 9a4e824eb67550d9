"""How much one person may ask of this process, whatever their browser does."""

from collections import Counter, OrderedDict
from time import monotonic


class Bucket:
    """Lets `burst` things through at once, and `rate` a second after that."""

    def __init__(self, *, burst: float, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._left = burst
        self._at = monotonic()

    def take(self) -> bool:
        now = monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Sends:
    """A bucket of sends for each person, over all their sockets."""

    PEOPLE = 10_000

    def __init__(self) -> None:
        self._buckets: OrderedDict[int, Bucket] = OrderedDict()

    def take(self, person: int) -> bool:
        bucket = self._buckets.setdefault(person, Bucket(burst=20, rate=1))
        self._buckets.move_to_end(person)
        if len(self._buckets) > self.PEOPLE:
            self._buckets.popitem(last=False)
        return bucket.take()


SOCKETS = 30  # of one person

sends = Sends()
sockets: Counter[int] = Counter()
