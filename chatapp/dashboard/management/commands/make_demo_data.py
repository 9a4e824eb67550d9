"""Fill an empty installation with a made-up team's calls, to look at and to measure."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from chatapp.dashboard.demo_data import Maker
from chatapp.dashboard.filters import business_today
from chatapp.dashboard.periods import Period
from chatapp.ledger.models import Source


class Command(BaseCommand):
    help = "Make calls of made-up people. The same seed on an empty ledger makes the same calls."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--calls", type=int, default=20_000)
        parser.add_argument("--people", type=int, default=40, help="at most 2,000")
        parser.add_argument("--days", type=int, default=180, help="up to today")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--source", choices=Source.values, default=Source.DEMO)

    def handle(self, **options: Any) -> None:
        if not 1 <= options["people"] <= 2_000 or options["days"] < 1 or options["calls"] < 1:
            raise CommandError("Between 1 and 2,000 people, and at least one day and one call.")
        today = business_today()
        maker = Maker(seed=options["seed"], source=options["source"], people=options["people"])
        if not maker.book.version("claude-haiku-4-5", "standard", timezone.now()):
            raise CommandError("There are no prices yet: run manage.py setup first.")
        period = Period(today - timedelta(days=options["days"] - 1), today)
        for done in maker.make(options["calls"], period, now=timezone.now()):
            if options["verbosity"] > 1:
                self.stdout.write(f"{done:,}")
        self.stdout.write(f"{options['calls']:,} calls by {len(maker.people):,} people.")
