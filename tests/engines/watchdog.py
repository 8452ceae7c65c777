"""Waits for the end of a run; cleans up when that run did not do it itself. `python -m tests.engines.watchdog N FD`."""

import os
import sys

from tests.engines import clean


def main() -> None:
    slot, lock = int(sys.argv[1]), int(sys.argv[2])
    said = sys.stdin.buffer.read()
    if said != b"clean":
        clean.clean(slot)
        clean.lock_file(slot).unlink(missing_ok=True)
    os.close(lock)


if __name__ == "__main__":
    main()
