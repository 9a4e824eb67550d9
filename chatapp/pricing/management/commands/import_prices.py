"""Brings a price file into the book, or tells whether the two differ."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chatapp.pricing import importing
from chatapp.pricing.price_file import PriceFileError


class Command(BaseCommand):
    help = "Import a price file (the bundled one by default). It adds; it never changes a price."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="a JSON price file")
        parser.add_argument(
            "--check", action="store_true", help="change nothing; exit 1 when file and book differ"
        )

    def handle(self, *, file: Path | None, check: bool, **options: Any) -> None:
        try:
            found = (
                importing.difference(importing.read(file))
                if check
                else importing.import_prices(file)
            )
        except PriceFileError as error:
            raise CommandError(str(error)) from error
        for line in found.lines():
            self.stdout.write(line)
        if check and (found.brings_something or found.only_in_book):
            sys.exit(1)
        if not found.brings_something:
            self.stdout.write("Nothing new.")
