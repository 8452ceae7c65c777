"""`python -m benchmarks.latest`: shows in docs/performance.md what the newest results say; each benchmark does it too."""

import json
from pathlib import Path
from typing import Any

from benchmarks.figures import RESULTS

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- latest figures: written by the benchmarks -->", "<!-- end of the latest figures -->"


def show() -> None:
    """Writes the figures between the two marks of the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{figures()}{END}{rest.partition(END)[2]}")


def figures() -> str:
    """All results as Markdown."""
    return "".join(_section(json.loads(file.read_text())) for file in sorted(RESULTS.glob("*.json")))


def _section(result: dict[str, Any]) -> str:
    machine = result["machine"]
    rows = "".join(_row(figure) for figure in result["figures"])
    return (
        f"\n### {result['benchmark']}\n\n{result['at'][:10]}, {machine['cores']} cores ({machine['cpu']}), "
        f"{round(machine['memory_mib'] / 1024)} GiB, load {machine['load']} at the end\n\n"
        f"| measure | value | target | |\n|---|---|---|---|\n{rows}\n"
    )


def _row(figure: dict[str, Any]) -> str:
    name = f"{figure['measure']} / {figure['against']}" if figure["against"] else figure["measure"]
    unit = f" {figure['unit']}".rstrip()
    target = "" if figure["target"] is None else f"≤ {figure['target']:g}{unit}"
    verdict = {True: "met", False: "**not met**", None: ""}[figure["met"]]
    return f"| {name} | {figure['value']:g}{unit} | {target} | {verdict} |\n"


if __name__ == "__main__":
    show()
