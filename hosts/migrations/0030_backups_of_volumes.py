"""Backups that were made before are of the volumes that are there, as far as these are known to be the same."""

from typing import Any

from django.db import migrations


def follow(apps: Any, schema_editor: Any) -> None:
    """Those of volumes that were there when they were made: of an older one of that name nobody knows whose it was."""
    backups, volumes = apps.get_model("hosts", "Backup"), apps.get_model("hosts", "Volume")
    for volume in volumes.objects.select_related("host").exclude(created=None):
        made = backups.objects.filter(host=volume.host.name, volume=volume.name, created__gte=volume.created)
        made.update(of_volume=volume, owner=volume.owner_id)


class Migration(migrations.Migration):
    dependencies = [("hosts", "0029_backup_owners")]

    operations = [migrations.RunPython(follow, migrations.RunPython.noop)]
