"""The index behind chatapp.chat.search: FTS5 kept by triggers on SQLite, GIN on PostgreSQL.

On SQLite a later migration that makes chat_message or chat_conversation anew drops their triggers:
it has to run `sqlite` again.
"""

from django.db import migrations

# A passage is a title (no message) or a message. Its id is the row of its words in chat_search,
# since the implicit rowids of the tables themselves do not survive a VACUUM.
TABLES = """
CREATE TABLE chat_passage (
    id INTEGER PRIMARY KEY, conversation_id char(32) NOT NULL, message_id char(32) UNIQUE);
CREATE UNIQUE INDEX one_title_passage ON chat_passage (conversation_id) WHERE message_id IS NULL;
CREATE VIRTUAL TABLE chat_search USING fts5(owner, words, tokenize = "unicode61 remove_diacritics 0");
"""

FORGET = """
    DELETE FROM chat_search WHERE rowid = (SELECT id FROM chat_passage WHERE {passage});
    DELETE FROM chat_passage WHERE {passage};
"""
LEARN = """
    INSERT INTO chat_passage (conversation_id, message_id) SELECT {values} WHERE {words} <> '';
    INSERT INTO chat_search (rowid, owner, words)
    SELECT p.id, c.owner_id, {words} FROM chat_passage p
    JOIN chat_conversation c ON c.id = p.conversation_id WHERE {passage};
"""
TITLE = {
    "values": "new.id, NULL",
    "words": "new.title",
    "passage": "conversation_id = {row}.id AND message_id IS NULL",
}
TEXT = {
    "values": "new.conversation_id, new.id",
    "words": "new.text",
    "passage": "message_id = {row}.id",
}


def triggers(table, column, parts):
    forget = FORGET.format(passage=parts["passage"].format(row="old"))
    learn = LEARN.format(**{**parts, "passage": parts["passage"].format(row="new")})
    # One for an update: SQLite runs several in an order of its own.
    for name, event, body in (
        ("insert", f"INSERT ON {table}", learn),
        (
            "update",
            f"UPDATE OF {column} ON {table} WHEN old.{column} <> new.{column}",
            forget + learn,
        ),
        ("delete", f"DELETE ON {table}", forget),
    ):
        yield f"CREATE TRIGGER {table}_search_{name} AFTER {event} BEGIN {body} END"


FILL = """
INSERT INTO chat_passage (conversation_id) SELECT id FROM chat_conversation WHERE title <> '';
INSERT INTO chat_passage (conversation_id, message_id)
    SELECT conversation_id, id FROM chat_message WHERE text <> '';
INSERT INTO chat_search (rowid, owner, words)
    SELECT p.id, c.owner_id, coalesce(m.text, c.title) FROM chat_passage p
    JOIN chat_conversation c ON c.id = p.conversation_id LEFT JOIN chat_message m ON m.id = p.message_id;
"""


def sqlite(schema_editor):
    statements = [*TABLES.split(";"), *FILL.split(";")]
    statements += triggers("chat_conversation", "title", TITLE)
    statements += triggers("chat_message", "text", TEXT)
    for statement in statements:
        if statement.strip():
            schema_editor.execute(statement)


# Punctuation becomes space, so that "example.com" is two words as it is in a query. A tsvector holds
# a megabyte: the index reads the first 200,000 characters.
VECTOR = (
    "to_tsvector('simple', translate(left({}, 200000),"
    " '!\"#$%&''()*+,-./:;<=>?@[\\]^_`{{|}}~', repeat(' ', 32)))"
)


def postgresql(schema_editor):
    for table, column in ("chat_conversation", "title"), ("chat_message", "text"):
        index = f"CREATE INDEX {table}_search ON {table} USING gin ({VECTOR.format(column)})"
        schema_editor.execute(index, params=None)


def build(apps, schema_editor):
    {"sqlite": sqlite, "postgresql": postgresql}[schema_editor.connection.vendor](schema_editor)


def remove(apps, schema_editor):
    for table in "chat_conversation", "chat_message":
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP INDEX {table}_search")
            continue
        for name in "insert", "update", "delete":
            schema_editor.execute(f"DROP TRIGGER {table}_search_{name}")
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE chat_search")
        schema_editor.execute("DROP TABLE chat_passage")


class Migration(migrations.Migration):
    dependencies = [("chat", "0002_pinned_archived")]
    operations = [migrations.RunPython(build, remove)]
