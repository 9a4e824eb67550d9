"""Rows by the million: inserted past the ORM, for both databases."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import Max

Row = Sequence[Any]


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows of the named attributes; every other column takes its field's default."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    missing = [name for name in fields if name not in columns and not fields[name].primary_key]
    defaults = tuple(fields[name].get_default() for name in missing)
    names = [str(fields[name].column) for name in (*columns, *missing)]
    with connection.cursor() as cursor:
        _write(cursor, model._meta.db_table, names, ((*row, *defaults) for row in rows))


def next_id(model: type[models.Model]) -> int:
    """The first id that is free. For whoever has the table alone, and calls `settle_ids` after."""
    highest = model._default_manager.aggregate(highest=Max("pk"))["highest"]
    return int(highest or 0) + 1


def settle_ids(*tables: type[models.Model]) -> None:
    """Let the database's own counters go on after ids that were given."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(_no_style(), list(tables)):
            cursor.execute(statement)


def add_up(
    model: type[models.Model], key: Sequence[str], sums: Mapping[tuple[Any, ...], Mapping[str, int]]
) -> None:
    """Add sums to the rows with those keys, making the ones that are not there."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    columns = [name for name in fields if isinstance(fields[name], models.BigIntegerField)]
    added = [name for name in columns if name not in key and not fields[name].primary_key]
    table, names = model._meta.db_table, ", ".join((*key, *added))
    places = ", ".join(["%s"] * (len(key) + len(added)))
    unique = ", ".join("COALESCE(team_id, 0)" if name == "team_id" else name for name in key)
    raised = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in added)
    statement = f"INSERT INTO {table} ({names}) VALUES ({places}) "  # noqa: S608 - our own names
    statement += f"ON CONFLICT ({unique}) DO UPDATE SET {raised}"
    rows = [(*where, *(parts.get(name, 0) for name in added)) for where, parts in sums.items()]
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(map(_plain, rows)))


def _write(cursor: Any, table: str, names: Sequence[str], rows: Iterable[Row]) -> None:
    quoted = ", ".join(map(connection.ops.quote_name, names))
    if connection.vendor == "postgresql":
        with cursor.copy(f'COPY "{table}" ({quoted}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row([json.dumps(v) if type(v) in (dict, list) else v for v in row])
        return
    places = ", ".join(["%s"] * len(names))
    statement = f'INSERT INTO "{table}" ({quoted}) VALUES ({places})'  # noqa: S608 - our own names
    cursor.executemany(statement, map(_plain, rows))


def _plain(row: Row) -> list[Any]:
    """As Django stores it in SQLite."""
    adapt = _ADAPTERS.get
    return [adapted(value) if (adapted := adapt(type(value))) else value for value in row]


# By exact type: this runs for each value of millions of rows.
_ADAPTERS: dict[type, Callable[[Any], Any]] = {
    datetime: lambda value: value.replace(tzinfo=None).isoformat(" "),
    date: date.isoformat,
    UUID: lambda value: value.hex,
    dict: json.dumps,
    list: json.dumps,
}


def _no_style() -> Any:
    from django.core.management.color import no_style

    return no_style()
