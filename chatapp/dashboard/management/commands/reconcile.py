"""Compare the ledger with Anthropic's own report of usage and cost."""

from argparse import ArgumentParser
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from chatapp.claude.analytics import NoAdminKey
from chatapp.claude.errors import Fault
from chatapp.dashboard.reconciliation import reconcile
from chatapp.pricing.money import format_usd

KEPT = timedelta(days=365)  # how far back the vendor reports


class Command(BaseCommand):
    help = "Compare whole UTC days with Anthropic's report; exit code 1 when they differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        yesterday = timezone.now().date() - timedelta(days=1)
        parser.add_argument(
            "--from",
            dest="first",
            type=date.fromisoformat,
            default=yesterday - timedelta(days=6),
            help="the first day, like 2026-11-01 (a week ago)",
        )
        parser.add_argument(
            "--to",
            dest="last",
            type=date.fromisoformat,
            default=yesterday,
            help="the last day (yesterday)",
        )

    def handle(self, *, first: date, last: date, **options: Any) -> None:
        today = timezone.now().date()
        if first > last or last >= today or first < today - KEPT:
            raise CommandError("Name past days of the last year, in UTC, the first one first.")
        try:
            found = reconcile(first, last)
        except NoAdminKey:
            raise CommandError("Set ANTHROPIC_ADMIN_KEY: only an Admin key may read it.") from None
        except Fault as fault:
            raise CommandError(f"Anthropic's report could not be read. {fault.message}") from None
        self.stdout.write(
            f"{found}: {found.calls:,} calls, ledger {format_usd(found.ledger_pusd, 'exact')}, "
            f"Anthropic {format_usd(found.vendor_pusd, 'exact')} at list prices"
        )
        for finding in found.found:
            self.stdout.write(
                f"  {finding.name}: {finding.words}. {finding.where}: {finding.requests:+,} calls, "
                f"{finding.tokens:+,} tokens, {format_usd(finding.pusd, 'exact')}"
            )
        if not found.agrees:
            raise CommandError("They differ.")
        self.stdout.write("They agree.")
