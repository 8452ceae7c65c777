"""Which roles need a second factor."""

from django.db import models


class RoleWithSecondFactor(models.Model):
    """Who has this role logs in with a second factor, or sets one up before anything else."""

    role = models.CharField(max_length=20, primary_key=True)

    def __str__(self) -> str:
        return self.role
