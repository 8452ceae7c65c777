"""Prometheus' text format, version 0.0.4. Three rules and no library: escaped labels, one HELP and TYPE a family, each
set of labels once."""

from collections.abc import Iterator, Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Exposition:
    """Families of numbers, in the order in which they were first named."""

    def __init__(self) -> None:
        self._families: dict[str, tuple[str, str, dict[str, float]]] = {}

    def gauge(self, name: str, words: str, value: float | None, /, **labels: str) -> None:
        """A number that goes up and down; None is left out."""
        self._add(name, "gauge", words, value, labels)

    def counter(self, name: str, words: str, value: float | None, /, **labels: str) -> None:
        """A number that only grows; `name` ends with _total."""
        self._add(name, "counter", words, value, labels)

    def _add(self, name: str, kind: str, words: str, value: float | None, labels: Mapping[str, str]) -> None:
        if value is not None:
            pairs = ",".join(f'{label}="{escaped(text)}"' for label, text in labels.items())
            self._families.setdefault(name, (kind, words, {}))[2][f"{{{pairs}}}" if pairs else ""] = value

    def __str__(self) -> str:
        return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for name, (kind, words, values) in self._families.items():
            yield f"# HELP dermaga_{name} {words}\n# TYPE dermaga_{name} {kind}\n"
            for labels, value in values.items():
                yield f"dermaga_{name}{labels} {value:.15g}\n"


def escaped(text: str) -> str:
    """A label's value as the format wants it."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
