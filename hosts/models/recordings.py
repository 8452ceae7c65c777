"""Recordings of terminals. Host and container are names: a recording outlives both."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class RecordingEnd(models.TextChoices):
    """What became of the terminal."""

    OPEN = "open", _("open")  # or its process was killed: then it has what was written until then
    ENDED = "ended", _("ended")
    FULL = "full", _("ended: no room")


class Recording(models.Model):
    """What one terminal showed, as an asciicast in parts (docs/recordings.md)."""

    host = models.CharField(max_length=63)
    container = models.CharField(max_length=255)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    by_name = models.CharField(max_length=150)
    mode = models.CharField(max_length=10)  # exec or attach
    command = models.CharField(max_length=1000, blank=True)
    columns = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()
    began = models.DateTimeField(auto_now_add=True, db_index=True)
    seconds = models.FloatField(default=0)  # until what was written last
    bytes = models.BigIntegerField(default=0)  # of output
    stored = models.BigIntegerField(default=0)  # bytes in its parts
    end = models.CharField(max_length=10, choices=RecordingEnd.choices, default=RecordingEnd.OPEN)

    class Meta:
        ordering = ["-began", "-pk"]

    def __str__(self) -> str:
        return f"{self.host}/{self.container} {self.pk}"

    @property
    def file_name(self) -> str:
        """What a download of it is called."""
        return f"{self.host}-{self.container}-{self.began:%Y%m%dT%H%M%SZ}-{self.pk}.cast"


class RecordingPart(models.Model):
    """Some lines of an asciicast, packed by zlib."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    lines = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["recording", "number"], name="recording_part_once")]

    def __str__(self) -> str:
        return f"{self.recording_id}.{self.number}"
