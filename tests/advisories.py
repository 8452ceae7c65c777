"""`python -m tests.advisories`: asks for published vulnerabilities of all that is installed, Python's and the browser's.

Ends with 1 when there are any. Where the advisories cannot be asked, as without a way to the internet or by a mirror that has
none, a line says so and it ends with 0; with AUDIT=required in the environment that is a failure, too.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
SECONDS = 120
PYTHON = [
    *(sys.executable, "-m", "pip_audit", "--requirement", "constraints.txt", "--no-deps", "--disable-pip"),
    *("--progress-spinner", "off", "--format", "json", "--timeout", "10"),
]
BROWSER = ["npm", "audit", "--json"]


class NotAsked(Exception):
    """The advisories could not be asked; why."""


def answer_of(command: list[str]) -> Any:
    """What the command says, as JSON. It may end with 1: then it has found something. Raises NotAsked."""
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=SECONDS)
    except FileNotFoundError as error:
        raise NotAsked(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise NotAsked(f"no answer within {SECONDS} s") from error
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise NotAsked(lines[-1][:200] if lines else "it said nothing") from error


def of_python(command: list[str]) -> list[str]:
    """A line for each vulnerability. Raises NotAsked, also when only some packages could not be asked about."""
    told = answer_of(command)
    packages = told.get("dependencies", []) if isinstance(told, dict) else []
    found = [
        f"{package['name']} {package['version']}: {one['id']}, mended in {', '.join(one['fix_versions']) or 'no release yet'}"
        for package in packages
        for one in package.get("vulns", [])
    ]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if not found and (skipped or not packages):
        raise NotAsked(f"nothing is known of {len(skipped)} of {len(packages)} packages")
    return found


def of_browser(command: list[str]) -> list[str]:
    """The same of npm's packages."""
    told = answer_of(command)
    if not isinstance(told, dict) or "vulnerabilities" not in told:
        raise NotAsked(str(told.get("message", "no report"))[:60] if isinstance(told, dict) else "no report")
    return [
        f"{name} {one.get('range', '')}: {', '.join(via['title'] if isinstance(via, dict) else via for via in one['via'])}"
        for name, one in told["vulnerabilities"].items()
    ]


def main(python: list[str] = PYTHON, browser: list[str] = BROWSER) -> int:
    """The exit status."""
    found, unasked = 0, 0
    for noun, ask, command in (("Python", of_python, python), ("the browser", of_browser, browser)):
        try:
            for line in ask(command):
                print(f"VULNERABLE ({noun}): {line}")
                found += 1
        except NotAsked as reason:
            print(f"WARNING: the advisories for packages of {noun} could not be asked: {reason}")
            unasked += 1
    if not found and not unasked:
        print("No published vulnerability in what is installed.")
    return int(bool(found) or (bool(unasked) and os.environ.get("AUDIT") == "required"))


if __name__ == "__main__":
    sys.exit(main())
