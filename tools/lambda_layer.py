"""Build the AWS Lambda layers in dist/: run it by ``make lambda-layer``.

    python tools/lambda_layer.py [FOLDER]

Three zip files are written, each for the version of Python that runs this program:

    srpcore-layer-verifier-python3.11.zip   TokenVerifier, AsyncTokenVerifier and the authorizers
    srpcore-layer-login-python3.11.zip      every name of the package srpcore, srpcore.crypto, and the HttpsTransport
    srpcore-layer-all-python3.11.zip        both packages as a whole

What a layer contains is computed. The program starts with the import statements in PROGRAMS, and follows every import
statement in the modules that it reaches, also those within functions: they are imported lazily, for example when a key
set is fetched. Imports for type checkers are not followed. A name in a string is not followed either, so the transports
that need another package (botocore, httpx, the local pool) are only in the third layer.

The byte code. Python compares the time of a source file with the time that its .pyc file has stored. Lambda sets the
times of all files when it unpacks a layer, so an ordinary .pyc file would never fit: every cold start would compile
every module again, and could not store the result. The .pyc files here are "unchecked hash-based" (PEP 552): Python
uses them without looking at the source, which is there only for tracebacks. They contain neither docstrings nor the
columns of the source, which takes a fifth off the size of the layer. A traceback names file and line as usual.

Every build of the same sources by the same Python has the same bytes: files are sorted, and have a fixed time and mode.
The byte code is compiled in a new process without the site module, because marshal's output depends on which strings
the process has in memory.
"""

from __future__ import annotations

import ast
import marshal
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib import import_module
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"srpcore": ROOT, "srpcore_transports": ROOT / "transports"}
PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"

# What the functions that use a layer import. None stands for all files of both packages.
PROGRAMS: dict[str, str | None] = {
    "verifier": """
from srpcore import AsyncTokenVerifier, TokenVerifier
from srpcore.exceptions import *
from srpcore.frameworks.aws_lambda import *
from srpcore.tokens import *
""",
    "login": """
from srpcore import *
from srpcore.crypto import *
from srpcore.exceptions import *
from srpcore_transports.https import HttpsTransport
""",
    "all": None,
}

# Lambda unpacks a layer in /opt, and /opt/python is on the path of Python.
MOUNT = "/opt"
FOLDER = "python"
TIME = (1980, 1, 1, 0, 0, 0)
MODE = 0o100644
UNCHECKED_HASH = (1).to_bytes(4, "little")  # PEP 552: bit 0 is "hash-based", bit 1 "check the source"
COMPILE = "--compile"  # the argument of the new process that compiles


def main(folder: Path) -> None:
    """Build the layers in *folder*, and print their sizes in MB."""
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{'layer':<42} {'zipped':>9} {'unzipped':>9}")
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary) / FOLDER
        for file in all_files():
            _copy(file, stage / _path_in_package(file))
        _compile(stage)
        metadata = _add_metadata(stage)
        for name, program in PROGRAMS.items():
            files = all_files() if program is None else modules_of(program)
            path = folder / f"srpcore-layer-{name}-{PYTHON}.zip"
            unzipped = _write_zip(stage, {*metadata, *_with_byte_code(stage, files)}, path)
            print(f"{path.name:<42} {path.stat().st_size / 1e6:>6.2f} MB {unzipped / 1e6:>6.2f} MB")


