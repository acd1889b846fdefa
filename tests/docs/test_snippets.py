"""The programs in the README and in the documentation run without a warning, and type-check.

Each runs against an embedded user pool that is served on 127.0.0.1, as it stands in the text but for the ids of the pool
and the app client. Names that a program uses and does not define, for example ``password``, are in :func:`names`.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import gc
import inspect
import os
import re
import subprocess
import sys
import textwrap
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import boto3
import pytest

import srpcore
import srpcore_transports
import support.sites  # noqa: F401 - Django needs its settings before rest_framework is imported
from srpcore import TokenVerifier
from srpcore.crypto.totp import totp
from srpcore.protocol import Operation
from srpcore_transports.https import HttpsTransport
from srpcore_transports.local import LocalUserPool

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PASSWORD, NEW_PASSWORD = "correct horse battery staple", "Correct-Horse-2"
POOL_ID, CLIENT_ID = "eu-west-1_AbCd12345", "4dn6jbcbhqcofxyczo3ms9z4cc"

# What the programs use and do not define, with the types.
PREAMBLE = """\
import pytest
import srpcore
from collections.abc import Callable
from typing import Any
from srpcore import AsyncCognito, Cognito, TokenVerifier

pool_id: str
client_id: str
password: str
new_password: str
code: str
token: str
path: str
ask: Callable[[str], str]
user: Cognito
hass: Any
get_async_client: Callable[[Any], Any]
"""


class Snippet(NamedTuple):
    place: str
    source: str

    @property
    def code(self) -> CodeType:
        code: CodeType = compile(self.source, self.place, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        return code

    @property
    def is_async(self) -> bool:
        return bool(self.code.co_flags & inspect.CO_COROUTINE)


def snippets() -> list[Snippet]:
    found: list[Snippet] = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
            line = text.count("\n", 0, match.start()) + 2
            found.append(Snippet(f"{page.relative_to(ROOT)}:{line}", match[1]))
    return found


def files() -> dict[str, str]:
    """Return the programs in the pages that have a file name, by this name. They import each other."""
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    found = re.findall(r'```python title="([^"]+)"\n(.*?)```', pages, re.DOTALL)
    assert len(dict(found)) == len(found), "two programs have the same file name"
    return dict(found)


class Served(NamedTuple):
    pool: LocalUserPool
    url: str


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it may have the credentials of another test
    off = dict.fromkeys(("RequireUppercase", "RequireLowercase", "RequireNumbers", "RequireSymbols"), False)
    settings = {"Policies": {"PasswordPolicy": {"MinimumLength": 8, **off}}}
    with LocalUserPool(region="eu-west-1", pool_settings=settings) as pool:

        def admin(operation: str, **parameters: Any) -> None:
            reply = pool.call(Operation(operation, {"UserPoolId": pool.user_pool_id, **parameters}))
            assert reply.status == 200

        admin("CreateGroup", GroupName="staff")
        for name in ("alice", "alice@example.com"):
            admin("AdminCreateUser", Username=name, MessageAction="SUPPRESS")
            admin("AdminSetUserPassword", Username=name, Password=PASSWORD, Permanent=True)
            admin("AdminAddUserToGroup", Username=name, GroupName="staff")
        with pool.serve() as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
            yield Served(pool, server.url)


def names(served: Served, user: srpcore.Cognito) -> dict[str, Any]:
    user.authenticate(PASSWORD)
    return {
        "__name__": "__main__",  # Flask looks for the module
        "pool_id": served.pool.user_pool_id,
        "client_id": served.pool.client_id,
        "password": PASSWORD,
        "new_password": NEW_PASSWORD,
        "token": user.access_token,
        "user": user,
        "srpcore": srpcore,
        "pytest": pytest,
        "ask": lambda question: pytest.fail(f"the program asked {question}"),
        "hass": None,
        "get_async_client": lambda _: None,  # then the transport makes a client of its own
        **{name: getattr(srpcore, name) for name in ("AsyncCognito", "Cognito", "TokenVerifier")},
    }


def of_the_pool(snippet: Snippet, served: Served) -> Snippet:
    """Return *snippet* with the ids and the endpoint of the served pool."""
    source = snippet.source.replace(POOL_ID, served.pool.user_pool_id).replace(CLIENT_ID, served.pool.client_id)
    # A verifier reads no environment variable that could change what it trusts, so it must get the endpoint.
    source = re.sub(r"(TokenVerifier\((?:(?!endpoint_url=)[^)])*)\)", rf'\1, endpoint_url="{served.url}")', source)
    return snippet._replace(source=source)


@pytest.mark.parametrize("snippet", snippets(), ids=lambda snippet: snippet.place)
def test_each_program_runs_without_a_warning(
    snippet: Snippet,
    served: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def ask(question: str) -> str:
        assert question == "code of the app"
        return totp(capsys.readouterr().out.split()[-1], time.time())  # the program has printed the secret

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with srpcore.Cognito(served.pool.user_pool_id, served.pool.client_id, username="alice") as user:
        run(of_the_pool(snippet, served), {**names(served, user), "ask": ask})


def run(snippet: Snippet, namespace: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        running = eval(snippet.code, namespace)
        if inspect.iscoroutine(running):
            asyncio.run(running)
        del running
        # As pytest does. Those that need fixtures are in other tests.
        for name, value in list(namespace.items()):
            if name.startswith("test_") and not inspect.signature(value).parameters:
                value()
        close_transports(namespace)
        namespace.clear()
        gc.collect()  # a connection that was not closed is a ResourceWarning


def close_transports(namespace: dict[str, Any]) -> None:
    """Close the transports that a program keeps at module level, as a function of AWS Lambda does."""
    for value in namespace.values():
        if isinstance(value, HttpsTransport):
            value.close()


def test_the_function_that_logs_in_returns_a_token(served: Served) -> None:
    (snippet,) = (snippet for snippet in snippets() if "prepared.prepare()" in snippet.source)
    namespace: dict[str, Any] = {"Any": Any}
    exec(of_the_pool(snippet, served).code, namespace)
    answer = namespace["handler"]({"username": "alice", "password": PASSWORD}, RemainingTime())
    close_transports(namespace)
    options: dict[str, Any] = {"client_id": served.pool.client_id, "token_use": "access", "endpoint_url": served.url}
    with TokenVerifier(served.pool.user_pool_id, **options) as verifier:
        assert verifier.verify(answer["access_token"])["username"] == "alice"


class RemainingTime:
    """The context of a function that may run for half a minute more."""

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def loop_that_answers_steps() -> Snippet:
    (found,) = (snippet for snippet in snippets() if "step.needs" in snippet.source)
    return found


def totp_user(served: Served, world: srpcore.Cognito) -> tuple[str, str]:
    """Set up an authenticator app, and return its secret and the code that the set-up has used."""
    world.authenticate(PASSWORD)
    secret = world.associate_software_token()
    code = totp(secret, time.time())
    assert world.verify_software_token(code)
    world.set_user_mfa_preference(sms_mfa=False, software_token_mfa=True, preferred="SOFTWARE_TOKEN")
    return secret, code


def test_the_loop_that_answers_steps_changes_a_password_and_asks_again_after_a_wrong_or_used_code(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    with srpcore.Cognito(served.pool.user_pool_id, served.pool.client_id, username="alice") as user:
        namespace = names(served, user)
        secret, used = totp_user(served, user)
        alice = {"UserPoolId": served.pool.user_pool_id, "Username": "alice"}
        served.pool.call(Operation("AdminSetUserPassword", {**alice, "Password": PASSWORD, "Permanent": False}))
        asked: list[str] = []

        def ask(question: str) -> str:
            asked.append(question)
            if question == "new password":
                return NEW_PASSWORD
            return ("000000", used, totp(secret, time.time() + 30))[len(asked) - 2]

        run(loop_that_answers_steps(), {**namespace, "ask": ask})
        assert asked == ["new password", *["code sent to your authenticator app"] * 3]
        wrong, expired = capsys.readouterr().out.splitlines()
        assert (wrong, expired[:18]) == ("wrong code: try again", "that code was used")


def test_the_loop_that_answers_steps_sets_up_an_authenticator_app(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = {"UserPoolId": served.pool.user_pool_id}
    with srpcore.Cognito(served.pool.user_pool_id, served.pool.client_id, username="alice") as user:
        namespace = names(served, user)
        settings = {"MfaConfiguration": "ON", "SoftwareTokenMfaConfiguration": {"Enabled": True}}
        assert served.pool.call(Operation("SetUserPoolMfaConfig", {**pool, **settings})).status == 200
        run(
            loop_that_answers_steps(),
            {**namespace, "ask": lambda _: totp(capsys.readouterr().out.split()[-1], time.time())},
        )


def test_the_program_that_sets_up_an_authenticator_app_makes_it_the_second_factor(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    (snippet,) = (snippet for snippet in snippets() if "verify_software_token" in snippet.source)
    with srpcore.Cognito(served.pool.user_pool_id, served.pool.client_id, username="alice") as user:
        namespace = names(served, user)
        run(snippet, {**namespace, "ask": lambda _: totp(capsys.readouterr().out.split()[-1], time.time())})
        step = user.sign_in(PASSWORD)
        assert (step.needs, step.challenge and step.challenge.name) == ("code", "SOFTWARE_TOKEN_MFA")


def test_the_loop_that_answers_steps_ends_at_a_challenge_that_it_cannot_answer(served: Served) -> None:
    class Step:
        done, needs = False, "credential"

    class User:
        def __init__(self, *_: object, **__: object) -> None: ...
        def __enter__(self) -> User:
            return self

        def __exit__(self, *_: object) -> None: ...
        def sign_in(self, _: str) -> Step:
            return Step()

    with pytest.raises(NotImplementedError, match="cannot answer credential"):
        run(loop_that_answers_steps(), {"Cognito": User, "pool_id": "", "client_id": "", "password": "", "ask": None})


def test_only_names_of_the_preamble_are_undefined() -> None:
    given = {*re.findall(r"^(\w+): ", PREAMBLE, re.MULTILINE), *re.findall(r"(\w+)(?:,|$)", PREAMBLE, re.MULTILINE)}
    for snippet in snippets():
        assert undefined(snippet) - given == set(), snippet.place


def test_the_programs_about_the_local_pool_can_be_copied_as_they_are() -> None:
    found = [snippet for snippet in snippets() if "local-pool" in snippet.place]
    assert len(found) > 10
    for snippet in found:
        assert undefined(snippet) == set(), snippet.place


def undefined(snippet: Snippet) -> set[str]:
    tree = ast.parse(snippet.source)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return used - defined(tree) - {*dir(builtins)}


def defined(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs)) and node.name:
            names.add(node.name)
    return names


def test_the_tests_in_the_pages_pass(tmp_path: Path) -> None:
    for name, source in files().items():
        (tmp_path / name).write_text(source, encoding="utf-8")
    # Starlette asks for another package than httpx, which works as well.
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-W", "ignore:Using `httpx`"]
    command += ["-p", "srpcore_transports.pytest_plugin", "-p", "no:cacheprovider"]
    paths = [str(Path(package.__path__[0]).parent) for package in (srpcore, srpcore_transports)]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    count = sum(source.count("\ndef test_") for source in files().values())
    assert count > 3
    recorded = [name for name, source in files().items() if "cassette:" in source]
    for arguments, expected in ((["--srpcore-record=missing"], count), (recorded, len(recorded))):
        every = [*command, *arguments]
        done = subprocess.run(
            every, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=300, check=False
        )
        assert f"\n{expected} passed" in done.stdout, done.stdout


@pytest.mark.long
def test_the_programs_type_check(tmp_path: Path) -> None:
    for name, source in files().items():
        (tmp_path / name).write_text(source, encoding="utf-8")
    for number, snippet in enumerate(snippets()):
        body = snippet.source
        if snippet.is_async:
            body = "async def main() -> None:\n" + textwrap.indent(body, "    ")
        (tmp_path / f"snippet_{number}.py").write_text(f"# {snippet.place}\n{PREAMBLE}\n{body}", encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--allow-untyped-defs"]
    command += ["--allow-incomplete-defs", "--allow-subclassing-any"]
    command += ["--config-file", str(ROOT / "pyproject.toml")]
    # Kept for the next run, apart from the results of `make check`, which has other options. Without it mypy reads srpcore,
    # the frameworks and the standard library again, which takes 8 s.
    command += ["--cache-dir", str(ROOT / ".mypy_cache" / "snippets")]
    result = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.stdout == ""
    assert result.returncode == 0, result.stderr


def test_methods_in_the_table_of_administration_exist() -> None:
    table = (ROOT / "docs" / "administration.md").read_text(encoding="utf-8").split("| To | call |")[1].split("\n\n")[0]
    names = set(re.findall(r"`([a-z_]+)`", table))
    assert len(names) > 20
    assert {name for name in names if not hasattr(srpcore.Cognito, name)} == set()
