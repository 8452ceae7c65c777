"""Backups of volumes, and the places where they lie."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.rights import Reach, Right
from common.secrets import EncryptedTextField
from hosts.models.base import VisibleQuerySet
from hosts.stores.errors import WrongHash
from hosts.stores.folder import FolderStore
from hosts.stores.packing import Sealed
from hosts.stores.s3 import Bucket, S3Store
from hosts.stores.store import Store
from jobs.models import Job, Schedule, lock


class DestinationKind(models.TextChoices):
    """What it is."""

    FOLDER = "folder", _("Folder")
    S3 = "s3", _("S3 bucket")


class Destination(models.Model):
    """A place for backups. Its secret leaves the database for that place and for nobody else."""

    view_right = Right.BACKUPS_VIEW

    name = models.SlugField(max_length=63, unique=True)
    kind = models.CharField(max_length=10, choices=DestinationKind.choices)
    folder = models.CharField(max_length=1000, blank=True)
    # of a bucket: https://host[:port], and the names of its objects begin with `prefix`
    url = models.CharField(max_length=500, blank=True)
    region = models.CharField(max_length=100, blank=True)
    bucket = models.CharField(max_length=255, blank=True)
    prefix = models.CharField(max_length=500, blank=True)
    access_key = models.CharField(max_length=255, blank=True)
    secret_key = EncryptedTextField(blank=True)
    ca = models.TextField(blank=True)  # PEM, trusted besides the system's CAs
    # who stored the address manages all hosts, and so may let Dermaga go into private networks
    inside = models.BooleanField(default=False)
    added = models.DateTimeField(auto_now_add=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    @classmethod
    def within(cls, reach: Reach) -> Q:
        """All: whoever sees a backup sees where it lies."""
        return Q()

    def __str__(self) -> str:
        return self.name

    def store(self) -> Store:
        """The way to it. Raises StoreError for what cannot be one any more."""
        if self.kind == DestinationKind.FOLDER:
            return FolderStore(self.folder, settings.DERMAGA_BACKUP_FOLDERS, self.name)
        keys = (self.access_key, self.secret_key)
        bucket = Bucket(self.url, self.region, self.bucket, self.prefix, *keys, self.ca, self.inside)
        return S3Store(bucket, self.name)

    @property
    def place(self) -> str:
        """Where it is, in short."""
        if self.kind == DestinationKind.FOLDER:
            return self.folder
        return "/".join(filter(None, (self.url, self.bucket, self.prefix)))


class BackupState(models.TextChoices):
    """Whether it may be used."""

    WRITING = "writing", _("being written")  # shown nowhere: what a killed worker leaves is swept by it
    KEPT = "kept", _("kept")


class Backup(models.Model):
    """One file at a destination. Host and volume are names: a backup outlives both.

    It is the team's whose the volume is that it was made of. A volume that is given to another team takes its backups
    along; when it is gone they stay whose they were, and another one of that name has no claim on them."""

    view_right = Right.BACKUPS_VIEW

    host = models.CharField(max_length=63, db_index=True)
    volume = models.CharField(max_length=255, db_index=True)
    # that volume as long as it is there (hosts.inventory.backups)
    of_volume = models.ForeignKey("hosts.Volume", null=True, on_delete=models.SET_NULL, related_name="backups")
    owner = models.ForeignKey("accounts.Team", null=True, on_delete=models.SET_NULL, related_name="+")
    destination = models.ForeignKey(Destination, on_delete=models.PROTECT, related_name="backups")
    key = models.CharField(max_length=1000)
    upload = models.CharField(max_length=1000, blank=True)  # by which a bucket knows the parts of half a file
    state = models.CharField(max_length=10, choices=BackupState.choices, default=BackupState.WRITING)
    bytes = models.BigIntegerField(default=0)  # of the file
    content_bytes = models.BigIntegerField(default=0)  # of the files in it
    entries = models.BigIntegerField(default=0)  # files, folders and links
    sha256 = models.CharField(max_length=64, blank=True)  # of the file
    content = models.CharField(max_length=64, blank=True)  # hosts.engine.archives.Recast.digest
    labels = models.JSONField(default=dict)  # of the volume
    created = models.DateTimeField(auto_now_add=True, db_index=True)
    by_name = models.CharField(max_length=150)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    schedule = models.ForeignKey(Schedule, null=True, on_delete=models.SET_NULL, related_name="+")
    checked = models.DateTimeField(null=True)  # when the file was last read and its hash was right

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-pk"]

    def __str__(self) -> str:
        return f"{self.host}/{self.volume}"

    @classmethod
    def within(cls, reach: Reach) -> Q:
        """Those of volumes of the hosts of these names, and of teams there."""
        return reach.within("host", "owner")

    @property
    def places(self) -> list[str]:
        """As of what is on a host (hosts.models.base.OnHost)."""
        return [self.host]

    @property
    def file_name(self) -> str:
        """What a download of it is called."""
        return self.key.rpartition("/")[2]

    @property
    def lock(self) -> str:
        """What keeps it there while it is read."""
        return lock("", "backup", str(self.pk))

    def compare(self, sealed: Sealed) -> None:
        """Raises WrongHash when what went by is not what was stored."""
        if (sealed.bytes, sealed.sha256) != (self.bytes, self.sha256):
            raise WrongHash(where=self.destination.name)

    @classmethod
    def kept(cls) -> "VisibleQuerySet":
        """Those that are whole."""
        found: Any = cls.objects.filter(state=BackupState.KEPT)
        return found
