"""The book beside what the package genai-prices knows: differences that a person may take over."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chatapp.pricing.book import Tier, Version
from chatapp.pricing.models import Edition, Model, PriceVersion, price_book
from chatapp.pricing.models.versions import Speed
from chatapp.pricing.money import PUSD, pusd, rate
from chatapp.pricing.segments import TOKEN_KINDS
from chatapp.pricing.words import per_mtok, placed
from chatapp.web.numbers import number

THEIR_NAMES = {
    "input": "input_mtok",
    "cache_write_5m": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "cache_read": "cache_read_mtok",
    "output": "output_mtok",
}


class NotInstalledError(Exception):
    """genai-prices is optional: `pip install genai-prices`."""


@dataclass(frozen=True)
class Proposal:
    """Our version in force now, and the one that would hold from now on if theirs is right."""

    ours: Version
    theirs: Version

    @property
    def key(self) -> str:
        """Names these very prices: what is ticked is what gets recorded."""
        prices = repr((self.theirs.tiers, self.theirs.web_search_pusd))
        digest = hashlib.sha256(prices.encode()).hexdigest()[:16]
        return f"{self.theirs.model}:{self.theirs.speed}:{digest}"

    def changes(self) -> Iterator[tuple[str, str, str]]:
        """What differs: its name, our price, theirs."""
        thresholds = sorted({tier.over for tier in (*self.ours.tiers, *self.theirs.tiers)})
        for over in thresholds:
            ours, theirs = self.ours.tier(over + 1), self.theirs.tier(over + 1)
            for kind in TOKEN_KINDS:
                before, after = getattr(ours, kind), getattr(theirs, kind)
                if before != after:
                    where = _(" over %(over)s") % {"over": number(over)} if over else ""
                    yield f"{kind}{where}", per_mtok(before), per_mtok(after)
        if self.ours.web_search_pusd != self.theirs.web_search_pusd:
            before, after = self.ours.web_search_pusd, self.theirs.web_search_pusd
            fees = before * 1000 / PUSD, after * 1000 / PUSD
            yield "web_search", placed(f"${fees[0]:g}"), placed(f"${fees[1]:g}")


def proposals(at: datetime) -> list[Proposal]:
    """Each price in force at `at` that genai-prices says otherwise. Raises NotInstalledError.

    What it does not know, or gives finer than can be kept, stays as it is in the book.
    """
    known = _models()
    book = price_book()
    found = []
    for model in Model.objects.order_by("id"):
        info = next((info for info in known if info.is_match(model.id)), None)
        for speed in Speed.values:
            ours = book.version(model.id, speed, at)
            if info is None or ours is None:
                continue
            try:
                theirs = _version(ours, info, at)
            except ValueError:
                continue
            if theirs and (theirs.tiers, theirs.web_search_pusd) != (
                ours.tiers,
                ours.web_search_pusd,
            ):
                found.append(Proposal(ours, theirs))
    return found


@transaction.atomic
def take(keys: Iterable[str], *, by: Any) -> list[PriceVersion]:
    """Record the proposals with these keys, from now on; all or none."""
    Edition.renew()  # first, as its row's lock keeps two imports apart
    wanted = set(keys)
    return [
        PriceVersion.objects.record(
            proposal.theirs, source="genai-prices", reason="taken from genai-prices", by=by
        )
        for proposal in proposals(timezone.now())
        if proposal.key in wanted
    ]


def _models() -> list[Any]:
    try:
        from genai_prices.data import providers
    except ImportError as error:
        raise NotInstalledError(_("Install it first: pip install genai-prices")) from error
    return next(provider.models for provider in providers if provider.id == "anthropic")


def _version(ours: Version, info: Any, at: datetime) -> Version | None:
    """Theirs, with what they leave out from ours; None when they do not sell this speed."""
    fast = ours.speed != Speed.STANDARD
    if fast and not any(v.when.get("speed") == ours.speed for v in info.price_variants or ()):
        return None
    prices = info.get_prices(at, {"speed": ours.speed} if fast else None)
    given = {kind: getattr(prices, name) for kind, name in THEIR_NAMES.items()}
    thresholds = {0} | {
        tier.start for price in given.values() for tier in getattr(price, "tiers", ())
    }
    tiers = tuple(
        Tier(over, **{kind: _rate(price, over, ours, kind) for kind, price in given.items()})
        for over in sorted(thresholds)
    )
    searches = prices.web_searches_kcount
    fee = ours.web_search_pusd if searches is None else pusd(Decimal(searches) / 1000)
    return replace(ours, valid_from=at, tiers=tiers, web_search_pusd=fee, id=None)


def _rate(price: Any, over: int, ours: Version, kind: str) -> int:
    if price is None:
        return int(getattr(ours.tier(over + 1), kind))
    if isinstance(price, Decimal):
        return rate(price)
    reached = [tier.price for tier in price.tiers if tier.start <= over]
    return rate(reached[-1] if reached else price.base)
