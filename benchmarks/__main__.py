"""`python -m benchmarks [NAME ...]`: runs the benchmarks (all of them without a name), prints and writes their figures."""

import sys
from importlib import import_module
from pathlib import Path

from benchmarks import latest
from benchmarks.figures import Figure, table, write
from tests.engines.run import close_current, what_ran

PARTS = {"__init__", "__main__", "figures", "latest", "processes", "clients", "writers"}


def names() -> list[str]:
    """The benchmarks there are."""
    return sorted(file.stem for file in Path(__file__).parent.glob("*.py") if file.stem not in PARTS)


def main(asked: list[str]) -> int:
    """Runs the benchmarks `asked` for; 2 for a name that there is not."""
    if unknown := [name for name in asked if name not in names()]:
        print(f"There is no benchmark {unknown[0]}. There are: {', '.join(names())}.", file=sys.stderr)
        return 2
    everything: list[Figure] = []
    for name in asked or names():
        print(f"{name} ...", flush=True)
        try:
            figures = import_module(f"benchmarks.{name}").run()
            write(name, figures, what_ran())
            latest.show()
        finally:
            close_current()
        print(table(figures), end="\n\n", flush=True)
        everything += figures
    missed = sum(figure.met is False for figure in everything)
    print(f"{len(everything)} figures, {missed} targets not met.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
