from django.db import migrations, models


def as_before(apps, schema_editor):
    """What was stored until now may lead inside, as it did."""
    for name in ("Registry", "Destination"):
        apps.get_model("hosts", name).objects.update(inside=True)


class Migration(migrations.Migration):
    dependencies = [("hosts", "0019_image_words")]
    operations = [
        *(
            migrations.AddField(name, "inside", models.BooleanField(default=False))
            for name in ("registry", "destination")
        ),
        migrations.RunPython(as_before, migrations.RunPython.noop),
    ]
