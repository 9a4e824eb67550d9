"""Rows by the million: inserted past the ORM, for both databases."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.db import connection, models
from django.db.models import Max

from chatapp.ledger.sums import unhurried as patient

CACHE_KIB = 1_000_000
Row = Sequence[Any]
Adapters = list[tuple[int, Callable[[Any], Any]]]
ADAPTERS: dict[type, Callable[[Any], Any]] = {
    models.DateTimeField: lambda value: value.replace(tzinfo=None).isoformat(" "),
    models.DateField: date.isoformat,
    models.UUIDField: lambda value: value.hex,
    models.JSONField: lambda value: value if isinstance(value, str) else json.dumps(value),
}


@contextmanager
def unhurried() -> Iterator[Any]:
    """A cursor for a long load; SQLite is given the memory to keep the ends of its indexes in."""
    with patient(), connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute("SET LOCAL statement_timeout = 0")
            yield cursor
            return
        (usual,) = cursor.execute("PRAGMA cache_size").fetchone()
        cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        try:
            yield cursor
        finally:
            cursor.execute(f"PRAGMA cache_size = {usual}")


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows of the named attributes; every other column takes its field's default."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    missing = [name for name in fields if name not in columns and not fields[name].primary_key]
    defaults = tuple(fields[name].get_default() for name in missing)
    names = [str(fields[name].column) for name in (*columns, *missing)]
    whole = ((*row, *defaults) for row in rows) if defaults else rows
    adapters = _adapters(fields[name] for name in (*columns, *missing))
    with connection.cursor() as cursor:
        _write(cursor, model._meta.db_table, names, whole, adapters)


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
    adapters = _adapters(fields[name] for name in (*key, *added))
    with connection.cursor() as cursor:
        cursor.executemany(statement, [_plain(row, adapters) for row in rows])


def _write(
    cursor: Any, table: str, names: Sequence[str], rows: Iterable[Row], adapters: Adapters
) -> None:
    quoted = ", ".join(map(connection.ops.quote_name, names))
    if connection.vendor == "postgresql":
        with cursor.copy(f'COPY "{table}" ({quoted}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row([json.dumps(v) if type(v) in (dict, list) else v for v in row])
        return
    places = ", ".join(["?"] * len(names))
    statement = f'INSERT INTO "{table}" ({quoted}) VALUES ({places})'  # noqa: S608 - our own names
    # Past Django's cursor, which would look for placeholders in each row.
    cursor.connection.executemany(statement, (_plain(row, adapters) for row in rows))


def _plain(row: Row, adapters: Adapters) -> list[Any]:
    """As Django stores it in SQLite."""
    plain = list(row)
    for place, adapt in adapters:
        if plain[place] is not None:
            plain[place] = adapt(plain[place])
    return plain


def _adapters(fields: Iterable[Any]) -> Adapters:
    """What must be done to a row's values, by place: a step a value would be millions too many."""
    if connection.vendor == "postgresql":
        return []
    adapted = ((place, ADAPTERS.get(type(field))) for place, field in enumerate(fields))
    return [(place, adapt) for place, adapt in adapted if adapt]


def _no_style() -> Any:
    from django.core.management.color import no_style

    return no_style()
