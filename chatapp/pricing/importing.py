"""A price file brought into the book: what it adds, in one transaction, and nothing twice."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from chatapp.pricing import repricing
from chatapp.pricing.book import Version
from chatapp.pricing.models import Edition, Model, PriceVersion, RefusalRule, price_book
from chatapp.pricing.price_file import ModelFacts, PriceFile, PriceFileError, parse
from chatapp.pricing.price_file import RefusalRule as Rule

BUNDLED = Path(__file__).parent / "data" / "prices.json"


@dataclass(frozen=True)
class Difference:
    """What an import adds, and which prices stand only in the book (an import leaves those)."""

    models: tuple[ModelFacts, ...]
    versions: tuple[tuple[Version, str], ...]
    rules: tuple[Rule, ...]
    only_in_book: tuple[Version, ...]

    @property
    def size(self) -> int:
        """How much an import adds."""
        return len(self.models) + len(self.versions) + len(self.rules)

    @property
    def brings_something(self) -> bool:
        return self.size > 0

    def lines(self) -> Iterator[str]:
        for model in self.models:
            yield f"model {model.id}: {model.name}"
        for version, source in self.versions:
            yield f"price {_described(version)} ({source})"
        for since, billed in self.rules:
            yield f"refusals from {since:%Y-%m-%d}: billed {'all' if billed is None else sorted(billed)}"
        for version in self.only_in_book:
            yield f"only in the book: {_described(version)}"


def read(path: Path | None = None) -> PriceFile:
    """The file's prices, the bundled ones by default. Raises PriceFileError."""
    try:
        return parse(json.loads((path or BUNDLED).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise PriceFileError(f"{path or BUNDLED}: {error}") from error


def difference(file: PriceFile) -> Difference:
    """Between a file and the book. A version that was cancelled here counts as known."""
    recorded = {
        replace(version.value(), id=None): version.cancelled_at is None
        for version in PriceVersion.objects.prefetch_related("tiers").order_by(
            F("cancelled_at").asc(nulls_last=True)
        )
    }
    listed = {model.id for model in file.models}
    models = Model.objects.in_bulk()
    rules = [rule.value() for rule in RefusalRule.objects.all()]
    return Difference(
        models=tuple(facts for facts in file.models if _is_news(facts, models.get(facts.id))),
        versions=tuple(
            (version, source)
            for version, source in zip(file.versions, file.sources, strict=True)
            if version not in recorded
        ),
        rules=tuple(rule for rule in file.refusal_rules if rule not in rules),
        only_in_book=tuple(
            version
            for version, counts in recorded.items()
            if counts and version.model in listed and version not in file.versions
        ),
    )


@transaction.atomic
def import_prices(path: Path | None = None, *, by: Any = None) -> Difference:
    """Add what the file has and the book has not; calls it prices anew get adjustments.

    Raises PriceFileError, and then nothing is changed.
    """
    file = read(path)
    Edition.renew()  # first, as its row's lock keeps two imports apart
    news = difference(file)
    for facts in news.models:
        _record_model(facts)
    for since, billed in news.rules:
        RefusalRule.objects.update_or_create(
            valid_from=since,
            defaults={"billed_categories": None if billed is None else sorted(billed)},
        )
    name = (path or BUNDLED).name
    for version, source in news.versions:
        PriceVersion.objects.record(version, source=source, reason=f"imported from {name}", by=by)
    if news.brings_something:
        _rate_calls(news, note=f"prices imported from {name}", by=by)
    return news


def _rate_calls(news: Difference, *, note: str, by: Any) -> None:
    book = price_book()
    begun = [version for version, _ in news.versions if version.valid_from <= timezone.now()]
    for model in {version.model for version in begun}:
        since = min(version.valid_from for version in begun if version.model == model)
        repricing.apply(book, model=model, since=since, note=note, by=by)
    repricing.rate_waiting(book)


def _is_news(facts: ModelFacts, model: Model | None) -> bool:
    return model is None or any(
        getattr(model, field) != value for field, value in _fields(facts, model.aliases).items()
    )


def _record_model(facts: ModelFacts) -> None:
    model = Model.objects.filter(pk=facts.id).first() or Model(pk=facts.id)
    for field, value in _fields(facts, model.aliases).items():
        setattr(model, field, value)
    model.save()


def _fields(facts: ModelFacts, aliases: list[str]) -> dict[str, Any]:
    """The vendor's facts; aliases are only ever added, and `offered` is the admin's."""
    return {
        "name": facts.name,
        "launched": facts.launched,
        "deprecated": facts.deprecated,
        "retires": facts.retires,
        "context_window": facts.context_window,
        "max_output": facts.max_output,
        "note": facts.note,
        "aliases": list(dict.fromkeys([*aliases, *facts.aliases])),
    }


def _described(version: Version) -> str:
    return f"{version.model} {version.speed} from {version.valid_from:%Y-%m-%d %H:%M}"
