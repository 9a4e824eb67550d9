"""Rolls up whole years of a person by purpose and certainty."""

from django.db import migrations, models

from chatapp.ledger import rolling

NEW = ["person-year"]


def fill(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    with schema_editor.connection.cursor() as cursor:
        if vendor == "postgresql":
            # Captures wait: one between the statements would be in no rollup.
            cursor.execute("LOCK TABLE ledger_dailytotal IN SHARE ROW EXCLUSIVE MODE")
            cursor.execute("SET LOCAL statement_timeout = 0")
        rolling.remove(cursor, vendor)
        rolling.fill(cursor, vendor, *NEW)
        rolling.install(cursor, vendor)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0012_names_of_a_charge")]
    operations = [
        migrations.AlterField(
            model_name="rollup",
            name="grain",
            field=models.CharField(
                choices=[
                    ("group-day", "Group Day"),
                    ("group-week", "Group Week"),
                    ("group-month", "Group Month"),
                    ("person-day", "Person Day"),
                    ("person-week", "Person Week"),
                    ("person-month", "Person Month"),
                    ("person-year", "Person Year"),
                    ("whole-week", "Whole Week"),
                    ("whole-month", "Whole Month"),
                    ("all-day", "All Day"),
                    ("all-week", "All Week"),
                    ("all-month", "All Month"),
                    ("rank-day", "Rank Day"),
                    ("rank-week", "Rank Week"),
                    ("rank-month", "Rank Month"),
                    ("rank-year", "Rank Year"),
                    ("team-day", "Team Day"),
                    ("team-week", "Team Week"),
                    ("team-month", "Team Month"),
                    ("used-month", "Used Month"),
                    ("used-year", "Used Year"),
                ],
                max_length=12,
            ),
        ),
        # An older program knows none of these rows and reads none: nothing to take back.
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
