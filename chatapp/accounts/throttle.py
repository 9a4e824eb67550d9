"""How often something may be asked for: a count per key and hour, in the cache."""

from django.core.cache import cache

HOUR = 3600


def allowed(what: str, key: str, *, limit: int) -> bool:
    """Count one more of `what` for `key`; False when this hour had more than `limit`."""
    name = f"throttle:{what}:{key}"
    cache.add(name, 0, HOUR)
    try:
        return cache.incr(name) <= limit
    except ValueError:  # it expired between the two lines
        return True
