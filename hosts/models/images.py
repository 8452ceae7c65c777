"""Images of a host."""

from django.db import models
from django.db.models.functions import Cast, Lower

from accounts.rights import Right
from hosts.models.base import Shared


class Image(Shared):
    """An image; `name` is its first tag, "" for a dangling one."""

    view_right = Right.IMAGES_VIEW
    key_column = "engine_id"

    engine_id = models.CharField(max_length=100)
    name = models.CharField(max_length=500, blank=True)
    tags = models.JSONField(default=list)
    digests = models.JSONField(default=list)
    size = models.BigIntegerField(default=0)
    dangling = models.BooleanField(default=False)
    # all its names as one text, which a search looks through
    words = models.GeneratedField(
        expression=Lower(Cast("tags", models.TextField())), output_field=models.TextField(), db_persist=True
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "engine_id"], name="image_once")]
        indexes = [models.Index(fields=["name"]), models.Index(fields=["engine_id"])]

    def __str__(self) -> str:
        return self.name or self.engine_id
