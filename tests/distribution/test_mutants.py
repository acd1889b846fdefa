"""The scope of the mutation tests, the reasons for survivors, and the page with the results."""

from __future__ import annotations

import re
import runpy
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import srpcore
import srpcore_transports

ROOT = Path(__file__).resolve().parents[2]
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(ROOT / "tools"))
    TOOL: dict[str, Any] = runpy.run_path(str(ROOT / "tools" / "mutants.py"))
MODULES = [
    path.relative_to(folder.parent).as_posix()
    for folder in (Path(srpcore.__file__).parent, Path(srpcore_transports.__file__).parent)  # perhaps of the wheel
    for path in folder.rglob("*.py")
]


def mutated(path: str) -> bool:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    return any(fnmatch(path, pattern) for pattern in options["only_mutate"])


def test_everything_in_the_scope_exists() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    for pattern in options["only_mutate"]:
        assert any(fnmatch(path, pattern) for path in MODULES), pattern
    assert {*options["source_paths"]} == {*TOOL["SOURCES"].values()}
    assert all((ROOT / path).exists() for path in (*TOOL["OTHERS"], *TOOL["TESTS"]))


def test_every_reason_can_be_compared_with_a_survivor() -> None:
    rules = tomllib.loads((ROOT / "tools" / "surviving_mutants.toml").read_text("utf-8"))["rule"]
    for rule in rules:
        assert {"change", "reason"} <= rule.keys() <= {"where", "change", "reason"}
        assert all(re.compile(rule[name]) for name in ("where", "change") if name in rule)
        assert rule["reason"]
        assert not rule["reason"].endswith(".")


@pytest.mark.parametrize(
    ("name", "function"),
    [("srpcore.a.x_parse__mutmut_3", "parse"), ("srpcore.a.xǁFolderǁopened__mutmut_12", "Folder.opened")],
)
def test_a_mutant_names_its_function(name: str, function: str) -> None:
    assert TOOL["Mutant"]("srpcore/a.py", name, 0).function() == function


def test_a_survivor_gets_the_reason_of_the_first_rule_that_fits() -> None:
    mutant = TOOL["Mutant"]("srpcore/store/record.py", "srpcore.store.record.x_check__mutmut_1", 0)
    reason = TOOL["reason"](mutant, "- return cast(str, value)\n+ return cast(None, value)")
    assert reason.startswith("typing.cast()")
    assert TOOL["reason"](mutant, "- return 1\n+ return 2") is None


def test_the_score_counts_survivors_and_functions_without_a_test() -> None:
    found = [TOOL["Mutant"]("a.py", f"a.x_f__mutmut_{code}", code) for code in (0, 1, 33, 36, None)]
    assert [*TOOL["scores"](found)][-1] == ("total", "5", "4", "1", "2", "50.0 %")


def test_the_page_names_only_modules_that_exist() -> None:
    page = (ROOT / "docs" / "mutants.md").read_text("utf-8")
    assert "<!-- results -->" in page
    paths = re.findall(r"^\| (srpcore\S+\.py) \|", page, re.MULTILINE)
    assert paths
    for path in paths:
        assert path in MODULES
        assert mutated(path)


@pytest.mark.parametrize(
    ("codes", "paths", "sentence"),
    [
        ((0, 1), [], "All 2 mutants were tested."),
        (
            (0, 1),
            ["srpcore/crypto", "srpcore/pool.py"],
            "All 2 mutants of srpcore/crypto, srpcore/pool.py were tested.",
        ),
        ((0, 1, None), [], "This is a random sample: 2 of 3 mutants."),
        ((1, None), ["srpcore/crypto"], "This is a random sample: 1 of 2 mutants of srpcore/crypto."),
    ],
)
def test_the_page_names_what_was_tested(codes: tuple[int | None, ...], paths: list[str], sentence: str) -> None:
    found = [TOOL["Mutant"]("a.py", f"a.x_f__mutmut_{code}", code) for code in codes]
    assert TOOL["scope"](found, paths) == sentence


@pytest.mark.parametrize(
    ("arguments", "codes", "written"),
    [
        ([], (1, 1), True),
        ([], (1, None), False),
        (["a.py"], (1, 1), False),
        (["--report"], (1, 1), False),
        (["--page", "a.py"], (1, None), True),
    ],
)
def test_the_page_is_written_when_all_mutants_were_tested(
    arguments: list[str], codes: tuple[int | None, ...], written: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = TOOL["main"]
    found = [TOOL["Mutant"]("a.py", f"a.x_f__mutmut_{number}", code) for number, code in enumerate(codes)]
    (tmp_path / "page.md").write_text("Text.\n\n<!-- results -->\n", "utf-8")
    replaced: dict[str, Any] = {
        "prepare": lambda _processes: False,
        "test": lambda _names, _processes: None,
        "mutants": lambda _paths: iter(found),
        "metadata": SimpleNamespace(version=lambda _name: "1.0"),
        "COPY": tmp_path,
        "PAGE": tmp_path / "page.md",
    }
    for name, value in replaced.items():
        monkeypatch.setitem(main.__globals__, name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["mutants.py", *arguments])
    main()
    assert ("| total | 2 |" in (tmp_path / "page.md").read_text("utf-8")) is written
