"""The database itself refuses what would rewrite the ledger, on SQLite and PostgreSQL alike.

Rows are never deleted. Lines and adjustments never change. A charge changes while it is open; once
captured only the totals that an adjustment restates, once voided nothing. SQLite drops triggers
when a later migration rebuilds their table: call `guard` again from that migration.
"""

from django.db import migrations

ADJUSTABLE = {
    "status",
    "amount_pusd",
    "low_pusd",
    "high_pusd",
    "flags",
    "tokens_in",
    "tokens_out",
}
FIXED = {
    "id",
    "uuid",
    "source",
    "purpose",
    "user_id",
    "team_id",
    "reference",
    "attempt",
    "conversation",
    "project",
    "requested_model",
    "max_tokens",
    "held_pusd",
    "authorized_at",
    "day",
}
TABLES = ("ledger_charge", "ledger_chargeline", "ledger_adjustment")


def guard(apps, schema_editor):
    columns = {field.column for field in apps.get_model("ledger", "Charge")._meta.local_fields}
    sqlite = schema_editor.connection.vendor == "sqlite"
    differs = "IS NOT" if sqlite else "IS DISTINCT FROM"

    def changed(names):
        return " OR ".join(f"NEW.{name} {differs} OLD.{name}" for name in sorted(names))

    rewritten = (
        f"{changed(FIXED)}"
        f" OR (OLD.state <> 'authorized' AND ({changed(columns - FIXED - ADJUSTABLE)}))"
        f" OR (OLD.state = 'voided' AND ({changed(ADJUSTABLE)}))"
    )
    refuse = refuse_on_sqlite if sqlite else refuse_on_postgresql
    if not sqlite:
        schema_editor.execute(REFUSAL, params=None)
    for table in TABLES:
        schema_editor.execute(refuse(table, "delete"))
        when = rewritten if table == "ledger_charge" else ""
        schema_editor.execute(refuse(table, "update", when))
        if not sqlite:
            schema_editor.execute(refuse(table, "truncate"))


def unguard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for table in TABLES:
        for event in ("delete", "update") if sqlite else ("delete", "update", "truncate"):
            on = "" if sqlite else f" ON {table}"
            schema_editor.execute(f"DROP TRIGGER {table}_refuses_{event}{on}")
    if not sqlite:
        schema_editor.execute("DROP FUNCTION ledger_refuses()")


def refuse_on_sqlite(table, event, when=""):
    return (
        f"CREATE TRIGGER {table}_refuses_{event} BEFORE {event} ON {table} "
        f"{f'WHEN {when}' if when else ''} "
        f"BEGIN SELECT RAISE(ABORT, 'the ledger refuses {event} of {table}'); END"
    )


def refuse_on_postgresql(table, event, when=""):
    return (
        f"CREATE TRIGGER {table}_refuses_{event} BEFORE {event} ON {table} "
        f"FOR EACH {'STATEMENT' if event == 'truncate' else 'ROW'} "
        f"{f'WHEN ({when})' if when else ''} EXECUTE FUNCTION ledger_refuses()"
    )


# An IntegrityError, as on SQLite.
REFUSAL = """
CREATE OR REPLACE FUNCTION ledger_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger refuses % of %', lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
