"""The table of faults in the docs is generated from the catalogue."""

from __future__ import annotations

from pathlib import Path

from .table import render

ROOT = Path(__file__).parents[2]


def test_the_table_in_the_docs_is_up_to_date() -> None:
    assert (ROOT / "docs" / "faults.md").read_text("utf-8") == render(), "python tests/faults/table.py > docs/faults.md"
