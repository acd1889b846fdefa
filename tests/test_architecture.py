"""The import rules: what the core loads, and which way imports run between its rooms."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import srpcore
from tokens.minting import CLIENT, access_claims, jwk, mint
from tokens.serving import POOL

CORE = Path(srpcore.__file__).parent
FORBIDDEN = {"socket", "ssl", "http", "urllib.request", "asyncio", "requests", "srpcore_transports"}

# Each room, and the rooms of the core that it may import: one way, no cycle.
ROOMS = {
    "_version": set(),
    "service_model": set(),
    "protocol": {"service_model"},
    "exceptions": {"service_model", "protocol"},
    "clock": set(),
    "_fork": set(),
    "pool": {"exceptions"},
    "crypto": {"_fork", "exceptions"},
    "tokens": {"clock", "crypto", "exceptions", "_fork", "pool", "resolve", "protocol"},
    "aws_json": {"exceptions", "service_model", "protocol"},
    "driver": {"protocol"},
    "store": {"_fork", "clock", "crypto", "exceptions"},
    "users": {"exceptions", "protocol"},
    "flows": {"clock", "crypto", "exceptions", "pool", "service_model", "protocol"},
    "service_client": {"driver", "exceptions", "flows", "service_model", "protocol"},
    "resolve": {"exceptions", "service_client", "protocol"},
    "aws_srp": {"clock", "crypto", "driver", "exceptions", "flows", "pool", "resolve", "protocol"},
    "client": {
        "_fork",
        "aws_srp",
        "clock",
        "crypto",
        "driver",
        "exceptions",
        "flows",
        "pool",
        "resolve",
        "service_model",
        "store",
        "tokens",
        "users",
        "protocol",
    },
    "utils": {"_fork", "client", "exceptions", "protocol"},
    "testing": {"crypto", "exceptions"},
    "frameworks": {"clock", "exceptions", "tokens"},
    "cli": {"_version", "client", "crypto", "exceptions", "pool", "resolve", "tokens", "protocol"},
    "__main__": {"cli"},
    "__init__": {"store", "_version", "aws_srp", "client", "crypto", "exceptions", "flows", "tokens", "users"},
}


# What a module may import that is not the standard library's.
THIRD_PARTY = {
    "testing": {"hypothesis"},
    "frameworks/fastapi.py": {"fastapi", "starlette"},
    "frameworks/flask.py": {"flask", "werkzeug"},
    "frameworks/rest_framework.py": {"rest_framework"},
    "frameworks/starlette.py": {"starlette"},
}


def modules() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def room_of(path: Path) -> str:
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
def test_core_imports_only_the_standard_library_and_no_io(path: Path) -> None:
    for name in imported(path, everywhere=False):
        top = name.split(".")[0]
        if top in THIRD_PARTY.get(path.relative_to(CORE).as_posix(), THIRD_PARTY.get(room_of(path), set())):
            continue
        assert top == "srpcore" or top in sys.stdlib_module_names, name
        assert not any(name == bad or name.startswith(bad + ".") for bad in FORBIDDEN), name


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(CORE)))
def test_imports_run_one_way(path: Path) -> None:
    room = room_of(path)
    rooms = {name.split(".")[1] for name in imported(path, everywhere=True) if name.startswith("srpcore.")}
    assert rooms - {room} <= ROOMS[room]


def test_rooms_have_no_cycle() -> None:
    done: set[str] = set()
    while len(done) < len(ROOMS):
        ready = {room for room, needs in ROOMS.items() if room not in done and needs <= done}
        assert ready, f"a cycle among {sorted(set(ROOMS) - done)}"
        done |= ready


def test_one_line_of_the_core_reaches_the_transports() -> None:
    lines = [
        (path.relative_to(CORE).as_posix(), line.strip())
        for path in modules()
        for line in path.read_text(encoding="utf-8").splitlines()
        if "import_module(" in line and "srpcore_transports" in line
    ]
    assert [name for name, _ in lines] == ["resolve.py"]


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
