"""Backups in an S3-compatible bucket. A file is sent in parts as it is made, and is there when the last one has come."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import urllib3.exceptions
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError

from hosts.engine.causes import classify
from hosts.engine.errors import EngineError
from hosts.registry.addresses import Level
from hosts.registry.errors import ForbiddenAddress, InsideAddress
from hosts.stores import errors
from hosts.stores.connections import SILENCE_SECONDS, Connections, Ended
from hosts.stores.packing import Pulled

BLOCK = 256 * 1024
MIB = 1024 * 1024
PARTS = 5000  # of a file of the size that was told; S3 takes 10000
LEAST_PART, UNKNOWN_PART, MOST_PART = 16 * MIB, 64 * MIB, 512 * MIB
GONE = {"NoSuchKey", "NoSuchUpload"}
KEYS_WRONG = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "AuthFailure"}
FULL = {"XMinioStorageFull", "QuotaExceeded", "EntityTooLarge", "InsufficientStorage"}


@dataclass(frozen=True)
class Bucket:
    """Where it is and who comes; the secret shows in no repr."""

    url: str  # http://host:port or https://host
    region: str
    bucket: str
    prefix: str
    access_key: str
    secret_key: str = field(repr=False)
    ca: str = ""
    inside: bool = False  # whether it may be on this machine, or in a private network


class _Client(Minio):
    """Tells the id of the upload that it begins: whoever finds a killed process's can end it by that."""

    began: Callable[[str], None] = staticmethod(lambda upload: None)

    def _create_multipart_upload(self, *args: Any, **kwargs: Any) -> str:
        upload = super()._create_multipart_upload(*args, **kwargs)
        self.began(upload)
        return upload


class S3Store:
    """Objects of a bucket, whose names begin with its prefix."""

    def __init__(self, bucket: Bucket, where: str) -> None:
        self._bucket, self._where = bucket, where
        self._connections = Connections(where, bucket.ca, Level.LOOPBACK if bucket.inside else Level.PUBLIC)
        self._failed: BaseException | None = None

    def write(self, key: str, blocks: Iterable[bytes], size: int, began: Callable[[str], None] | None = None) -> None:
        """Up to a part of it is in memory."""
        upload = ""

        def note(found: str) -> None:
            nonlocal upload
            upload = found
            if began is not None:
                began(found)

        try:
            with self._client() as client:
                client.began = note
                data: Any = Pulled(self._watched(blocks))
                part = min(MOST_PART, max(LEAST_PART, size // PARTS)) if size else UNKNOWN_PART
                client.put_object(
                    self._bucket.bucket,
                    self._name(key),
                    data,
                    -1,
                    content_type="application/zstd",
                    part_size=part,
                    num_parallel_uploads=1,
                )
        except BaseException:
            if upload:
                S3Store(self._bucket, self._where).sweep(key, upload)  # by connections that nobody has ended
            if self._failed is not None:
                raise self._failed from None  # what came of giving the upload up is not the reason
            raise

    def _watched(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        try:
            yield from blocks
        except BaseException as error:
            self._failed = error
            raise

    def read(self, key: str) -> Iterator[bytes]:
        """A block at a time."""
        with self._client() as client:
            response = client.get_object(self._bucket.bucket, self._name(key))
            try:
                whole, found = int(response.headers.get("content-length", -1)), 0
                while block := response.read(BLOCK):
                    found += len(block)
                    yield block
                if found < whole:
                    raise errors.Unreachable(where=self._where, words="it ended the connection")
            finally:
                response.close()
                response.release_conn()

    def remove(self, key: str) -> None:
        """The object; of a bucket that keeps versions, the current one."""
        with self._client() as client:
            client.remove_object(self._bucket.bucket, self._name(key))

    def sweep(self, key: str, upload: str = "") -> None:
        """Gives that upload up, so that its parts cost nothing."""
        if not upload:
            return
        try:
            with self._client() as client:
                client._abort_multipart_upload(self._bucket.bucket, self._name(key), upload)
        except errors.NotThere:
            pass

    def end(self) -> None:
        """From any thread."""
        self._connections.end()

    # ---------------------------------------------------------------- connecting
    def _name(self, key: str) -> str:
        prefix = self._bucket.prefix.strip("/")
        return f"{prefix}/{key}" if prefix else key

    def _client(self) -> "_Talking":
        parts = urlsplit(self._bucket.url)
        client = _Client(
            parts.netloc,
            access_key=self._bucket.access_key,
            secret_key=self._bucket.secret_key,
            secure=parts.scheme == "https",
            region=self._bucket.region or None,
            http_client=self._connections,
        )
        return _Talking(client, self._connections, self._where, parts.hostname or "", self._bucket.bucket)


class _Talking:
    """A client inside a block that says in our words what went wrong in it."""

    def __init__(self, client: _Client, connections: Connections, where: str, host: str, bucket: str) -> None:
        self._client, self._connections = client, connections
        self._where, self._host, self._bucket = where, host, bucket

    def __enter__(self) -> _Client:
        return self._client

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._connections.close()
        if isinstance(error, MinioException | urllib3.exceptions.HTTPError | OSError | Ended | ValueError):
            raise self._ours(error) from None  # foreign errors may hold what was sent

    def _ours(self, error: BaseException) -> EngineError:
        where = self._where
        if isinstance(error, S3Error):
            return self._said(str(error.code or ""), str(error.message or error.code or ""))
        if isinstance(error, InvalidResponseError | ServerError):
            return errors.NoS3(where=where)
        if isinstance(error, ValueError) and not isinstance(error, OSError):
            return errors.StoreError(error, where=where)
        from types import SimpleNamespace

        endpoint = SimpleNamespace(address=where, kind="tcp", tls=None, parsed=SimpleNamespace(host=self._host))
        found = classify(error, endpoint, SILENCE_SECONDS)
        if isinstance(found, errors.StoreError | ForbiddenAddress | InsideAddress):
            return found
        if found.code.startswith("certificate") or found.code == "wrong_ca":
            return errors.Untrusted(found.detail, where=where)
        return errors.Unreachable(found.detail, where=where, words=errors.WORDS.get(found.code, found.detail))

    def _said(self, code: str, message: str) -> EngineError:
        where = self._where
        if code in GONE:
            return errors.NotThere(where=where)
        if code == "NoSuchBucket":
            return errors.NoBucket(where=where, bucket=self._bucket)
        if code in KEYS_WRONG:
            return errors.KeysWrong(message, where=where)
        if code == "AccessDenied":
            return errors.NotAllowed(message, where=where, bucket=self._bucket)
        if code in FULL:
            return errors.Full(where=where)
        return errors.StoreError(f"{code}: {message}", where=where)
