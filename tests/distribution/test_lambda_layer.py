"""The AWS Lambda layers: the same bytes from every build, small, compiled, and complete without any other package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from srpcore import Cognito
from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool, UserPool
from support.lambda_runtime import function
from support.users import PASSWORD

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
LAYERS = ("verifier", "login", "all")

# Refuse to compile a module of the layer: each one has a .pyc file that Python must use.
PRELUDE = """
import sys
folder = sys.argv.pop(1)
sys.path.insert(0, folder)
from importlib.machinery import SourceFileLoader
compile_source = SourceFileLoader.source_to_code
def refuse(self, data, path, *arguments, **named):
    if str(path).startswith(folder):
        sys.exit(f"{path} is compiled")
    return compile_source(self, data, path, *arguments, **named)
SourceFileLoader.source_to_code = refuse
"""

# Import every module, then run every import statement within a function. A module may need another package, but not
# another module of srpcore.
IMPORT_ALL = """
import ast, importlib, pathlib

def attempt(do, *arguments):
    try:
        return do(*arguments)
    except ModuleNotFoundError as error:
        if error.name.startswith("srpcore"):
            raise

def run_time(node):
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from run_time(child)

count = 0
for file in sorted(pathlib.Path(folder).rglob("*.py")):
    parts = file.relative_to(folder).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    if parts[-1] == "__main__":
        continue
    attempt(importlib.import_module, name)
    package = name if parts[-1] == "__init__" else name.rpartition(".")[0]
    for node in run_time(ast.parse(file.read_bytes())):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and node.col_offset:
            count += 1
            code = compile(ast.Module([node], []), str(file), "exec")
            attempt(exec, code, {"__package__": package, "__name__": f"{package}.m"})
assert count > 10, count
print("imported")
"""

VERIFY = """
import asyncio, json, os
from importlib.metadata import version
from srpcore import AsyncTokenVerifier, TokenVerifier, __version__, exceptions
from srpcore.frameworks.aws_lambda import AppSyncAuthorizer, HttpApiAuthorizer, RestApiAuthorizer, Unauthorized
url, pool_id, client_id, token, keys = sys.argv[1:]
ARN = "arn:aws:execute-api:eu-west-1:123456789012:s4x3opwd6i/test/GET/request"
options = {"client_id": client_id, "token_use": "access", "endpoint_url": url}
assert version("srpcore") == __version__

async def verify():
    async with AsyncTokenVerifier(pool_id, **options) as verifier:
        return await verifier.verify(token)

with TokenVerifier(pool_id, **options) as fetching:
    fetching.hydrate()
    assert fetching.verify(token)["username"] == "alice"
