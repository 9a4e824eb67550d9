"""`manage.py setup`: everything a first or an upgraded start needs; safe to repeat."""

from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    help = "Prepare the database, the prices and the static files; run it before each start."

    def handle(self, *args: Any, **options: Any) -> None:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        self.say("data", str(settings.DATA_DIR))
        self.say("database", self.migrate())
        self.say("prices", self.run("import_prices"))
        self.say("static files", self.run("collectstatic", interactive=False))

    def migrate(self) -> str:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if not plan:
            return "up to date"
        call_command("migrate", verbosity=0, interactive=False)
        return f"{len(plan)} migrations applied"

    def run(self, command: str, **options: Any) -> str:
        """What the command said, in its last line."""
        out = StringIO()
        call_command(command, stdout=out, **options)
        return (out.getvalue().strip().splitlines() or ["done"])[-1]

    def say(self, what: str, text: str) -> None:
        self.stdout.write(f"{what:>14}: {text}")
