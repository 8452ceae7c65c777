"""What every place for backups can do."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

CHECK_KEY = ".dermaga-check"


class Store(Protocol):
    """Keys are paths of plain names. All raise StoreError."""

    def write(self, key: str, blocks: Iterable[bytes], size: int, began: Callable[[str], None] | None = None) -> None:
        """Stores a new file; nothing of that name is there before all of it is. `size` is about how much will come (0:
        nobody knows). `began` hears what `sweep` has to be told. What `blocks` raises is raised, and nothing is left."""

    def read(self, key: str) -> Iterator[bytes]:
        """The file. Raises NotThere."""

    def remove(self, key: str) -> None:
        """Deletes it; that it is gone already is no error."""

    def sweep(self, key: str, upload: str) -> None:
        """Deletes what a `write` of that key left whose process was killed; `upload` is what `began` heard, if anything."""

    def end(self) -> None:
        """Ends what goes on, from any thread."""


def check(store: Store) -> None:
    """Writes, reads and removes a small file. Raises StoreError."""
    words = b"Dermaga looked whether it can write here.\n"
    store.write(CHECK_KEY, [words], len(words))
    found = b"".join(store.read(CHECK_KEY))
    store.remove(CHECK_KEY)
    if found != words:
        from hosts.stores.errors import StoreError

        raise StoreError("what was written is not what is read")
