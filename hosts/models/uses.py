"""Which container uses which network or volume of its host: what the tables of networks and volumes count."""

from django.db import models


class Use(models.Model):
    """One container in one network, or with one volume. A table, since a lookup inside the containers' JSON would
    read every container of every host on the page."""

    container = models.ForeignKey("hosts.Container", on_delete=models.CASCADE, related_name="uses")
    host = models.ForeignKey("hosts.Host", on_delete=models.CASCADE)
    noun = models.CharField(max_length=10)  # network volume
    name = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["container", "noun", "name"], name="use_once")]
        indexes = [models.Index(fields=["noun", "name", "host"])]

    def __str__(self) -> str:
        return f"{self.noun} {self.name}"
