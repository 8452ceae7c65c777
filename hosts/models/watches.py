"""How the watching of a host goes: what the diagnostics page shows of it."""

from django.db import models


class Watch(models.Model):
    """What whoever watches the host notes of that, every few seconds while there is something new. Seconds and times
    are by Dermaga's clock."""

    host = models.OneToOneField("hosts.Host", on_delete=models.CASCADE, primary_key=True)
    connected = models.DateTimeField(null=True)  # when the connection that holds, or held last, was made
    reconnects = models.PositiveIntegerField(default=0)  # connections after the first one
    last_event = models.DateTimeField(null=True)
    events = models.BigIntegerField(default=0)  # heard so far
    lag_p50 = models.FloatField(null=True)  # from an event to the row written, over the last LAGS_OVER seconds
    lag_p95 = models.FloatField(null=True)
    clock_ahead = models.FloatField(null=True)  # by how many seconds the engine's clock is ahead of ours
    listed = models.DateTimeField(null=True)  # when everything was listed last
    list_seconds = models.FloatField(null=True)  # how long that took

    def __str__(self) -> str:
        return str(self.host)
