"""The packages of the local pool import each other in one direction."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

from srpcore_transports import local
from srpcore_transports.local.operations.table import OPERATIONS

ROOT = Path(local.__file__).parent
# Each may import those before it.
LAYERS = (
    "api",
    "model",
    "steps",
    "triggers",
    "storage",
    "auth",
    "operations",
    "http",
    "well_known",
    "embedded",
    "user_pool",
    "cli",
)


def layer(module: tuple[str, ...]) -> int | None:
    return LAYERS.index(module[0]) if module and module[0] in LAYERS else None


def imports(path: Path) -> list[tuple[str, ...]]:
    """Return the modules of the local pool that a module imports, within functions too."""
    package = path.relative_to(ROOT).parts[:-1]
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level and node.level <= len(package) + 1:
            base = package[: len(package) + 1 - node.level] + tuple((node.module or "").split("."))
            named = [tuple(part for part in base if part)]
            found += named if node.module else [(*named[0], alias.name) for alias in node.names]
    return found


def test_the_packages_import_in_one_direction() -> None:
    wrong = []
    checked = 0
    for path in sorted(ROOT.rglob("*.py")):
        own = path.relative_to(ROOT).with_suffix("").parts
        if own == ("__init__",):
            continue
        for target in imports(path):
            checked += 1
            if (layer(target) or 0) > (layer(own) or 0):
                wrong.append(f"{'/'.join(own)} imports {'/'.join(target)}")
    assert not wrong
    assert checked > 100


def test_no_import_is_hidden_from_the_interpreter() -> None:
    hidden = [path.name for path in ROOT.rglob("*.py") if "TYPE_CHECKING" in path.read_text(encoding="utf-8")]
    assert not hidden


def test_the_table_has_the_operations_of_all_modules_of_its_package_and_no_others() -> None:
    found: dict[str, object] = {}
    for path in ROOT.joinpath("operations").glob("*.py"):
        if path.stem not in ("table", "dispatch"):  # these two have all operations
            module = importlib.import_module(f"{local.__name__}.operations.{path.stem}")
            found |= getattr(module, "OPERATIONS", {})
    assert found == OPERATIONS
