"""Two reports of the same calls, ours and the vendor's: each difference by its likely name."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from chatapp.claude.analytics import Place, Row
from chatapp.ledger.choices import Kind

REQUESTS = "requests"
WEB_SEARCH = "web_search"
COUNTER = "counter"
# In which one respect two rows may differ that are the same calls put elsewhere, and its name.
MOVES = {
    "day": "wrong_day",
    "window": "wrong_tier",
    "tier": "batch",
    "geo": "region",
    "speed": "speed",
    "model": "other_model",
}
WORDS = {
    "missing_call": noop("Anthropic counts calls that the ledger does not have"),
    "not_billed": noop("The ledger has calls that Anthropic does not count"),
    "no_amount": noop("Calls whose amount the ledger does not know"),
    "stopped_reply": noop("Replies that ended early: the ledger estimated their output"),
    "web_fee": noop("Web searches, or their fee, are counted otherwise"),
    "wrong_day": noop("The same calls stand on the day beside"),
    "wrong_tier": noop("The same tokens are in another long-prompt tier"),
    "batch": noop("The same calls are in another service tier"),
    "region": noop("The same calls are in another region"),
    "speed": noop("The same calls are at another speed"),
    "other_model": noop("The same calls are under another model"),
    "price": noop("The same tokens have another price"),
    "tokens": noop("The same calls have other tokens"),
    "other_key": noop("Spend of another API key of the organization"),
}
NO_KEY = noop("no API key")


@dataclass
class Side:
    """One report at one place: requests and tokens by kind, and pico-USD by kind."""

    counts: Counter[str] = field(default_factory=Counter)
    money: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return any(self.counts.values()) or any(self.money.values())

    @property
    def pusd(self) -> int:
        return sum(self.money.values())

    def less(self, other: "Side") -> "Side":
        """What this one has more; negative where it has less."""
        found = Side(Counter(self.counts), Counter(self.money))
        found.counts.subtract(other.counts)
        found.money.subtract(other.money)
        return found

    def off(self) -> dict[str, int]:
        """The counts that are not 0."""
        return {kind: count for kind, count in self.counts.items() if count}

    def tokens(self) -> int:
        others = (REQUESTS, WEB_SEARCH, COUNTER)
        return sum(n for kind, n in self.counts.items() if kind not in others)


Sides = dict[Place, Side]


@dataclass(frozen=True)
class Unsure:
    """What the ledger says of a place only roughly, in tokens and calls."""

    # How much more or less all estimated outputs together may have been.
    least: int = 0
    most: int = 0
    estimated: int = 0
    without_amount: int = 0


@dataclass(frozen=True)
class Finding:
    """One difference: the vendor's figures less the ledger's. Money is pico-USD, list prices."""

    name: str
    where: str
    requests: int = 0
    tokens: int = 0
    pusd: int = 0
    # Not a difference between the two, only something to know.
    aside: bool = False
    # What differs where the ledger has it: count and pico-USD of the ledger, then the vendor's.
    kinds: dict[str, list[int]] = field(default_factory=dict)

    @property
    def words(self) -> str:
        return _(WORDS[self.name])

    @property
    def by_kind(self) -> list[tuple[str, int, int, int, int]]:
        """The kinds' names for people, and their figures."""
        return [
            (_kind(kind), ours, paid, theirs, billed)
            for kind, (ours, paid, theirs, billed) in self.kinds.items()
        ]

    @property
    def place(self) -> str:
        """Where, for people: what is stored of it is English."""
        return _(NO_KEY) if self.where == NO_KEY else self.where


def sides(rows: Iterable[Row]) -> Sides:
    """Rows gathered by place. Searches have no tier, region or speed of their own."""
    found: Sides = defaultdict(Side)
    for row in rows:
        found[row.place].counts[REQUESTS] += row.requests
        for kind, count in row.counts:
            found[_at(row.place, kind)].counts[kind] += count
        for kind, amount in row.money:
            found[_at(row.place, kind)].money[kind] += amount
    return found


