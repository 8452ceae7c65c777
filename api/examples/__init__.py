"""An example of every operation, for the OpenAPI document and for docs/api-examples.md: `python -m api.examples` writes that.

One file a noun beside this one: {"POST networks/{host}": {"path": {"host": "fra-1"}, "query": "...", "body": {...},
"status": 201, "answer": {...}}}. `form` instead of `body` is sent as multipart (@name is a file), `file` is a body or an
answer that is no JSON.
"""

import json
import shlex
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PREFIX = "/api/v1/"


@dataclass(frozen=True)
class Example:
    """One call and its answer. `text` is an answer that is no JSON."""

    operation: str
    noun: str
    path: dict[str, str] = field(default_factory=dict)
    query: str = ""
    body: Any = None
    form: dict[str, str] | None = None
    status: int = 200
    answer: Any = None
    text: str = ""
    save: str = ""  # the file that an answer goes into

    @property
    def method(self) -> str:
        """GET"""
        return self.operation.partition(" ")[0]

    @property
    def url(self) -> str:
        """/api/v1/networks/fra-1"""
        place = self.operation.partition(" ")[2].format(**self.path)
        return f"{PREFIX}{place}{'?' if self.query else ''}{self.query}"

    def curl(self) -> str:
        """The line to type; TOKEN and DERMAGA (https://dermaga.example) are in the environment."""
        words = ["curl", '-H "Authorization: Bearer $TOKEN"']
        if self.method != ("POST" if self.form or self.body is not None else "GET"):
            words.append(f"-X {self.method}")
        if self.body is not None:
            words.append(f"--json {shlex.quote(json.dumps(self.body))}")
        words += [f"-F {shlex.quote(f'{name}={value}')}" for name, value in (self.form or {}).items()]
        return " ".join([*words, f'"$DERMAGA{self.url}"', *([f"-o {self.save}"] if self.save else [])])

    def describe(self, operation: dict[str, Any]) -> None:
        """Puts it into its operation of the OpenAPI document."""
        if self.body is not None:
            operation["requestBody"]["content"]["application/json"]["example"] = self.body
        answers = {int(status): answer for status, answer in operation["responses"].items() if status != "default"}
        if self.answer is not None and "content" in answers.get(self.status, {}):
            answers[self.status]["content"]["application/json"]["example"] = self.answer


@cache
def examples() -> dict[str, Example]:
    """METHOD path -> its example."""
    found = {}
    for file in sorted(HERE.glob("*.json")):
        for operation, entry in json.loads(file.read_text()).items():
            found[operation] = Example(operation, file.stem, **entry)
    return found


def example_of(method: str, path: str) -> Example | None:
    """That of an operation of the OpenAPI document."""
    return examples().get(f"{method.upper()} {path.removeprefix(PREFIX)}")


def document() -> str:
    """docs/api-examples.md"""
    parts = [(HERE / "head.md").read_text()]
    noun = ""
    for example in examples().values():
        if example.noun != noun:
            noun = example.noun
            parts.append(f"## {noun.replace('_', ' ').capitalize()}\n")
        parts.append(f"### {example.operation}\n\n```text\n{example.curl()}\n```\n\n{_answer(example)}")
    return "\n".join(parts)


def _answer(example: Example) -> str:
    if example.answer is not None:
        text = json.dumps(example.answer, ensure_ascii=False)
        text = text if len(text) < 110 else json.dumps(example.answer, ensure_ascii=False, indent=1)
        return f"{example.status}\n\n```json\n{text}\n```\n"
    if example.text:
        return f"{example.status}\n\n```text\n{example.text}\n```\n"
    return f"{example.status}{f', into {example.save}' if example.save else ', without a body'}\n"
