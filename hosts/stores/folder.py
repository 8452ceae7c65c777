"""Backups in a folder of the machine that Dermaga runs on, inside one that its administrator allowed.

Every step of the way is opened by itself and must be a folder, not a link: whoever can write into the folder cannot lead us
out of it.
"""

import errno
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath

from hosts.stores.errors import Full, NoFolder, NotThere, StoreError

BLOCK = 256 * 1024
PART = ".part"  # what half a file ends with
A_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class FolderStore:
    """Files below `path`, which is, or is inside of, one of `allowed`."""

    def __init__(self, path: str, allowed: Sequence[str], where: str) -> None:
        self.where = where
        self._root, self._way = _split(path, allowed, where)

    def write(self, key: str, blocks: Iterable[bytes], size: int, began: Callable[[str], None] | None = None) -> None:
        """Under another name until all of it is on the disk."""
        with self._folder_of(key, make=True) as (folder, name):
            half = f".{name}.{secrets.token_hex(4)}{PART}"
            file = os.open(
                half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder
            )
            try:
                self._fill(file, blocks)
                os.rename(half, name, src_dir_fd=folder, dst_dir_fd=folder)
                os.fsync(folder)
            except OSError as error:
                raise self._ours(error) from error
            finally:
                os.close(file)
                with suppress(OSError):
                    os.unlink(half, dir_fd=folder)

    def _fill(self, file: int, blocks: Iterable[bytes]) -> None:
        for block in blocks:
            view = memoryview(block)
            while view:
                try:
                    view = view[os.write(file, view) :]
                except OSError as error:
                    raise self._ours(error) from error
        os.fsync(file)

    def read(self, key: str) -> Iterator[bytes]:
        """A block at a time."""
        with self._folder_of(key) as (folder, name):
            try:
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            except OSError as error:
                raise self._ours(error) from error
        try:
            while block := os.read(file, BLOCK):
                yield block
        except OSError as error:
            raise self._ours(error) from error
        finally:
            os.close(file)

    def remove(self, key: str) -> None:
        """The file; folders stay."""
        try:
            with self._folder_of(key) as (folder, name):
                os.unlink(name, dir_fd=folder)
        except NotThere:
            pass
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise self._ours(error) from error

    def sweep(self, key: str, upload: str) -> None:
        """Halves of that name."""
        try:
            with self._folder_of(key) as (folder, name):
                for entry in os.listdir(folder):
                    if entry.startswith(f".{name}.") and entry.endswith(PART):
                        os.unlink(entry, dir_fd=folder)
        except NotThere:
            pass
        except OSError as error:
            raise self._ours(error) from error

    def end(self) -> None:
        """A disk does not wait."""

    @contextmanager
    def _folder_of(self, key: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The open folder that the key's file is in, and the file's name."""
        *way, name = key.split("/")
        if not all(part and part not in {".", ".."} for part in [*way, name]):
            raise StoreError("no key", where=self.where)
        try:
            folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise NoFolder(error.strerror or error, where=self.where) from error
        try:
            for n, part in enumerate([*self._way, *way]):
                own = n >= len(self._way)  # below it the folders are ours
                if make and own:
                    with suppress(FileExistsError):
                        os.mkdir(part, 0o700, dir_fd=folder)
                try:
                    inner = os.open(part, A_FOLDER, dir_fd=folder)
                except OSError as error:
                    if own and error.errno == errno.ENOENT:
                        raise NotThere(where=self.where) from error
                    raise NoFolder(f"{part}: {_words(error)}", where=self.where) from error
                os.close(folder)
                folder = inner
            yield folder, name
        except OSError as error:
            raise self._ours(error) from error
        finally:
            os.close(folder)

    def _ours(self, error: OSError) -> StoreError:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return Full(where=self.where)
        if error.errno == errno.ENOENT:
            return NotThere(where=self.where)
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            return NoFolder(_words(error), where=self.where)
        return StoreError(_words(error), where=self.where)


def _words(error: OSError) -> str:
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return "it is a link or no folder"
    return error.strerror or str(error)


def _split(path: str, allowed: Sequence[str], where: str) -> tuple[str, tuple[str, ...]]:
    """The allowed folder that `path` is in, and the way from there."""
    wanted = PurePosixPath(os.path.normpath(path))
    for folder in sorted(allowed, key=len, reverse=True):
        with suppress(ValueError):
            return folder, wanted.relative_to(os.path.normpath(folder)).parts
    raise NoFolder("it is in none of them", where=where)
