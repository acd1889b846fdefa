"""The table of the local pool's operations in the documentation follows from the code."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_has_the_present_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    tool = import_module("make_local_pool_table")
    page = tool.PAGE.read_text("utf-8")
    assert page == tool.with_table(page), "run: python tools/make_local_pool_table.py"
    assert tool.main(["--check"]) == 0
