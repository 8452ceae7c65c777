"""Files that people send for a job, kept in the data folder until the job has handed them on.

Web and worker processes on several machines need a data folder that they share.
"""

import contextlib
import os
import re
import time
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.utils.translation import gettext_noop

from common.errors import Failure

KEY = re.compile(r"[0-9a-f]{32}")
GONE = gettext_noop("The file that was sent is not kept any more. Send it again.")


def keep(upload: "UploadedFile[Any]") -> str:
    """Keeps the file and gives its key, for the job's parameters. A large one is not copied."""
    key = uuid.uuid4().hex
    place = settings.UPLOADS / key
    if isinstance(upload, TemporaryUploadedFile):
        with contextlib.suppress(OSError):  # a folder without hard links: then by copy
            os.link(upload.temporary_file_path(), place)  # its first name goes when the request ends
            place.chmod(0o600)
            return key
    with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for block in upload.chunks():
            file.write(block)
    return key


def place_of(key: str) -> Path:
    """Where it is. Raises Failure when it is gone, as after its job ended once."""
    place = settings.UPLOADS / key
    if not KEY.fullmatch(key) or not place.is_file():
        raise Failure("no_upload", 410, GONE)
    return Path(place)


def are_kept(*keys: str) -> bool:
    """Whether all of them are there still."""
    return all(KEY.fullmatch(key) and (settings.UPLOADS / key).is_file() for key in keys)


def hand_over(key: str) -> str:
    """Another key for the file, which the old one no longer names: who had it cannot drop it any more. Raises Failure
    when it is gone."""
    new = uuid.uuid4().hex
    try:
        place_of(key).rename(settings.UPLOADS / new)
    except FileNotFoundError as error:
        raise Failure("no_upload", 410, GONE) from error
    (settings.UPLOADS / new).touch()  # it is kept for a while from now on
    return new


def drop(*keys: str) -> None:
    """Deletes them; nothing happens when they are gone."""
    for key in keys:
        if KEY.fullmatch(key):
            with contextlib.suppress(FileNotFoundError):
                (settings.UPLOADS / key).unlink()


def forget_old() -> None:
    """Deletes what nobody came for: what is older than UPLOADS_KEPT_HOURS, halves of broken uploads too."""
    before = time.time() - settings.UPLOADS_KEPT_HOURS * 3600
    for place in settings.UPLOADS.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if place.stat().st_mtime < before:
                place.unlink()
