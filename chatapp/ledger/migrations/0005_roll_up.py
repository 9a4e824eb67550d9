"""Rolls up the daily totals there are, and every one that is written from now on.

SQLite drops triggers when a later migration rebuilds their table: install them again there.
"""

from django.db import migrations

from chatapp.ledger import rolling


def install(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    with schema_editor.connection.cursor() as cursor:
        if vendor == "postgresql":
            # Captures wait: one between the two statements would be in no rollup.
            cursor.execute("LOCK TABLE ledger_dailytotal IN SHARE ROW EXCLUSIVE MODE")
            cursor.execute("SET LOCAL statement_timeout = 0")
        rolling.fill(cursor, vendor)
        rolling.install(cursor, vendor)


def remove(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        rolling.remove(cursor, schema_editor.connection.vendor)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_rollup")]
    operations = [migrations.RunPython(install, remove)]
