"""Nodes of a swarm."""

from django.db import models

from accounts.rights import Right
from hosts.models.swarms import SwarmMirrored


class Node(SwarmMirrored):
    """A machine in a swarm; it may be one of our hosts (SwarmMember has the same node id)."""

    view_right = Right.SWARM_VIEW

    role = models.CharField(max_length=20)  # manager worker
    availability = models.CharField(max_length=20)  # active pause drain
    state = models.CharField(max_length=20)  # ready down unknown disconnected
    message = models.CharField(max_length=500, blank=True)
    address = models.CharField(max_length=100, blank=True)
    engine_version = models.CharField(max_length=100, blank=True)
    os = models.CharField(max_length=50, blank=True)
    arch = models.CharField(max_length=50, blank=True)
    cpus = models.FloatField(default=0)
    memory = models.BigIntegerField(default=0)
    leader = models.BooleanField(default=False)
    reachability = models.CharField(max_length=20, blank=True)  # of a manager: reachable unreachable unknown

    class Meta:
        constraints = [models.UniqueConstraint(fields=["swarm", "engine_id"], name="node_once")]
        indexes = [models.Index(fields=["name"]), models.Index(fields=["engine_id"])]