def explain(ours: Sides, theirs: Sides, unsure: Mapping[Place, Unsure]) -> list[Finding]:
    """Every place at which the two differ, with its name; nothing when they are the same.

    Calls put elsewhere are looked for first: two places with opposite counts that differ in one
    respect only.
    """
    places = sorted({*ours, *theirs}, key=_order)
    left = {
        place: diff
        for place in places
        if (diff := theirs.get(place, Side()).less(ours.get(place, Side())))
    }
    found = []
    for respect, name in MOVES.items():
        for here in list(left):
            there = here in left and _counterpart(here, respect, left)
            if there:
                kinds = _kinds(ours, theirs, here)
                found.append(_moved(name, here, there, left.pop(here), left.pop(there), kinds))
    return found + [
        _residue(place, diff, unsure.get(place, Unsure()), _kinds(ours, theirs, place))
        for place, diff in left.items()
    ]


def others(keys: Mapping[str, int], key_id: str) -> list[Finding]:
    """What other keys of the organization spent; it is in no difference when ours is known."""
    return [
        Finding("other_key", key or NO_KEY, pusd=pusd, aside=True)
        for key, pusd in sorted(keys.items())
        if pusd and key != key_id and (key_id or len(keys) > 1)
    ]


def _at(place: Place, kind: str) -> Place:
    if kind != WEB_SEARCH:
        return place
    return Place(place.day, place.model, tier=place.tier)


def _counterpart(here: Place, respect: str, left: Sides) -> Place | None:
    """Where the calls that the ledger has too many of here are too few."""
    off = left[here].off()
    if not off or max(off.values()) > 0:
        return None
    for there, diff in left.items():
        near = respect != "day" or abs(there.day - here.day) == timedelta(days=1)
        if near and _differ_in(here, there) == [respect] and _opposite(off, diff.off()):
            return there
    return None


def _differ_in(here: Place, there: Place) -> list[str]:
    return [f.name for f in fields(Place) if getattr(here, f.name) != getattr(there, f.name)]


def _opposite(these: dict[str, int], those: dict[str, int]) -> bool:
    return those == {kind: -count for kind, count in these.items()}


def _kinds(ours: Sides, theirs: Sides, place: Place) -> dict[str, list[int]]:
    """Both sides' counts and pico-USD of each kind that differs at a place; requests are one."""
    here, there = ours.get(place, Side()), theirs.get(place, Side())
    kinds = dict.fromkeys([*here.counts, *there.counts, *here.money, *there.money])
    found = {
        kind: [here.counts[kind], here.money[kind], there.counts[kind], there.money[kind]]
        for kind in kinds
    }
    return {kind: figures for kind, figures in found.items() if figures[:2] != figures[2:]}


def _kind(name: str) -> str:
    if name == REQUESTS:
        return _("Calls")
    return Kind(name).head if name in Kind else name.replace("_", " ")


def _moved(
    name: str, here: Place, there: Place, less: Side, more: Side, kinds: dict[str, list[int]]
) -> Finding:
    where = f"{_said(here)} → {_said(there)}"
    requests, tokens = more.counts[REQUESTS], more.tokens()
    return Finding(name, where, requests, tokens, less.pusd + more.pusd, kinds=kinds)


def _residue(place: Place, diff: Side, unsure: Unsure, kinds: dict[str, list[int]]) -> Finding:
    name = _name(diff.off(), {kind for kind, amount in diff.money.items() if amount}, unsure)
    requests, tokens = diff.counts[REQUESTS], diff.tokens()
    return Finding(name, _said(place), requests, tokens, diff.pusd, kinds=kinds)


def _name(off: dict[str, int], dearer: set[str], unsure: Unsure) -> str:
    """What a difference that stands alone is, by the counts and the kinds of money that are off."""
    if requests := off.get(REQUESTS, 0):
        if requests < 0:
            return "not_billed"
        return "no_amount" if requests <= unsure.without_amount else "missing_call"
    if set(off) | dearer == {WEB_SEARCH}:
        return "web_fee"
    if not off:
        return "price"
    estimated = unsure.estimated and unsure.least <= off.get("output", 0) <= unsure.most
    return "stopped_reply" if estimated and set(off) == {"output"} else "tokens"


def _said(place: Place) -> str:
    usual = Place(place.day, place.model)
    special = [
        getattr(place, name)
        for name in ("speed", "tier", "geo", "window")
        if getattr(place, name) != getattr(usual, name)
    ]
    return ", ".join([str(place.day), place.model or "no model", *special])


def _order(place: Place) -> tuple[str, ...]:
    return tuple(str(getattr(place, f.name)) for f in fields(Place))
