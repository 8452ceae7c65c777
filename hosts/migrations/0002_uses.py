import django.db.models.deletion
from django.db import migrations, models


def fill(apps, schema_editor):
    """Containers that are in the table already: the inventory writes their uses only when they change."""
    Container, Use = apps.get_model("hosts", "Container"), apps.get_model("hosts", "Use")
    uses = []
    for container in Container.objects.only("host_id", "data").iterator(500):
        names = {("network", name) for name in container.data.get("networks", {})}
        names |= {("volume", mount["name"]) for mount in container.data.get("mounts", []) if mount.get("name")}
        uses += [Use(container=container, host_id=container.host_id, noun=noun, name=name) for noun, name in names]
    Use.objects.bulk_create(uses, batch_size=200)


class Migration(migrations.Migration):

    dependencies = [
        ('hosts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Use',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('noun', models.CharField(max_length=10)),
                ('name', models.CharField(max_length=255)),
                ('container', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='uses', to='hosts.container')),
                ('host', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='hosts.host')),
            ],
            options={
                'indexes': [models.Index(fields=['noun', 'name', 'host'], name='hosts_use_noun_a17c74_idx')],
                'constraints': [models.UniqueConstraint(fields=('container', 'noun', 'name'), name='use_once')],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
