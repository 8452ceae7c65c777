"""Files that people send for a job."""

import os
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile

from common import uploads
from common.errors import Failure


def temporary(content: bytes) -> TemporaryUploadedFile:
    upload = TemporaryUploadedFile("web.tar", "application/x-tar", len(content), None)
    upload.write(content)
    upload.seek(0)
    return upload


@pytest.mark.parametrize("make", [lambda c: SimpleUploadedFile("web.tar", c), temporary], ids=["small", "large"])
def test_a_file_is_kept_for_its_job_alone_and_dropped_once(make: object) -> None:
    upload = make(b"tar" * 1000)  # type: ignore[operator]
    key = uploads.keep(upload)
    upload.close()
    place = uploads.place_of(key)
    assert place.read_bytes() == b"tar" * 1000
    assert place.stat().st_mode & 0o777 == 0o600
    uploads.drop(key)
    uploads.drop(key)
    with pytest.raises(Failure, match="Send it again"):
        uploads.place_of(key)


def test_no_key_leads_out_of_the_folder() -> None:
    for key in ("../secret_key", "", "/etc/passwd", "a" * 33):
        with pytest.raises(Failure):
            uploads.place_of(key)
        uploads.drop(key)


def test_what_nobody_came_for_is_forgotten(settings: object) -> None:
    old, new = (uploads.keep(SimpleUploadedFile("web.tar", b"x")) for _ in range(2))
    then = time.time() - 25 * 3600
    os.utime(uploads.place_of(old), (then, then))
    uploads.forget_old()
    with pytest.raises(Failure):
        uploads.place_of(old)
    uploads.drop(uploads.place_of(new).name)
