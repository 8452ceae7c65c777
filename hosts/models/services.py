"""Services of a swarm, and their tasks."""

from django.db import models

from accounts.rights import Right
from hosts.models.swarms import SwarmOwned

MOVING = ("updating", "rollback_started")  # states of an update that goes on


class Service(SwarmOwned):
    """A service. `spec` is the engine's own, with the environment in it: whose values take containers.reveal to see."""

    view_right = Right.SERVICES_VIEW

    mode = models.CharField(max_length=20)  # replicated global replicated-job global-job
    replicas = models.PositiveIntegerField(null=True)  # None: as many as there are nodes
    image = models.CharField(max_length=500, blank=True)
    stack = models.CharField(max_length=255, blank=True)
    endpoint_mode = models.CharField(max_length=20, blank=True)  # vip dnsrr
    ports = models.JSONField(default=list)  # [{"type", "private", "public", "mode"}]
    update_state = models.CharField(max_length=40, blank=True)
    update_message = models.CharField(max_length=500, blank=True)
    spec = models.JSONField(default=dict)
    running = models.PositiveIntegerField(default=0)  # tasks that run, should run, and are complete
    desired = models.PositiveIntegerField(default=0)
    completed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["swarm", "engine_id"], name="service_once")]
        indexes = [models.Index(fields=["name"]), models.Index(fields=["stack"])]

    @property
    def is_moving(self) -> bool:
        """Whether an update or rollback goes on."""
        return self.update_state in MOVING


class Task(SwarmOwned):
    """One of the newest tasks of a slot: the current one and a few before it. Its owner is its service's."""

    view_right = Right.SERVICES_VIEW

    service_ref = models.CharField(max_length=64, blank=True)  # the service's engine_id
    service_name = models.CharField(max_length=255, blank=True)
    node_ref = models.CharField(max_length=64, blank=True)  # the node's engine_id; "" while it has none
    node_name = models.CharField(max_length=255, blank=True)
    slot = models.PositiveIntegerField(null=True)  # None for a global service, which has one a node
    state = models.CharField(max_length=20)
    desired = models.CharField(max_length=20)
    message = models.CharField(max_length=500, blank=True)
    error = models.CharField(max_length=1000, blank=True)
    container_id = models.CharField(max_length=80, blank=True)
    image = models.CharField(max_length=500, blank=True)
    exit_code = models.IntegerField(null=True)
    since = models.DateTimeField(null=True)  # when it came into its state
    current = models.BooleanField(default=False)  # whether it is the one that counts in its slot

    class Meta:
        constraints = [models.UniqueConstraint(fields=["swarm", "engine_id"], name="task_once")]
        indexes = [
            models.Index(fields=["swarm", "service_ref"]),
            models.Index(fields=["swarm", "node_ref"]),
            models.Index(fields=["name"]),
        ]
