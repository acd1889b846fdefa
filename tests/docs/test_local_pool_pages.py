"""The pages about the local pool follow from the code: the lists of operations, and the options of ``srpcore serve``."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from srpcore.cli.parser import make_parser

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_has_the_present_lists_of_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    tool = import_module("make_local_pool_table")
    page = tool.PAGE.read_text("utf-8")
    assert page == tool.with_table(page), "run: python tools/make_local_pool_table.py"
    assert tool.main(["--check"]) == 0


def test_the_page_names_the_options_of_serve(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make_parser().parse_args(["serve", "--help"])
    options = set(re.findall(r"(?<!\S)\[?(--[a-z-]+)", capsys.readouterr().out)) - {"--help"}
    page = (ROOT / "docs" / "local-pool-server.md").read_text("utf-8")
    rows = re.findall(r"^\| (`--.*?) \|", page, re.MULTILINE)
    assert set(re.findall(r"--[a-z-]+", " ".join(rows))) == options
