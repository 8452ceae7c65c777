"""Lists as people like them."""

from django.db import models
from django.urls import reverse

from accounts.models.users import User


class SavedView(models.Model):
    """A list as somebody likes it: its filters, search, order and groups under a name. Nobody else sees it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=60)  # the list's name in the URLs
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="view_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        """Where it is shown."""
        return f"{reverse(self.page)}?{self.query}"
