"""Brings a price file into the book, or tells whether the two differ."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from chatapp.pricing import genai, importing
from chatapp.pricing.price_file import PriceFileError


class Command(BaseCommand):
    help = "Import a price file (the bundled one by default). It adds; it never changes a price."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="a JSON price file")
        parser.add_argument(
            "--check", action="store_true", help="change nothing; exit 1 when file and book differ"
        )
        parser.add_argument(
            "--from",
            dest="package",
            choices=["genai-prices"],
            help="show where this package differs; admins take prices over in the administration",
        )

    def handle(
        self, *, file: Path | None, check: bool, package: str | None = None, **options: Any
    ) -> None:
        if package:
            self._compare(check=check)
            return
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
        elif not check:
            self.stdout.write(f"{found.size} added.")

    def _compare(self, *, check: bool) -> None:
        try:
            found = genai.proposals(timezone.now())
        except genai.NotInstalledError as error:
            raise CommandError(str(error)) from error
        for proposal in found:
            for name, ours, theirs in proposal.changes():
                version = proposal.theirs
                self.stdout.write(f"{version.model} {version.speed} {name}: {ours} -> {theirs}")
        if check and found:
            sys.exit(1)
        if not found:
            self.stdout.write("No difference.")
