"""Registries, and the accounts with which Dermaga logs in to them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.rights import Right
from common.secrets import EncryptedTextField
from hosts.models.base import VisibleQuerySet
from hosts.registry.names import HUB, HUB_LOGIN
from hosts.registry.places import Login, Place


class Registry(models.Model):
    """Where images come from. Docker Hub is there from the start."""

    view_right = Right.REGISTRIES_VIEW

    name = models.SlugField(max_length=63, unique=True)
    address = models.CharField(max_length=300, unique=True)  # host[:port], docker.io for Docker Hub
    ca = models.TextField(blank=True)  # PEM, trusted besides the system's CAs
    plain_http = models.BooleanField(default=False)
    # who stored the address manages all hosts, and so may let Dermaga go into private networks
    inside = models.BooleanField(default=False)
    added = models.DateTimeField(auto_now_add=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_hub(self) -> bool:
        """Whether it is Docker Hub."""
        return self.address == HUB

    @property
    def server(self) -> str:
        """What an engine that is given a login calls it."""
        return HUB_LOGIN if self.is_hub else self.address

    def place(self) -> Place:
        """How it is reached."""
        return Place(self.address, self.ca, self.plain_http, self.inside)


class RegistryAccount(models.Model):
    """A user of a registry. The secret leaves the database for a registry, a token server that it names, or the engine
    that pulls or pushes, and for nobody else."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="accounts")
    username = models.CharField(max_length=255)
    secret = EncryptedTextField()  # a password or an access token
    is_default = models.BooleanField(default=False)  # used where nobody chose one
    added = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-is_default", "username"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["registry", "username"], name="one_account_of_a_name"),
            models.UniqueConstraint(fields=["registry"], condition=Q(is_default=True), name="one_default_account"),
        ]

    def __str__(self) -> str:
        return self.username

    def login(self) -> Login:
        """For hosts.registry.client."""
        return Login(self.username, self.secret)
