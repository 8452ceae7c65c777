"""What is held for teams meanwhile: of what an engine is just making, and of images that were pulled."""

from django.db import models


class Reservation(models.Model):
    """A part of a team's quota on a host, or in a swarm, until what it is for is in the table or was not made."""

    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="+")
    host = models.ForeignKey("hosts.Host", null=True, on_delete=models.CASCADE, related_name="+")  # None: of a service
    swarm = models.ForeignKey("hosts.Swarm", null=True, on_delete=models.CASCADE, related_name="+")
    # the container's or service's id or the volume's name, as soon as it has one
    key = models.CharField(max_length=255, blank=True)
    # hosts.quotas.amounts.Amount; of a service hosts.engine.parse.service_tasks.Tasks, which count differently on each host
    amount = models.JSONField(default=dict)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.amount} on {self.host_id or self.swarm_id} for {self.team_id}"


class Pull(models.Model):
    """An image that was pulled for a team."""

    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="+")
    host = models.ForeignKey("hosts.Host", on_delete=models.CASCADE, related_name="+")
    image = models.CharField(max_length=500)
    by_name = models.CharField(max_length=150)
    time = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.image} on {self.host_id} for {self.team_id}"
