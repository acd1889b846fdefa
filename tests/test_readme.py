"""The programs of the README and the docs run, and the commands and names it mentions are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import srpcore

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
TEXTS = [page.read_text(encoding="utf-8") for page in (README, *sorted((ROOT / "docs").glob("*.md")))]
BLOCKS = [block for text in TEXTS for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]
COMPLETE = [block for block in BLOCKS if "LocalUserPool()" in block or "srp.Parameters" in block]


def test_the_documents_contain_programs() -> None:
    assert len(COMPLETE) >= 2


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
def test_programs_are_python_and_their_imports_exist(block: str) -> None:
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            if "rest_framework" in block:
                import support.sites  # noqa: F401 - Django wants its settings first
            exec(compile(ast.Module([node], []), "README.md", "exec"), {})


@pytest.mark.parametrize("block", COMPLETE, ids=lambda block: block.splitlines()[0])
def test_complete_programs_run(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {"Cognito": srpcore.Cognito, "srpcore": srpcore, "pytest": pytest})


def test_methods_in_the_tables_exist() -> None:
    table = README.read_text(encoding="utf-8").split("| To | call |")[1].split("\n\n")[0]
    names = set(re.findall(r"`([a-z_]+)`", table))
    assert len(names) > 20
    missing = {name for name in names if not hasattr(srpcore.Cognito, name)}
    assert missing == set()
