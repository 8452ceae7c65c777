"""Web processes, by what they count."""

from django.db import models


class WebProcess(models.Model):
    """A web process that has or had open streams. It writes its row itself, every few seconds while it has any."""

    owner = models.CharField(max_length=80, unique=True)  # host name, process number, something random
    seen = models.DateTimeField()
    counts = models.JSONField(default=dict)  # hosts.consumers.counts.Row

    def __str__(self) -> str:
        return self.owner
