import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hosts", "0006_web_processes")]

    operations = [
        migrations.RenameModel("WebProcess", "Process"),
        migrations.AlterField("process", "owner", models.CharField(max_length=80)),
        migrations.AddField("process", "role", models.CharField(default="web", max_length=10)),
        migrations.AddField("process", "version", models.CharField(blank=True, max_length=40)),
        migrations.AddField("process", "started", models.DateTimeField(null=True)),
        migrations.AddField("process", "memory", models.BigIntegerField(null=True)),
        migrations.AddConstraint(
            "process", models.UniqueConstraint(fields=("owner", "role"), name="process_once")
        ),
        migrations.CreateModel(
            name="Watch",
            fields=[
                (
                    "host",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="hosts.host",
                    ),
                ),
                ("connected", models.DateTimeField(null=True)),
                ("reconnects", models.PositiveIntegerField(default=0)),
                ("last_event", models.DateTimeField(null=True)),
                ("events", models.BigIntegerField(default=0)),
                ("lag_p50", models.FloatField(null=True)),
                ("lag_p95", models.FloatField(null=True)),
                ("clock_ahead", models.FloatField(null=True)),
                ("listed", models.DateTimeField(null=True)),
                ("list_seconds", models.FloatField(null=True)),
            ],
        ),
    ]