def all_files() -> set[Path]:
    """Return the files of both packages."""
    return {
        path
        for package, root in PACKAGES.items()
        for path in (root / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def modules_of(program: str) -> set[Path]:
    """Return the source files of both packages that *program* can import, also lazily."""
    found: set[Path] = set()
    waiting = [*imported_modules(program, "")]
    while waiting:
        file = _file_of(waiting.pop())
        if file is None or file in found:
            continue
        found.add(file)
        package = _dotted(file if file.stem == "__init__" else file.parent / "__init__.py")
        waiting += [package, package.rpartition(".")[0], *imported_modules(file.read_text("utf-8"), package)]
    return found


def imported_modules(source: str, package: str) -> Iterator[str]:
    """Yield the dotted names that the import statements in *source*, a module of *package*, may import.

    Some of them are names within a module instead of modules.
    """
    for node in _run_time_nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            yield module
            if module.partition(".")[0] in PACKAGES:
                for alias in node.names:
                    yield from _modules_of_name(module, alias.name)


def _run_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield *node* and all nodes within it, except for the imports for type checkers."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        for statement in node.orelse:
            yield from _run_time_nodes(statement)
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _run_time_nodes(child)


def _modules_of_name(module: str, name: str) -> Iterator[str]:
    """Yield the modules that ``from module import name`` needs in addition to *module*: packages have lazy names."""
    yield f"{module}.{name}"
    if _file_of(f"{module}.{name}") is not None:
        return
    loaded = import_module(module)
    for each in loaded.__all__ if name == "*" else [name]:
        yield f"{module}.{each}"
        defined_in = getattr(getattr(loaded, each), "__module__", None)
        if isinstance(defined_in, str):
            yield defined_in


def _file_of(module: str) -> Path | None:
    """Return the source file of *module*, or None if it is not a module of the two packages."""
    root = PACKAGES.get(module.partition(".")[0])
    if root is None:
        return None
    path = root.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _dotted(init: Path) -> str:
    """Return the dotted name of the package whose ``__init__.py`` is *init*."""
    return ".".join(_path_in_package(init).parent.parts)


def _path_in_package(file: Path) -> Path:
    """Return the path of *file* below the folder that is on Python's path."""
    return next(file.relative_to(root) for name, root in PACKAGES.items() if file.is_relative_to(root / name))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _compile(stage: Path) -> None:
    options = ["-I", "-S", "-X", "no_debug_ranges"]  # the last one: without the columns of the source
    subprocess.run([sys.executable, *options, __file__, COMPILE, str(stage)], check=True)


def compile_all(stage: Path) -> None:
    """Write an unchecked hash-based .pyc file for each module in *stage*."""
    for file in sorted(stage.rglob("*.py")):
        source = file.read_bytes()
        name = f"{MOUNT}/{FOLDER}/{file.relative_to(stage).as_posix()}"
        code = compile(without_docstrings(ast.parse(source)), name, "exec", dont_inherit=True)
        target = _byte_code(file)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(MAGIC_NUMBER + UNCHECKED_HASH + source_hash(source) + marshal.dumps(code))


def without_docstrings(tree: ast.Module) -> ast.Module:
    """Remove the docstrings, which are a quarter of the byte code.

    Dataclasses keep theirs: if it is missing, the decorator makes one with ``inspect``, which takes long.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            is_dataclass = isinstance(node, ast.ClassDef) and any(map(_is_dataclass_decorator, node.decorator_list))
            if ast.get_docstring(node, clean=False) is not None and not is_dataclass:
                first, *rest = node.body
                node.body = rest or [ast.Pass(lineno=first.lineno, col_offset=first.col_offset)]
    return tree


def _is_dataclass_decorator(decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(function).rpartition(".")[2] == "dataclass"


def _add_metadata(stage: Path) -> list[Path]:
    """Add the licence and what importlib.metadata reads, without the description (the README). Return both files."""
    program = "import sys, hatchling.build as build; build.prepare_metadata_for_build_wheel(sys.argv[1])"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", program, folder], cwd=ROOT, check=True)
        (info,) = Path(folder).iterdir()
        headers = (info / "METADATA").read_text("utf-8").partition("\n\n")[0]
    licence, metadata = stage / info.name / "licenses" / "LICENSE", stage / info.name / "METADATA"
    _copy(ROOT / "LICENSE", licence)
    metadata.write_text(f"{headers}\n", encoding="utf-8", newline="\n")
    return [licence, metadata]


def _with_byte_code(stage: Path, files: set[Path]) -> Iterator[Path]:
    """Yield the copies of *files* in *stage*, and the .pyc files of those that are modules."""
    for file in files:
        copied = stage / _path_in_package(file)
        yield copied
        if copied.suffix == ".py":
            yield _byte_code(copied)


def _byte_code(module: Path) -> Path:
    return Path(cache_from_source(module, optimization=""))


def _write_zip(stage: Path, files: set[Path], target: Path) -> int:
    """Write *files*, which are in *stage*, to the zip file *target*, and return their size in bytes."""
    size = 0
    with zipfile.ZipFile(target, "w") as archive:
        for name, file in sorted((file.relative_to(stage.parent).as_posix(), file) for file in files):
            entry = zipfile.ZipInfo(name, TIME)
            entry.create_system = 3  # Unix, on which external_attr has the mode
            entry.external_attr = MODE << 16
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)
            size += entry.file_size
    return size


if __name__ == "__main__":
    sys.path[:0] = [str(root) for root in PACKAGES.values()]
    if sys.argv[1:2] == [COMPILE]:
        compile_all(Path(sys.argv[2]))
    else:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist")
