"""Writes the daily totals anew from the charges and their lines."""

from typing import Any

from django.core.management.base import BaseCommand

from chatapp.ledger import sums


class Command(BaseCommand):
    help = "Rebuild all daily totals from the charges and their lines, in one transaction."

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"{sums.rebuild():,} daily totals written.")
