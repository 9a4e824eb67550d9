"""A price file (JSON, dollars as decimal strings) read into the values of the price book."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from chatapp.pricing import money
from chatapp.pricing.book import BP, PriceBook, Tier, Version

RefusalRule = tuple[datetime, frozenset[str] | None]


class PriceFileError(ValueError):
    """The file is no price file; the message says where."""


@dataclass(frozen=True)
class ModelFacts:
    id: str
    name: str
    launched: date
    aliases: tuple[str, ...]
    context_window: int
    max_output: int
    deprecated: date | None
    retires: str
    note: str


@dataclass(frozen=True)
class PriceFile:
    """`sources` says where each version of `versions` was read, in their order."""

    models: tuple[ModelFacts, ...]
    versions: tuple[Version, ...]
    sources: tuple[str, ...]
    refusal_rules: tuple[RefusalRule, ...]

    def book(self) -> PriceBook:
        names = {name: model.id for model in self.models for name in (model.id, *model.aliases)}
        return PriceBook(versions=self.versions, aliases=names, refusal_rules=self.refusal_rules)


def parse(data: Any) -> PriceFile:
    """The decoded JSON as values. Raises PriceFileError for anything that is not a price file."""
    try:
        models = tuple(map(_model, data["models"]))
        versions = tuple(map(_version, data["versions"]))
        sources = tuple(str(entry.get("source", "")) for entry in data["versions"])
        rules = tuple(map(_rule, data.get("refusal_rules", [])))
    except KeyError as error:
        raise PriceFileError(f"{error} is missing") from error
    except (TypeError, AttributeError, ArithmeticError) as error:
        raise PriceFileError(f"wrong shape: {error}") from error
    names = [name for model in models for name in (model.id, *model.aliases)]
    if len(names) != len(set(names)):
        raise PriceFileError("two models go by one name")
    if unknown := {version.model for version in versions} - {model.id for model in models}:
        raise PriceFileError(f"prices of models that are not listed: {sorted(unknown)}")
    return PriceFile(models, versions, sources, rules)


def _model(entry: Mapping[str, Any]) -> ModelFacts:
    try:
        return ModelFacts(
            id=entry["id"],
            name=entry["name"],
            launched=date.fromisoformat(entry["launched"]),
            aliases=tuple(entry.get("aliases") or ()),
            context_window=int(entry["context_window"]),
            max_output=int(entry["max_output"]),
            deprecated=date.fromisoformat(day) if (day := entry.get("deprecated")) else None,
            retires=entry.get("retires") or "",
            note=entry.get("note") or "",
        )
    except ValueError as error:
        raise PriceFileError(f"model {entry.get('id')}: {error}") from error


def _version(entry: Mapping[str, Any]) -> Version:
    try:
        return Version(
            model=entry["model"],
            speed=entry.get("speed", "standard"),
            valid_from=moment(entry["valid_from"]),
            available=entry.get("available", True),
            batch_bp=_basis_points(entry.get("batch")),
            geo_us_bp=_basis_points(entry.get("geo_us")),
            web_search_pusd=money.pusd(Decimal(entry["web_search_per_1000"]) / 1000),
            tiers=tuple(map(_tier, entry["tiers"])),
        )
    except ValueError as error:
        where = f"{entry.get('model')} {entry.get('speed')} from {entry.get('valid_from')}"
        raise PriceFileError(f"price of {where}: {error}") from error


def _tier(entry: Mapping[str, Any]) -> Tier:
    return Tier(
        over=int(entry.get("over", 0)),
        input=money.rate(entry["input"]),
        cache_write_5m=money.rate(entry["write_5m"]),
        cache_write_1h=money.rate(entry["write_1h"]),
        cache_read=money.rate(entry["read"]),
        output=money.rate(entry["output"]),
    )


def _rule(entry: Mapping[str, Any]) -> RefusalRule:
    categories = entry["billed_categories"]
    billed = None if categories is None else frozenset(categories)
    return moment(entry["valid_from"]), billed


def moment(text: str) -> datetime:
    """An ISO date or time; without an offset it is UTC. Raises ValueError."""
    time = datetime.fromisoformat(text.upper())
    try:
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError(f"out of range: {text}") from None


def _basis_points(multiplier: str | None) -> int | None:
    if multiplier is None:
        return None
    points = Decimal(multiplier) * BP
    if points != points.to_integral_value():
        raise ValueError(f"{multiplier} is finer than a basis point")
    return int(points)
