"""Read the shared test vectors, or skip aloud where there are none.

They lie in the folder that the environment's SRPCORE_VECTORS names, else in ``../shared/vectors`` beside the
repository. They are never copied into it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Vector: TypeAlias = dict[str, Any]


def folder() -> Path:
    """Return the folder of the vectors; a file under it may be missing."""
    named = os.environ.get("SRPCORE_VECTORS")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "vectors"


def path(name: str) -> Path:
    """Return the path of the file or folder *name* (``cognito/log_in.jsonl``), or skip the test that asks."""
    found = folder() / name
    if not found.exists():
        pytest.skip(_reason(name))
    return found


def load(name: str) -> Any:
    """Return the JSON document *name*, or skip the test that asks."""
    return json.loads(path(name).read_text("utf-8"))


def load_lines(name: str) -> list[Vector]:
    """Return the JSON objects in *name*, one a line, or skip the test that asks."""
    return [json.loads(line) for line in path(name).read_text("utf-8").splitlines() if line.strip()]


def _lines_by_name(name: str) -> list[tuple[str, Vector]]:
    rows = load_lines(name)
    return [
        (f"{Path(name).stem}-{row.get('category', 'vector')}-{row.get('id', i)}", row) for i, row in enumerate(rows)
    ]


def each(
    *names: str, rows: Callable[[str], Iterable[tuple[str, Vector]]] = _lines_by_name
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Parametrize a test with ``vector``, one object each of the files *names*: one skipped test where there are none.

    *rows* turns a file's name into (test id, vector) pairs; by default the file has one JSON object a line.
    """
    missing = [name for name in names if not (folder() / name).exists()]
    if missing:
        reason = _reason(", ".join(missing))
        return pytest.mark.parametrize("vector", [pytest.param({}, marks=pytest.mark.skip(reason=reason))])
    found = [pytest.param(vector, id=label) for name in names for label, vector in rows(name)]
    return pytest.mark.parametrize("vector", found)


def _reason(name: str) -> str:
    return f"no vectors {name} in {folder()}: set SRPCORE_VECTORS to the folder that has them"
