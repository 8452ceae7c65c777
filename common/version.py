"""What version of Dermaga runs: its number, and the commit where it runs from a checkout."""

from pathlib import Path

NUMBER = "0.1.0"
ROOT = Path(__file__).resolve().parent.parent


def _commit() -> str:
    """The first characters of the checked-out commit, "" where there is no checkout."""
    try:
        head = (ROOT / ".git" / "HEAD").read_text().strip()
        if head.startswith("ref: "):
            name = head.removeprefix("ref: ")
            file = ROOT / ".git" / name
            packed = (ROOT / ".git" / "packed-refs").read_text() if not file.is_file() else ""
            listed = (line.split(" ", 1)[0] for line in packed.splitlines() if line.endswith(f" {name}"))
            head = file.read_text().strip() if file.is_file() else next(listed, "")
        return head[:8]
    except OSError:
        return ""


VERSION = f"{NUMBER} {_commit()}".strip()
