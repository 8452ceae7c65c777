"""One process at a time: a lock on a file, which the kernel takes away when the process ends, however it ends."""

import fcntl
import os
from pathlib import Path


def lock(file: Path) -> bool:
    """Locks `file` for as long as this process lives; False when another one holds it. Raises OSError."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return False
    return True
