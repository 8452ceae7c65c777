"""SQLite counts what a search finds along this index, a quarter of the time that the rows themselves take.

Not on PostgreSQL: it refuses an entry of more than 2704 bytes, and an engine says what is in it.
"""

from typing import Any

from django.db import migrations

NAME = "hosts_container_state_words"


def add(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(f"CREATE INDEX {NAME} ON hosts_container (state, words)")


def remove(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(f"DROP INDEX IF EXISTS {NAME}")


class Migration(migrations.Migration):
    dependencies = [("hosts", "0009_created_with_key")]

    operations = [migrations.RunPython(add, remove)]
