"""{% import_map %}: names of our scripts and of the libraries -> addresses with their content's hash.

Scripts import each other by name ("dermaga/words"), never by path, because a path has no hash in it: after an
update a browser would go on with the old file from its cache.
"""

import json
from functools import cache
from pathlib import Path

from django import template
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "static" / "js"
LIBRARIES = {
    "idiomorph": "vendor/idiomorph/idiomorph.esm.js",
    "uplot": "vendor/uplot/uPlot.esm.js",
    "xterm": "vendor/xterm/lib/xterm.mjs",
    "xterm-fit": "vendor/xterm-addon-fit/lib/addon-fit.mjs",
}


@cache
def module_paths() -> dict[str, str]:
    """Import name -> path below the static address; `dermaga/NAME` for each of our own files."""
    own = sorted(SCRIPTS.glob("lib/*.js")) + sorted(SCRIPTS.glob("elements/*.js"))
    return {f"dermaga/{path.stem}": path.relative_to(SCRIPTS.parent).as_posix() for path in own} | LIBRARIES


@register.simple_tag
@cache
def import_map() -> SafeString:
    """The JSON of an import map; no "<" can end the script element early."""
    text = json.dumps({"imports": {name: static(path) for name, path in module_paths().items()}})
    return mark_safe(text.replace("<", "\\u003c"))  # our own file names
