"""What a new process imports until it has verified a token, or has logged in: each module costs a cold start its time.

The modules are counted, and not the milliseconds, because the machine that runs the tests may be busy.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import srpcore
import srpcore_transports
from support.key_server import POOL
from support.minting import CLIENT, access_claims, jwk, mint
from support.tls_pool import TlsPool, tls_pool
from support.users import PASSWORD

# The folders of the packages: of this checkout, or of the installed wheel.
PACKAGES = [str(Path(str(package.__file__)).parents[1]) for package in (srpcore, srpcore_transports)]

IMPORT = "import srpcore"
VERIFIER = f"""
from srpcore import TokenVerifier
verifier = TokenVerifier({POOL!r}, client_id={CLIENT!r}, token_use="access")
verifier.load_jwks(json.loads(sys.argv[2]))
verifier.verify(sys.argv[1])
"""
LOG_IN = f"""
from srpcore import Cognito
url, pool, client = sys.argv[1:]
Cognito(pool, client, username="alice", endpoint_url=url).authenticate({PASSWORD!r})
"""

# Not needed by a login that keeps no tokens in a store, confirms no device, and logs nothing.
UNNEEDED = """
    asyncio concurrent configparser dataclasses email encodings.idna fcntl fnmatch http inspect logging pathlib platform
    stringprep tempfile
    urllib.request srpcore.exceptions.store srpcore.store.file srpcore.store.folder srpcore.store.keyring
    srpcore.store.locks srpcore.store.memory srpcore_transports.credentials
""".split()


@pytest.fixture(scope="module")
def pool() -> Iterator[TlsPool]:
    with tls_pool() as served:
        yield served


COUNT_DATACLASSES = """
dataclasses = {
    f"{value.__module__}.{value.__name__}"
    for module in [*sys.modules.values()]
    for value in vars(module).values()
    if isinstance(value, type) and "__dataclass_fields__" in vars(value)
}
"""


def imported_by(program: str, *arguments: str) -> tuple[set[str], list[str]]:
    """Return what a new process imports for *program*: the modules, and those of its classes that are dataclasses.

    The modules that the interpreter starts with are left out.
    """
    # Without the site module: some files in site-packages import modules when the interpreter starts.
    program = f"import sys, json; before = {{*sys.modules}}\n{program}\nimported = {{*sys.modules}} - before"
    program += f"{COUNT_DATACLASSES}print(json.dumps([[*imported], [*dataclasses]]))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(PACKAGES)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    modules, dataclasses = json.loads(done.stdout)
    return {*modules}, sorted(dataclasses)


def ours(modules: set[str]) -> list[str]:
    return sorted(name for name in modules if name.startswith("srpcore"))


def test_importing_srpcore_imports_no_other_module_of_it() -> None:
    imported, _ = imported_by(IMPORT)
    assert ours(imported) == ["srpcore", "srpcore._version"]
    assert {"json", "hashlib", *UNNEEDED} & imported == set()
    assert len(imported) <= 30, sorted(imported)


def test_verifying_a_token_imports_few_modules() -> None:
    imported, dataclasses = imported_by(VERIFIER, mint(access_claims(exp=2**40)), json.dumps({"keys": [jwk()]}))
    slow = {"socket", "ssl", "http", "email", "urllib", "random", "secrets", "datetime"}
    assert {*slow, *UNNEEDED, "srpcore.client", "srpcore.flows", "srpcore_transports"} & imported == set()
    assert dataclasses == []
    assert len(ours(imported)) <= 26, ours(imported)
    assert len(imported) <= 75, sorted(imported)


def test_logging_in_imports_no_module_that_it_does_not_need(pool: TlsPool) -> None:
    imported, dataclasses = imported_by(LOG_IN, *pool)
    assert {*UNNEEDED} & imported == set()
    assert dataclasses == []
    assert len(ours(imported)) <= 116, ours(imported)
    assert len(imported) <= 215, sorted(imported)
