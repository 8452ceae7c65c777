"""A backup is the team's whose its volume is."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0013_membership_source"), ("hosts", "0028_services_in_quotas")]

    operations = [
        migrations.AddField(
            "backup",
            "of_volume",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="backups",
                to="hosts.volume",
            ),
        ),
        migrations.AddField(
            "backup",
            "owner",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="accounts.team",
            ),
        ),
    ]
