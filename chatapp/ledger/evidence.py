"""What was metered, in a form that any database stores and that can be rated again."""

from dataclasses import asdict
from math import isfinite
from typing import Any

from chatapp.pricing.usage import Certainty, Metered


def storable(value: Any) -> Any:
    """JSON without what PostgreSQL's jsonb refuses: NUL, lone surrogates, NaN and infinities."""
    match value:
        case str():
            return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        case float() if not isfinite(value):
            return str(value)
        case dict():
            return {storable(str(key)): storable(item) for key, item in value.items()}
        case list() | tuple():
            return [storable(item) for item in value]
    return value


def word(value: Any, length: int) -> str:
    """What the vendor calls something, as a column holds it; "" for what is no text."""
    return storable(value)[:length] if isinstance(value, str) else ""


def to_json(metered: Metered) -> dict[str, Any]:
    return storable(asdict(metered))


def from_json(stored: dict[str, Any]) -> Metered:
    return Metered(**{**stored, "certainty": Certainty(stored["certainty"])})
