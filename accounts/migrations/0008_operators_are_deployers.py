from django.db import migrations


def rename_operators(apps, schema_editor):
    """Who was an operator goes on with the same rights, under the role's new name."""
    apps.get_model("accounts", "User").objects.filter(role="operator").update(role="deployer")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_teams")]

    operations = [migrations.RunPython(rename_operators, migrations.RunPython.noop)]
