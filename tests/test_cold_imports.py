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
from support.key_server import POOL, serve
from support.minting import CLIENT, ISSUER, access_claims, jwk, mint
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
FETCHING_VERIFIER = f"""
from srpcore import TokenVerifier
arguments = {{"client_id": {CLIENT!r}, "token_use": "access", "issuers": {ISSUER!r}}}
TokenVerifier({POOL!r}, endpoint_url=sys.argv[2], **arguments).verify(sys.argv[1])
"""
LOG_IN = f"""
from srpcore import Cognito
url, pool, client = sys.argv[1:]
Cognito(pool, client, username="alice", endpoint_url=url).authenticate({PASSWORD!r})
"""

# Not needed by a login that keeps no tokens in a store, confirms no device, and logs nothing.
UNNEEDED = """
    asyncio concurrent configparser dataclasses email encodings.idna fcntl fnmatch http inspect logging pathlib platform
    random secrets stringprep tempfile urllib.parse
    urllib.request srpcore.exceptions.store srpcore.store.file srpcore.store.folder srpcore.store.keyring
    srpcore.store.locks srpcore.store.memory srpcore.exceptions.service_exceptions srpcore_transports.credentials
    srpcore_transports.sigv4
""".split()

# A login needs no threads and no event loop either. A verifier that fetches keys needs threads.
UNNEEDED_IN_LOGIN = """
    threading srpcore.client.async_base srpcore.client.async_login srpcore.client.async_operations
    srpcore.client.login_tokens srpcore.offload srpcore.paginator srpcore.crypto.secret_hash srpcore.store
    srpcore.threaded srpcore.tokens.jwks_provider
    srpcore_transports.status
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


# The strings that typing compiles: the annotations of a NamedTuple or a TypedDict, and the bounds of a TypeVar.
NOTE_COMPILED = """
compiled = []
def hook(event, arguments):
    if event == "compile" and "typing.py" in sys._getframe(1).f_code.co_filename:
        compiled.append(str(arguments[0]))
sys.addaudithook(hook)
"""


def imported_by(program: str, *arguments: str) -> set[str]:
    """Return the modules that a new process imports for *program*, without those that the interpreter starts with.

    On the way to it no class may be a dataclass, and no annotation may be compiled.
    """
    # Without the site module: some files in site-packages import modules when the interpreter starts.
    program = (
        f"import sys, json; before = {{*sys.modules}}\n{NOTE_COMPILED}{program}\nimported = {{*sys.modules}} - before"
    )
    program += f"{COUNT_DATACLASSES}print(json.dumps([[*imported], [*dataclasses], compiled]))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(PACKAGES)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    modules, dataclasses, compiled = json.loads(done.stdout)
    assert dataclasses == []
    assert compiled == []
    return {*modules}


def ours(modules: set[str]) -> list[str]:
    return sorted(name for name in modules if name.startswith("srpcore"))


def test_importing_srpcore_imports_no_other_module_of_it() -> None:
    imported = imported_by(IMPORT)
    assert ours(imported) == ["srpcore", "srpcore._version"]
    assert {"json", "hashlib", *UNNEEDED} & imported == set()
    assert len(imported) <= 22, sorted(imported)


def test_importing_the_async_client_imports_what_must_not_be_imported_on_the_event_loop() -> None:
    imported = imported_by("from srpcore import AsyncCognito")
    late = "_urls client.login_tokens service_client exceptions.reply crypto.secret_hash store.base threaded offload".split()
    assert {f"srpcore.{name}" for name in late} - imported == set()


def test_verifying_a_token_imports_few_modules() -> None:
    imported = imported_by(VERIFIER, mint(access_claims(exp=2**40)), json.dumps({"keys": [jwk()]}))
    slow = {"socket", "ssl", "http", "email", "urllib", "datetime"}
    assert {*slow, *UNNEEDED, "srpcore.client", "srpcore.flows", "srpcore_transports"} & imported == set()
    assert len(ours(imported)) <= 27, ours(imported)
    assert len(imported) <= 63, sorted(imported)


def test_verifying_a_token_with_a_fetched_key_set_imports_few_modules() -> None:
    with serve() as keys:
        imported = imported_by(FETCHING_VERIFIER, mint(access_claims(exp=2**40)), keys.server.url)
    assert {
        *UNNEEDED,
        "srpcore.client",
        "srpcore.service_client",
        "srpcore.flows.login",
        "srpcore.crypto.cognito",
    } & imported == set()
    assert len(ours(imported)) <= 53, ours(imported)
    assert len(imported) <= 101, sorted(imported)


def test_logging_in_imports_no_module_that_it_does_not_need(pool: TlsPool) -> None:
    imported = imported_by(LOG_IN, *pool)
    assert {*UNNEEDED, *UNNEEDED_IN_LOGIN} & imported == set()
    assert len(ours(imported)) <= 101, ours(imported)
    assert len(imported) <= 149, sorted(imported)
