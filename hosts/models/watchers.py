"""The watch processes that live: hosts are shared out evenly among them."""

from django.db import models


class WatchProcess(models.Model):
    """One watch process. Its row is written by itself every few seconds, and forgotten when it stopped."""

    owner = models.CharField(max_length=80, unique=True)  # as in Host.lease_owner
    seen = models.DateTimeField()

    def __str__(self) -> str:
        return self.owner
