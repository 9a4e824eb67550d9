"""Checks the stored ledger; exit 1 when a law of it is broken."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from chatapp.ledger import checking
from chatapp.pricing.money import format_usd


class Command(BaseCommand):
    help = "Check that the ledger's rows add up; exit 1 when they do not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="write the findings as JSON")

    def handle(self, *, json: bool, **options: Any) -> None:
        found = checking.check()
        if json:
            self.stdout.write(as_json(found))
        else:
            self._tell(found)
        if found.breaks:
            sys.exit(1)

    def _tell(self, found: checking.Findings) -> None:
        for broken in found.breaks:
            self.stdout.write(f"BROKEN {broken.law}: {broken.meaning}")
            self.stdout.write(f"  {broken.count:,} times, such as {', '.join(broken.examples)}")
        self.stdout.write(
            f"{found.charges:,} charges, {found.lines:,} lines, {found.open:,} open with "
            f"{format_usd(found.held_pusd)} held: "
            + (f"{len(found.breaks)} laws broken." if found.breaks else "all laws hold.")
        )


def as_json(found: checking.Findings) -> str:
    return json.dumps(found.as_dict(), indent=2)
