"""`manage.py setup`: everything a first or an upgraded start needs; safe to repeat."""

import hashlib
from collections.abc import Iterator
from io import StringIO
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    help = "Prepare the database, the prices and the static files; run it before each start."

    def handle(self, *args: Any, **options: Any) -> None:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        self.say("data", str(settings.DATA_DIR))
        self.say("database", migrate())
        self.say("prices", import_prices())
        self.say("static files", collect_static())

        if not known(settings.DEFAULT_MODEL):
            self.stderr.write(f"DEFAULT_MODEL={settings.DEFAULT_MODEL} has no price: set another.")

    def say(self, what: str, text: str) -> None:
        self.stdout.write(f"{what:>14}: {text}")


def migrate() -> str:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        return "up to date"
    call_command("migrate", verbosity=0, interactive=False)
    return f"{len(plan)} migrations applied"


def import_prices() -> str:
    """By its name, since prices are a room above this one."""
    out = StringIO()
    call_command("import_prices", stdout=out)
    return out.getvalue().strip().rpartition("\n")[2]


def known(model: str) -> bool:
    rows = apps.get_model("pricing", "Model").objects.values_list("id", "aliases")
    return any(model in (name, *aliases) for name, aliases in rows)


def collect_static() -> str:
    """Only when a source changed: hashing and compressing them takes a while."""
    stamp = settings.STATIC_ROOT / ".sources"
    digest = hashlib.sha256("\n".join(sources()).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return "up to date"
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(digest)
    return "collected"


def sources() -> Iterator[str]:
    for finder in get_finders():
        for name, storage in finder.list([]):
            yield f"{name} {storage.size(name)} {storage.get_modified_time(name).timestamp()}"
