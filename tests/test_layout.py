"""The layout of the tests: folders mirror the packages, and no module imports a test module or a conftest.

``srpcore/NAME/`` is tested in ``tests/NAME/``, and ``srpcore_transports/NAME/`` in ``tests/transports/NAME/``. A module
directly in ``srpcore/`` is tested in ``tests/test_MODULE.py``. Helpers of several test modules are in ``tests/support/``.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import srpcore
import srpcore_transports

pytestmark = pytest.mark.slow

TESTS = Path(__file__).resolve().parent

# Each package, and the folder of tests/ that mirrors it.
ROOTS = {Path(srpcore.__file__).parent: TESTS, Path(srpcore_transports.__file__).parent: TESTS / "transports"}

# The packages within these are tested in this one folder.
TESTED_AS_ONE = ("transports/local",)

# The folders that test the whole or what is around it, and the folders without tests.
OTHER_FOLDERS = {
    "conformance",  # probes of any server of user pools: the local pool, ministack, AWS
    "counterparts",  # servers and clients of others
    "distribution",  # the wheel, the pins, the Makefile
    "docs",
    "dropin",  # programs written for pycognito
    "faults",  # each fault of the network on each transport, under the client
    "fuzz",
    "lives",  # random lives of users over each transport, compared with a model
    "observability",  # events, spans and logs of every transport, under the client
    "support",
    "system",  # tests that need a system package
    "transports",
    "vectors",
}

# The modules at the top level that test the whole, or the tests.
WHOLE = {"architecture", "benchmarks", "cold_imports", "exports", "frozen_time", "layout", "no_skips", "snapshot"}

MODULES = sorted(path.relative_to(TESTS).as_posix() for path in TESTS.rglob("*.py"))


def mirror_of(package: Path) -> str:
    """Return the folder in tests/, with slashes, that mirrors the folder of a package."""
    root = next(root for root in ROOTS if package.is_relative_to(root))
    return (ROOTS[root] / package.relative_to(root)).relative_to(TESTS).as_posix()


PACKAGES = sorted(mirror_of(init.parent) for root in ROOTS for init in root.rglob("__init__.py") if init.parent != root)


def modules_without_package(names: list[str], modules: set[str]) -> list[str]:
    """Return those of *names* that test neither one of the *modules* nor the whole."""
    return [name for name in names if name not in WHOLE and not {name, f"_{name}"} & modules]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_has_its_folder(package: str) -> None:
    folder = next((whole for whole in TESTED_AS_ONE if package.startswith(f"{whole}/")), package)
    assert (TESTS / folder / "__init__.py").is_file()
    assert any((TESTS / folder).glob("test_*.py"))


def test_every_folder_belongs_to_a_package_or_is_listed() -> None:
    folders = {path.parent.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")} - {"."}
    assert folders - {*PACKAGES} - OTHER_FOLDERS == set()
    assert {name for name in OTHER_FOLDERS if not (TESTS / name).is_dir()} == set()


def test_modules_at_the_top_level_test_a_module_or_the_whole() -> None:
    names = [path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py")]
    modules = {path.stem for path in Path(srpcore.__file__).parent.glob("*.py")}
    assert modules_without_package(names, modules) == []


def test_modules_of_a_package_are_found_at_the_top_level() -> None:
    assert modules_without_package(["pool", "fork", "layout", "retries"], {"pool", "_fork"}) == ["retries"]


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
