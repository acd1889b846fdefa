"""Read the test vectors that are stored in ``tests/vectors``.

A missing file is an error: without the vectors the tests would prove little.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Vector: TypeAlias = dict[str, Any]

FOLDER = Path(__file__).resolve().parents[1] / "vectors"


def load(name: str) -> Any:
    """Return the JSON document *name*, such as ``rfc5054/appendix_b.json``."""
    return json.loads((FOLDER / name).read_text("utf-8"))


def load_lines(name: str) -> list[Vector]:
    """Return the JSON objects in *name*, which has one on each line, such as ``cognito/log_in.jsonl``."""
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines() if line.strip()]


def _lines_by_name(name: str) -> list[tuple[str, Vector]]:
    return [(f"{Path(name).stem}-{row['category']}-{row['id']}", row) for row in load_lines(name)]


def each(
    *names: str, rows: Callable[[str], Iterable[tuple[str, Vector]]] = _lines_by_name
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Parametrize a test with ``vector``: it runs once for each vector in the files *names*.

    *rows* turns a file's name into (test id, vector) pairs; by default the file has one JSON object on each line.
    """
    found = [pytest.param(vector, id=label) for name in names for label, vector in rows(name)]
    # pytest would skip a test that has no parameters.
    assert found, f"there are no vectors in {names}"
    return pytest.mark.parametrize("vector", found)
