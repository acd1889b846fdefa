"""The layout of the tests: what several test modules use is in tests/support/, not in another test module."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

MODULES = sorted(path.relative_to(TESTS).as_posix() for path in TESTS.rglob("*.py"))


def imported_modules(source: str) -> list[str]:
    """Return the dotted names that *source* imports, in functions too. ``from a import b`` gives ``a.b``."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module or ''}.{alias.name}" for alias in node.names]
    return names


def imports_of_test_modules(source: str) -> list[str]:
    """Return the imported names that are in a test module or in a conftest."""
    return [
        name
        for name in imported_modules(source)
        if any(part == "conftest" or part.startswith("test_") for part in name.split("."))
    ]


def test_no_module_imports_a_test_module_or_a_conftest() -> None:
    found = {
        module: names
        for module in MODULES
        if (names := imports_of_test_modules((TESTS / module).read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "from client.conftest import World",
        "from .conftest import World",
        "from . import conftest",
        "from client.test_sign_in import enrol",
        "from .test_sign_in import enrol",
        "from client import test_sign_in",
        "import client.test_sign_in as sign_in",
        "def f():\n    from client.conftest import World",
    ],
)
def test_each_form_of_import_is_found(source: str) -> None:
    assert len(imports_of_test_modules(source)) == 1


@pytest.mark.parametrize("source", ["from support.world import World", "import pytest", "from . import stage"])
def test_imports_of_helpers_are_accepted(source: str) -> None:
    assert imports_of_test_modules(source) == []
