"""How a page shows its sums: what is stacked, dollars or tokens, the order of tables, the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.utils.translation import gettext_lazy as lazy

from chatapp.dashboard.filters import BadFilter, not_one_of

BY = {
    "model": lazy("Model"),
    "user": lazy("Person"),
    "team": lazy("Team"),
    "kind": lazy("Token kind"),
}
OWN_BY = {name: BY[name] for name in ("model", "kind")}
UNITS = {"usd": lazy("Dollars"), "tokens": lazy("Tokens")}
SORTS = ("spend", "calls", "tokens", "average", "name")
# Tables that have pages of their own, by the parameter that names one.
PAGES = ("page", "projects", "conversations")
LAST_PAGE = 10_000


@dataclass(frozen=True)
class Look:
    """The choices of one view of the page; those left at their default stay out of addresses."""

    by: str = "model"
    unit: str = "usd"
    sort: str = "spend"
    page: int = 1
    projects: int = 1
    conversations: int = 1

    @classmethod
    def parse(cls, query: Mapping[str, str], *, personal: bool) -> Self:
        """Read an address' parameters; BadFilter for a word that is none of ours, pages clamped."""
        choices = {"by": OWN_BY if personal else BY, "unit": UNITS, "sort": SORTS}
        asked: dict[str, Any] = {name: query.get(name) or getattr(cls, name) for name in choices}
        if wrong := [name for name, value in asked.items() if value not in choices[name]]:
            raise BadFilter([not_one_of(name, choices[name]) for name in wrong])
        return cls(**asked | {name: _number(query.get(name, "")) for name in PAGES})

    def params(self, **changes: Any) -> dict[str, Any]:
        """Parameters for Filter.link; a default is an empty value, which link leaves out."""
        values = vars(self) | changes
        return {
            name: "" if value == getattr(Look, name) else value for name, value in values.items()
        }

    def start(self, **changes: Any) -> dict[str, Any]:
        """As params, with the first page of every table."""
        return self.params(**dict.fromkeys(PAGES, 1), **changes)


def _number(page: str) -> int:
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 9 else 1
    return min(max(number, 1), LAST_PAGE)
