"""Django's own migrate, with the patience that a step over a large ledger needs."""

from typing import Any

from django.core.management.commands import migrate

from chatapp.web.postgresql import patience

LONGEST = 3600.0  # seconds for one statement; its own timeout is each migration's affair


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        token = patience.set(LONGEST)
        try:
            super().handle(*args, **options)
        finally:
            patience.reset(token)
