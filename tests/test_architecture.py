"""The import rules: what the core loads, in which direction its packages import each other, and which modules are pure.

A pure module does no I/O, starts no thread and no process, and never waits for one. The other modules of the core may,
each for its subject: stores and the key source read files, the key provider waits for a fetch, the client refreshes
tokens under a lock, the command line uses the terminal. No module of the core opens a socket: that is a transport's work.

Flows may not take locks or start a driver either. That follows from PACKAGES: `flows` imports neither `_fork` nor
`driver`. `tests/flows/test_purity.py` checks it at run time, while flows are advanced.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import srpcore
import srpcore_transports
from support.key_server import POOL
from support.minting import CLIENT, access_claims, jwk, mint

CORE = Path(srpcore.__file__).parent
NETWORK = {"socket", "ssl", "http", "urllib.request", "asyncio", "requests", "srpcore_transports"}

# The pure modules: a package stands for all modules in it, except those in NOT_PURE.
PURE = {"crypto", "flows", "protocol", "service_model", "client/login_state", "tokens"}
NOT_PURE = {"tokens/jwks_provider", "tokens/jwks_source"}

# What no pure module may import, not even within a function.
IMPURE_MODULES = {
    "_thread",
    "asyncio",
    "concurrent",
    "http",
    "io",
    "multiprocessing",
    "select",
    "selectors",
    "shutil",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "urllib.request",
}
# What no pure module may call or refer to: what opens or lists files, starts a process, or waits.
IMPURE_NAMES = {"open", "input", "breakpoint"}
IMPURE_MEMBERS = {
    "os": "execv execve fdopen fork forkpty listdir mkfifo open openpty pipe popen posix_spawn read scandir system walk write",
    "time": "sleep",
}
IMPURE_METHODS = {"iterdir", "glob", "rglob", "open", "read_bytes", "read_text", "write_bytes", "write_text"}

# crypto/_openssl looks for libcrypto in the folder of Python, on Windows only, before it loads the library.
ALLOWED_IN = {"crypto/_openssl.py": {".glob"}}

# Each package or module of the core, and those that it may import: one direction, no cycle.
PACKAGES = {
    "_version": set(),
    "service_model": {"_values"},
    "protocol": {"_values", "service_model"},
    "exceptions": {"_values", "service_model", "protocol"},
    "clock": set(),
    "_fork": set(),
    "_pickling": set(),
    "_values": set(),
    "_urls": {"_values"},
    "text": set(),
    "pool": {"_urls", "exceptions"},
    "crypto": {"_fork", "_values", "exceptions"},
    "tokens": {"_values", "clock", "crypto", "exceptions", "_fork", "offload", "pool", "resolve", "protocol"},
    "aws_json": {"exceptions", "service_model", "protocol"},
    "driver": {"protocol"},
    "service_time": {"clock", "exceptions", "protocol"},
    "offload": set(),
    "store": {"_fork", "_values", "clock", "crypto", "exceptions"},
    "users": {"_pickling", "exceptions", "protocol"},
    "flows": {"_values", "clock", "crypto", "exceptions", "pool", "service_model", "protocol", "users"},
    "service_client": {"driver", "exceptions", "flows", "paginator", "pool", "service_model", "protocol"},
    "paginator": {"exceptions", "service_model", "protocol"},
    "threaded": {"_fork", "exceptions", "protocol"},
    "resolve": {"driver", "exceptions", "service_client", "threaded", "protocol"},
    "aws_srp": {
        "_fork",
        "clock",
        "crypto",
        "driver",
        "exceptions",
        "flows",
        "pool",
        "resolve",
        "service_time",
        "protocol",
    },
    "client": {
        "_fork",
        "_pickling",
        "_values",
        "aws_srp",
        "clock",
        "crypto",
        "driver",
        "offload",
        "exceptions",
        "flows",
        "pool",
        "resolve",
        "service_model",
        "service_time",
        "store",
        "threaded",
        "tokens",
        "users",
        "protocol",
    },
    "utils": {"_fork", "client", "exceptions", "protocol", "resolve"},
    "testing": {"crypto", "exceptions"},
    "frameworks": {"clock", "exceptions", "tokens"},
    "http_auth": {"client", "exceptions"},
    "cli": {
        "_version",
        "client",
        "crypto",
        "exceptions",
        "flows",
        "pool",
        "protocol",
        "resolve",
        "store",
        "text",
        "tokens",
        "users",
    },
    "__main__": {"cli"},
    "__init__": {"store", "_version", "aws_srp", "client", "crypto", "exceptions", "flows", "tokens", "users"},
}


# What a module may import that is not the standard library's.
THIRD_PARTY = {
    "testing": {"hypothesis"},
    "frameworks/fastapi.py": {"fastapi", "starlette"},
    "frameworks/flask.py": {"flask", "werkzeug"},
    "frameworks/powertools.py": {"aws_lambda_powertools"},
    "frameworks/rest_framework.py": {"rest_framework"},
    "frameworks/starlette.py": {"starlette"},
    "http_auth/aiohttp.py": {"aiohttp"},
    "http_auth/httpx.py": {"httpx"},
    "http_auth/requests.py": {"requests"},
}


def modules() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def package_of(path: Path) -> str:
    relative = path.relative_to(CORE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported(path: Path, *, everywhere: bool) -> set[str]:
    """Return the absolute names of what the module imports at its top level, or *everywhere* in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = ["srpcore", *path.relative_to(CORE).parts[:-1]]
    nodes = ast.walk(tree) if everywhere else iter(tree.body)
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{prefix}.{alias.name}" for alias in node.names} if not node.module else {prefix}
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(CORE)))
def test_core_imports_only_the_standard_library_and_no_network_module(path: Path) -> None:
    for name in imported(path, everywhere=False):
        top = name.split(".")[0]
        if top in THIRD_PARTY.get(path.relative_to(CORE).as_posix(), THIRD_PARTY.get(package_of(path), set())):
            continue
        assert top == "srpcore" or top in sys.stdlib_module_names, name
        assert not any(name == bad or name.startswith(bad + ".") for bad in NETWORK), name


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(CORE)))
def test_packages_import_each_other_in_one_direction(path: Path) -> None:
    package = package_of(path)
    packages = {name.split(".")[1] for name in imported(path, everywhere=True) if name.startswith("srpcore.")}
    assert packages - {package} <= PACKAGES[package]


