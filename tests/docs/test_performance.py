"""The figures in the tables of docs/performance.md and README.md are those in benchmarks/results/."""

from __future__ import annotations

import copy
import re
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


@pytest.mark.parametrize(("engines_ms", "arithmetic_ms"), [(3.1, 2.0), (2.0, 3.1)])
def test_contradictory_times_of_the_same_work_are_refused(
    engines_ms: float, arithmetic_ms: float, tool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def results(engines_ms: float, arithmetic_ms: float) -> dict[str, Any]:
        rows = {
            "srp_log_in": {"name": "srpcore, openssl", "median_ms": 2.5},
            "srp_engines": {"name": "openssl, 3072 bits", "client_ms": engines_ms},
            "log_ins_per_second": {"name": "arithmetic, openssl, 1 thread", "per_second": 1000 / arithmetic_ms},
        }
        return {name: {"results": [row]} for name, row in rows.items()}

    monkeypatch.setattr(tool, "PAGES", ())
    monkeypatch.setattr(tool, "read_results", lambda: results(engines_ms, arithmetic_ms))
    with pytest.raises(SystemExit, match=r"3\.1 ms in .* disturbed one of them"):
        tool.main(["--no-plots"])
    monkeypatch.setattr(tool, "read_results", lambda: results(2.5, 2.0))
    assert tool.main(["--no-plots"]) == 0


def test_the_work_that_is_compared_is_in_the_results(tool: Any) -> None:
    for name, row, column in tool.SAME_WORK:
        assert tool.value_by_name(tool.read_results(), name)[row][column] > 0


def installed_with(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """Return the packages that ``pip install`` of *name* installs: itself and all that it requires."""
    found: set[str] = {canonicalize_name(name)}
    for line in metadata.requires(name) or ():
        required = Requirement(line)
        if required.marker is None or any(required.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            found |= installed_with(required.name, frozenset(required.extras))
    return found


def test_the_readme_has_the_number_of_packages_that_pip_installs() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in ("srpcore", "pycognito"):
        assert f"`pip install {name}` installs {len(installed_with(name))}" in readme


def test_every_plot_exists_for_both_themes_and_has_no_date() -> None:
    images = re.findall(r"\]\(img/([\w-]+)-(light|dark)\.svg#only-(light|dark)\)", PAGE.read_text("utf-8"))
    assert images
    assert {name for name, *_ in images} == {path.stem.rpartition("-")[0] for path in (ROOT / "docs/img").glob("*.svg")}
    for name, theme, shown_in in images:
        assert theme == shown_in
        svg = (ROOT / "docs" / "img" / f"{name}-{theme}.svg").read_text("utf-8")
        assert svg.startswith("<?xml")
        assert "<dc:date>" not in svg
