"""The icons that pages use, built into one SVG sprite: `python -m common.icons`.

The drawings come from the npm package @tabler/icons; the sprite is written to build/static/img/icons.svg and
is served, hashed, as img/icons.svg. A name that is not listed here fails when the template renders, so a page
with a missing drawing never reaches a reader.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DRAWINGS = ROOT / "node_modules" / "@tabler" / "icons" / "icons" / "outline"
SPRITE = ROOT / "build" / "static" / "img" / "icons.svg"

NAMES = frozenset(
    [
        "activity",
        "adjustments",
        "alert-triangle",
        "anchor",
        "archive",
        "arrow-back-up",
        "arrow-down",
        "arrow-left",
        "arrow-narrow-down",
        "arrow-narrow-up",
        "arrow-right",
        "arrow-up",
        "arrows-maximize",
        "arrows-sort",
        "ban",
        "bell",
        "bolt",
        "bookmark",
        "box",
        "braces",
        "building-warehouse",
        "calendar",
        "certificate",
        "chart-line",
        "check",
        "chevron-down",
        "chevron-left",
        "chevron-right",
        "chevron-up",
        "circle",
        "circle-check",
        "circle-dashed",
        "circle-x",
        "clipboard",
        "clock",
        "clock-pause",
        "cloud-download",
        "cloud-upload",
        "code",
        "columns-3",
        "copy",
        "cpu",
        "database",
        "database-off",
        "device-floppy",
        "dots",
        "download",
        "edit",
        "external-link",
        "eye",
        "eye-off",
        "file-diff",
        "file-plus",
        "file-text",
        "files",
        "filter",
        "folder",
        "fingerprint",
        "folder-plus",
        "gauge",
        "hash",
        "heartbeat",
        "help",
        "hexagons",
        "history",
        "home",
        "hourglass",
        "info-circle",
        "devices",
        "key",
        "keyboard",
        "language",
        "layout-dashboard",
        "link",
        "list",
        "list-details",
        "list-search",
        "lock",
        "login",
        "logout",
        "menu-2",
        "moon",
        "network",
        "pencil",
        "photo",
        "player-pause",
        "player-play",
        "player-skip-forward",
        "player-stop",
        "plug",
        "plug-connected",
        "plug-connected-x",
        "plus",
        "power",
        "prompt",
        "refresh",
        "regex",
        "reload",
        "restore",
        "rotate-clockwise",
        "search",
        "select",
        "send",
        "route",
        "server",
        "server-2",
        "server-off",
        "settings",
        "shield-check",
        "shield-lock",
        "skull",
        "stack-2",
        "stack-3",
        "sun",
        "sun-moon",
        "tag",
        "terminal-2",
        "text-wrap",
        "trash",
        "upload",
        "user",
        "user-plus",
        "users",
        "versions",
        "volume",
        "world",
        "x",
        "zoom-in",
        "zoom-out",
    ]
) - {"volume"}  # the drawing called "volume" is a loudspeaker; storage uses "database"


class UnknownIcon(LookupError):
    """A template asks for an icon that is not in NAMES."""


def check_name(name: str) -> str:
    """`name` if the sprite has it; raises UnknownIcon, which says where to add it."""
    if name not in NAMES:
        raise UnknownIcon(f'No icon "{name}" in the sprite; add its Tabler name to NAMES in common/icons.py.')
    return name


def _symbol(name: str) -> str:
    """The drawing as a <symbol> that takes its stroke from the page."""
    source = DRAWINGS / f"{name}.svg"
    drawing = re.sub(r"<!--.*?-->", "", source.read_text(encoding="utf-8"), flags=re.DOTALL)
    inner = re.search(r"<svg[^>]*>(.*)</svg>", drawing, flags=re.DOTALL)
    if inner is None:
        raise ValueError(f"{source} is not an SVG drawing; install the npm packages again (npm ci).")
    body = "".join(line.strip() for line in inner.group(1).splitlines())
    return f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>'


def build(target: Path = SPRITE) -> int:
    """Writes the sprite to `target` unless it is there with the same content; returns the number of icons.

    Raises FileNotFoundError naming the drawing when the npm package lacks one.
    """
    symbols = "\n".join(_symbol(name) for name in sorted(NAMES))
    sprite = f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n'
    if not target.exists() or target.read_text(encoding="utf-8") != sprite:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(sprite, encoding="utf-8")
    return len(NAMES)


if __name__ == "__main__":
    try:
        count = build()
    except FileNotFoundError as error:
        sys.exit(f"No drawing at {error.filename}: run npm ci, or take the name out of common/icons.py.")
    sys.stdout.write(f"{count} icons in {SPRITE.relative_to(ROOT)}\n")