def test_packages_have_no_cycle() -> None:
    done: set[str] = set()
    while len(done) < len(PACKAGES):
        ready = {name for name, needs in PACKAGES.items() if name not in done and needs <= done}
        assert ready, f"a cycle among {sorted(set(PACKAGES) - done)}"
        done |= ready


def test_one_line_of_the_core_reaches_the_transports() -> None:
    lines = [
        (path.relative_to(CORE).as_posix(), line.strip())
        for path in modules()
        for line in path.read_text(encoding="utf-8").splitlines()
        if "import_module(" in line and "srpcore_transports" in line
    ]
    assert [name for name, _ in lines] == ["resolve.py"]


def test_no_transport_imports_the_command_line() -> None:
    folder = Path(srpcore_transports.__path__[0])
    lines = [
        f"{path.relative_to(folder)}: {line}"
        for path in folder.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "import" in line and "srpcore.cli" in line
    ]
    assert lines == []


def is_pure(path: Path) -> bool:
    name = path.relative_to(CORE).with_suffix("").as_posix()
    return bool(PURE & {name, name.split("/")[0]}) and name not in NOT_PURE


PURE_MODULES = [path for path in modules() if is_pure(path)]


class WithoutTypeChecking(ast.NodeTransformer):
    """Leave out what only type checkers read."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        return node.orelse if ast.unparse(node.test) == "TYPE_CHECKING" else node


def impurities(source: str) -> set[str]:
    """Return what *source* imports or refers to that a pure module may not."""
    found: set[str] = set()
    for node in ast.walk(WithoutTypeChecking().visit(ast.parse(source))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Attribute):
            names = [ast.unparse(node)] if isinstance(node.value, ast.Name) else []
            found |= {f".{node.attr}"} & {f".{method}" for method in IMPURE_METHODS}
        elif isinstance(node, ast.Name):
            found |= {node.id} & IMPURE_NAMES
        members = {f"{module}.{name}" for module, members in IMPURE_MEMBERS.items() for name in members.split()}
        found |= {name for name in names if name in members}
        found |= {name for name in names if any(name == bad or name.startswith(bad + ".") for bad in IMPURE_MODULES)}
    return found


def test_every_pure_package_exists() -> None:
    names = {path.relative_to(CORE).with_suffix("").as_posix() for path in modules()}
    assert all(name in names or f"{name}/__init__" in names for name in PURE)
    assert names >= NOT_PURE


@pytest.mark.parametrize("path", PURE_MODULES, ids=lambda path: str(path.relative_to(CORE)))
def test_a_pure_module_imports_and_calls_nothing_that_does_io_or_waits(path: Path) -> None:
    allowed = ALLOWED_IN.get(path.relative_to(CORE).as_posix(), set())
    assert impurities(path.read_text(encoding="utf-8")) == allowed


@pytest.mark.parametrize("name", sorted(NOT_PURE))
def test_the_exceptions_from_purity_are_needed(name: str) -> None:
    assert impurities((CORE / f"{name}.py").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import threading", {"threading"}),
        ("def late():\n    from asyncio import run", {"asyncio", "asyncio.run"}),
        ("import http.client", {"http.client"}),
        ("from os import open as opened", {"os.open"}),
        ("import os\nos.scandir('.')", {"os.scandir"}),
        ("open('file')", {"open"}),
        ("path.read_text()", {".read_text"}),
        ("import time\ntime.sleep(1)", {"time.sleep"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import socket", set()),
        ("from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    import socket", {"socket"}),
        ("import os\nos.environ", set()),
    ],
)
def test_the_check_of_purity_finds_impure_code(source: str, found: set[str]) -> None:
    assert impurities(source) == found


def loaded_by(program: str) -> list[str]:
    """Return the modules that *program* loads in a new process."""
    # -I and -S: without site-packages' .pth files, which load modules of their own; the source roots by hand.
    program = (
        f"import sys, json; sys.path[:0] = {[str(CORE.parent)]!r}; before = set(sys.modules); {program}; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    output = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, check=True, text=True)
    loaded: list[str] = json.loads(output.stdout)
    return loaded


def test_a_cold_start_with_given_keys_loads_nothing_that_is_slow() -> None:
    loaded = loaded_by(
        f"from srpcore import TokenVerifier; verifier = TokenVerifier({POOL!r}, client_id={CLIENT!r}, token_use=None); "
        f"verifier.load_jwks({ ({'keys': [jwk()]})!r}); verifier.verify({mint(access_claims(exp=2**40))!r})"
    )
    assert "srpcore.tokens._openssl" in loaded
    slow = {
        "dataclasses",
        "inspect",
        "pathlib",
        "logging",
        "urllib",
        "http",
        "ssl",
        "socket",
        "asyncio",
        "srpcore.client",
    }
    assert slow & {*loaded} == set()


def test_import_loads_no_third_party_module_and_no_io() -> None:
    loaded = loaded_by("from srpcore import *")
    assert "srpcore.client" in loaded
    assert [
        name for name in loaded if name.split(".")[0] in {"ssl", "_ssl", "http", "socket", "_socket", "asyncio"}
    ] == []
    strangers = [name for name in loaded if name.split(".")[0] not in {*sys.stdlib_module_names, "srpcore"}]
    assert strangers == []
