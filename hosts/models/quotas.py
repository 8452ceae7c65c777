"""What is held for teams meanwhile: of what an engine is just making, and of images that were pulled."""

from django.db import models


class Reservation(models.Model):
    """A part of a team's quota, until what it is for is in the table or was not made."""

    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="+")
    host = models.ForeignKey("hosts.Host", on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255, blank=True)  # the container's id or the volume's name, as soon as it has one
    amount = models.JSONField(default=dict)  # hosts.quotas.amounts.Amount
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.amount} on {self.host_id} for {self.team_id}"


class Pull(models.Model):
    """An image that was pulled for a team."""

    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="+")
    host = models.ForeignKey("hosts.Host", on_delete=models.CASCADE, related_name="+")
    image = models.CharField(max_length=500)
    by_name = models.CharField(max_length=150)
    time = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.image} on {self.host_id} for {self.team_id}"
