"""What somebody finds who may see some of the hosts is counted along the index too."""

from typing import Any

from django.db import migrations

NAME = "hosts_container_state_words"


def _of(*columns: str) -> Any:
    def make(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(f"DROP INDEX IF EXISTS {NAME}")
            schema_editor.execute(f"CREATE INDEX {NAME} ON hosts_container ({', '.join(columns)})")

    return make


class Migration(migrations.Migration):
    dependencies = [("hosts", "0024_team_accounts")]

    operations = [migrations.RunPython(_of("state", "words", "host_id", "owner_id"), _of("state", "words"))]
