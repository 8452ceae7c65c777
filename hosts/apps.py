from typing import Any

from django.apps import AppConfig
from django.db import transaction
from django.db.models.signals import post_delete, post_save


class HostsConfig(AppConfig):
    """Docker: hosts, what is on them, and what can be done to it."""

    name = "hosts"

    def ready(self) -> None:
        from hosts import jobs

        jobs.add_kinds()
        for signal in (post_save, post_delete):
            signal.connect(_teams_changed, sender="accounts.Team", dispatch_uid=f"owners {id(signal)}")


def _teams_changed(**_: Any) -> None:
    """Objects name their team in a label."""
    from hosts.inventory.owners import apply_owners
    from hosts.inventory.swarm_owners import apply_swarm_owners
    from hosts.models import Host

    transaction.on_commit(lambda: apply_owners(Host.objects.all()))
    transaction.on_commit(apply_swarm_owners)
