"""`python -m api.examples` writes docs/api-examples.md."""

from pathlib import Path

from api.examples import document

(Path(__file__).resolve().parents[2] / "docs" / "api-examples.md").write_text(document())
