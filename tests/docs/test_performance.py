"""The figures in docs/performance.md and in README.md are those in benchmarks/results/, and none is typed by hand."""

from __future__ import annotations

import copy
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "performance.md"


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return import_module("make_performance_page")


@pytest.mark.parametrize("page", ["docs/performance.md", "README.md"])
def test_a_page_has_the_figures_of_the_results(page: str, tool: Any) -> None:
    text = (ROOT / page).read_text("utf-8")
    assert "<!-- figures: " in text
    assert text == tool.render(text, tool.read_results()), "run python tools/make_performance_page.py"


def test_another_result_changes_the_pages(tool: Any) -> None:
    results = copy.deepcopy(tool.read_results())
    for row in results["srp_log_in"]["results"]:
        row["median_ms"] += 1000
    for page in tool.PAGES:
        text = page.read_text("utf-8")
        assert tool.render(text, results) != text


def test_every_benchmark_is_on_the_page(tool: Any) -> None:
    blocks = set(re.findall(r"<!-- figures: (\w+) -->", PAGE.read_text("utf-8")))
    assert blocks == {path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py")} | {"aims"}


def test_no_figure_is_typed_by_hand(tool: Any) -> None:
    by_hand = tool.BLOCK.sub("", PAGE.read_text("utf-8"))
    assert re.findall(r"\d (?:ms|µs|s|MiB|times)\b", by_hand) == []


def test_every_plot_exists_for_both_themes_and_has_no_date() -> None:
    images = re.findall(r"\]\(img/([\w-]+)-(light|dark)\.svg#only-(light|dark)\)", PAGE.read_text("utf-8"))
    assert images
    assert {name for name, *_ in images} == {path.stem.rpartition("-")[0] for path in (ROOT / "docs/img").glob("*.svg")}
    for name, theme, shown_in in images:
        assert theme == shown_in
        svg = (ROOT / "docs" / "img" / f"{name}-{theme}.svg").read_text("utf-8")
        assert svg.startswith("<?xml")
        assert "<dc:date>" not in svg
