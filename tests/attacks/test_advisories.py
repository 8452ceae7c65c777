"""What `make audit` makes of what the auditing commands say, or do not say."""

import json
import sys
from typing import Any

import pytest

from tests import advisories

SAFE = {"dependencies": [{"name": "django", "version": "5.2.19", "vulns": []}], "fixes": []}
UNSAFE = {
    "dependencies": [
        {"name": "quay", "version": "1.0", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"]}]},
        {"name": "mole", "skip_reason": "Dependency not found"},
    ]
}
UNKNOWN = {"dependencies": [{"name": "quay", "skip_reason": "Dependency not found"}], "fixes": []}
CLEAN = {"vulnerabilities": {}}
BROKEN = {"vulnerabilities": {"pier": {"range": "<2", "via": [{"title": "Prototype pollution"}, "mole"]}}}
REFUSED = {"message": "405 Method Not Allowed", "statusCode": 405}


def says(told: Any, status: int = 0) -> list[str]:
    """A command that says this."""
    text = told if isinstance(told, str) else json.dumps(told)
    return [
        sys.executable,
        "-c",
        f"import sys; print({text!r}); print('no route', file=sys.stderr); sys.exit({status})",
    ]


@pytest.mark.parametrize(
    "python, browser, status, words",
    [
        (says(SAFE), says(CLEAN), 0, "No published vulnerability"),
        (says(UNSAFE, 1), says(CLEAN), 1, "quay 1.0: PYSEC-2026-1, mended in 1.1"),
        (says(SAFE), says(BROKEN, 1), 1, "pier <2: Prototype pollution, mole"),
        (says(UNKNOWN), says(BROKEN, 1), 1, "nothing is known of 1 of 1 packages"),
        (says(UNKNOWN), says(CLEAN), 0, "WARNING: the advisories for packages of Python could not be asked"),
        (says(SAFE), says(REFUSED, 1), 0, "405 Method Not Allowed"),
        (says("", 1), says("", 1), 0, "no route"),
        (["no-such-command"], says(CLEAN), 0, "no-such-command is not installed"),
    ],
)
def test_it_says_what_there_is_and_what_it_could_not_ask(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    python: list[str],
    browser: list[str],
    status: int,
    words: str,
) -> None:
    monkeypatch.delenv("AUDIT", raising=False)
    assert advisories.main(python, browser) == status
    told = capsys.readouterr().out
    assert words in told
    monkeypatch.setenv("AUDIT", "required")  # where it has to be possible
    assert advisories.main(python, browser) == (1 if status or "WARNING" in told else 0)