assert asyncio.run(verify())["username"] == "alice"
given = TokenVerifier(pool_id, cache_size=10, **options)
os.environ["COGNITO_JWKS"] = keys
given.load_jwks()
given.load_jwks(json.loads(keys))
assert given.verify(token)["username"] == given.verify(token)["username"] == "alice"
http = lambda token: {"version": "2.0", "routeArn": ARN, "headers": {"authorization": f"Bearer {token}"}}
rest = lambda token: {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": ARN}
appsync = lambda token: {"authorizationToken": token, "requestContext": {}}
for kind, event in (HttpApiAuthorizer, http), (RestApiAuthorizer, rest), (AppSyncAuthorizer, appsync):
    assert "alice" in str(kind(given)(event(token))), kind
    try:
        assert "alice" not in str(kind(given)(event(token[:-8] + "AAAAAAAA")))
    except Unauthorized:
        pass
for change, error in ({"scope": "no"}, "ScopeMismatch"), ({"groups": "no"}, "GroupMismatch"), ({"token_use": "id"}, "TokenUseMismatch"):
    try:
        given.verify(token, **change)
        raise AssertionError(change)
    except getattr(exceptions, error):
        pass
try:
    with TokenVerifier(pool_id, client_id=None, token_use=None, endpoint_url="http://127.0.0.1:9") as unreachable:
        unreachable.hydrate()
    raise AssertionError
except exceptions.TransportError:
    pass
print("verified")
"""

LOG_IN = """
import asyncio, os, tempfile, time
from srpcore import AWSSRP, AsyncCognito, Cognito, FileStore, TokenVerifier, exceptions
from srpcore.crypto.totp import totp
url, pool_id, client_id, password = sys.argv[1:]

with tempfile.TemporaryDirectory() as state:
    store = FileStore(state + "/logins")
    with Cognito(pool_id, client_id, username="alice", endpoint_url=url, store=store) as user:
        try:
            user.authenticate("wrong")
            raise AssertionError
        except exceptions.NotAuthorizedException as error:
            assert error.hint
        step = user.sign_in(password)
        assert step.done
        user.verify_tokens()
        user.renew_access_token()
        assert user.get_user().username == "alice"
        secret = user.associate_software_token()
        user.verify_software_token(totp(secret, time.time()))
    with Cognito(pool_id, client_id, username="alice", endpoint_url=url, store=store) as again:
        assert again.restore()
        again.logout()

async def log_in():
    async with AsyncCognito(pool_id, client_id, username="alice", endpoint_url=url) as user:
        await user.authenticate(password)
        return user.access_token

with TokenVerifier(pool_id, client_id=client_id, token_use="access", endpoint_url=url) as verifier:
    verifier.verify(asyncio.run(log_in()))
with Cognito(pool_id, client_id, endpoint_url=url, access_key="test", secret_key="test") as administrator:
    assert [user.username for user in administrator.iter_users()] == ["alice"]
print("logged in")
"""


class Served(NamedTuple):
    url: str
    user_pool_id: str
    client_id: str
    token: str
    keys: str


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        pool = LocalUserPool()
    alice = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
    pool.call(Operation("AdminCreateUser", {**alice, "MessageAction": "SUPPRESS"}))
    pool.call(Operation("AdminSetUserPassword", {**alice, "Password": PASSWORD, "Permanent": True}))
    keys = pool.fetch(f"/{pool.user_pool_id}/.well-known/jwks.json").decode()
    with pool.serve() as server:
        with Cognito(pool.user_pool_id, pool.client_id, username="alice", endpoint_url=server.url) as user:
            user.authenticate(PASSWORD)
            token = user.tokens.access_token
        yield Served(server.url, pool.user_pool_id, pool.client_id, token, keys)


def build(folder: Path, **variables: str) -> str:
    """Build the layers as ``make lambda-layer`` does, and return what is printed."""
    command = [sys.executable, str(ROOT / "tools" / "lambda_layer.py"), str(folder)]
    done = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def path_of(folder: Path, layer: str) -> Path:
    return folder / f"srpcore-layer-{layer}-{PYTHON}.zip"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("layers")
    return folder, build(folder)


@pytest.fixture
def unpacked(request: pytest.FixtureRequest, built: tuple[Path, str], tmp_path: Path) -> Path:
    """Return the folder on the path of Python, unpacked from the layer in the test's parameter."""
    with zipfile.ZipFile(path_of(built[0], request.param)) as archive:
        archive.extractall(tmp_path)
    return tmp_path / "python"


def run(folder: Path, program: str, *arguments: str) -> str:
    """Run *program* in a process without other packages, and return what it prints."""
    before = {*folder.rglob("*")}
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", PRELUDE + program, str(folder), *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert {*folder.rglob("*")} == before
    return done.stdout.strip()


def test_sizes_are_printed_and_the_verifier_is_small(built: tuple[Path, str]) -> None:
    folder, printed = built
    for layer in LAYERS:
        path = path_of(folder, layer)
        with zipfile.ZipFile(path) as archive:
            unzipped = sum(entry.file_size for entry in archive.infolist())
        sizes = [f"{size / 1e6:.2f}" for size in (path.stat().st_size, unzipped)]
        (line,) = [line for line in printed.splitlines() if line.startswith(path.name)]
        assert line.split()[1::2] == sizes
    sizes_in_order = [path_of(folder, layer).stat().st_size for layer in LAYERS]
    assert sizes_in_order == sorted(sizes_in_order)
    assert sizes_in_order[0] <= 450_000


def test_a_build_at_another_time_in_another_place_gives_the_same_bytes(built: tuple[Path, str], tmp_path: Path) -> None:
    build(tmp_path, TZ="Pacific/Kiritimati", PYTHONHASHSEED="1", LC_ALL="C")
    for layer in LAYERS:
        assert path_of(tmp_path, layer).read_bytes() == path_of(built[0], layer).read_bytes()


@pytest.mark.parametrize("layer", LAYERS)
def test_files_have_a_fixed_order_time_and_mode(built: tuple[Path, str], layer: str) -> None:
    with zipfile.ZipFile(path_of(built[0], layer)) as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(names)
    assert {name.split("/")[0] for name in names} == {"python"}
    attributes = {(entry.date_time, entry.external_attr, entry.create_system) for entry in entries}
    assert attributes == {((1980, 1, 1, 0, 0, 0), 0o100644 << 16, 3)}


@pytest.mark.parametrize("unpacked", ["verifier", "all"], indirect=True)
def test_a_function_verifies_tokens_with_nothing_but_the_layer(unpacked: Path, served: Served) -> None:
    assert run(unpacked, VERIFY, *served) == "verified"


@pytest.mark.parametrize("unpacked", ["login", "all"], indirect=True)
def test_a_function_logs_in_with_nothing_but_the_layer(unpacked: Path, served: Served) -> None:
    assert run(unpacked, LOG_IN, *served[:3], PASSWORD) == "logged in"


@pytest.mark.parametrize("unpacked", ["verifier", "login"], indirect=True)
def test_every_import_in_a_layer_finds_its_module_in_the_layer(unpacked: Path) -> None:
    assert run(unpacked, IMPORT_ALL) == "imported"


def test_the_largest_layer_has_every_file(built: tuple[Path, str]) -> None:
    packages = ROOT / "srpcore", ROOT / "transports" / "srpcore_transports"
    files = {path.relative_to(package.parent) for package in packages for path in package.rglob("*") if path.is_file()}
    with zipfile.ZipFile(path_of(built[0], "all")) as archive:
        names = {*archive.namelist()}
    assert {f"python/{file.as_posix()}" for file in files if file.suffix != ".pyc"} <= names


EXAMPLE = ROOT / "examples" / "lambda_authorizer" / "authorizer" / "authorizer.py"


@pytest.mark.counterpart
@pytest.mark.parametrize("unpacked", ["verifier"], indirect=True)
def test_the_runtime_client_of_aws_runs_the_example_with_the_layer(
    unpacked: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pool = UserPool()
    folder = tmp_path_factory.mktemp("function")
    (folder / "jwks.json").write_text(json.dumps(pool.jwks()), encoding="utf-8")
    variables = {
        "USER_POOL_ID": pool.user_pool_id,
        "CLIENT_ID": pool.client_id,
        "PYTHONPATH": os.pathsep.join([str(unpacked), str(folder), *sys.path]),
    }
    where = "\nimport srpcore\nprint(srpcore.__file__)\n"
    with function(EXAMPLE.read_text("utf-8") + where, folder, variables) as api:
        answers = [
            api.invoke({"version": "2.0", "routeArn": "arn", "headers": {"authorization": f"Bearer {token}"}})
            for token in (pool.token("alice"), pool.token("alice", expires_in=-1))
        ]
    assert [(status, answer["isAuthorized"]) for status, answer in answers] == [("response", True), ("response", False)]
    assert str(unpacked) in (folder / "log").read_text("utf-8")
