"""Prints what was spent, also as the ledger knew it at an earlier moment."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count, Sum
from django.utils import timezone

from chatapp.ledger.models import ChargeLine, Source
from chatapp.pricing.money import exact
from chatapp.pricing.price_file import moment

GROUPS = {
    "day": "charge__day",
    "user": "charge__user__username",
    "team": "charge__team__name",
    "model": "charge__model",
    "purpose": "charge__purpose",
}


class Command(BaseCommand):
    help = (
        "Print real spend as JSON Lines, a line for each day, user, team, model or purpose. "
        "Adjustments made after --as-of do not count: last week's report comes out to the cent."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
        parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
        parser.add_argument("--by", choices=GROUPS, default="day")
        parser.add_argument("--as-of", type=_moment, help="an ISO time, UTC without an offset")

    def handle(
        self, *, first: date, last: date, by: str, as_of: datetime | None, **options: Any
    ) -> None:
        known = ChargeLine.objects.between(first, last).as_of(as_of or timezone.now())
        groups = (
            known.filter(charge__source=Source.ANTHROPIC)
            .order_by(GROUPS[by])
            .values_list(GROUPS[by])
            .annotate(calls=Count("charge", distinct=True), pusd=Sum("amount_pusd"))
        )
        for group, calls, pusd in groups:
            row = {by: group and str(group), "calls": calls}
            row |= {"cost_usd": exact(int(pusd)), "cost_pusd": int(pusd)}
            self.stdout.write(json.dumps(row))


def _moment(text: str) -> datetime:
    try:
        return moment(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
