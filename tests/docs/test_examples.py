"""The programs in ``examples/`` run against a local user pool."""

from __future__ import annotations

import asyncio
import csv
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from srpcore import Cognito
from srpcore.crypto.totp import totp
from srpcore.protocol import Operation
from srpcore.store import FileStore, MemoryStore, Tokens, store_key
from srpcore_transports.local import UserPool
from support.cli_processes import Terminal, environment
from support.users import PASSWORD

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Let a test import examples, and forget the modules afterwards."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    before = {*sys.modules}
    yield []
    for name in {*sys.modules} - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(EXAMPLES)):
            del sys.modules[name]


@pytest.fixture(autouse=True)
def aws_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture
def url(user_pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    user_pool.add_user("alice", password=PASSWORD)
    with user_pool.serve() as server:
        monkeypatch.setenv("USER_POOL_ID", user_pool.user_pool_id)
        monkeypatch.setenv("CLIENT_ID", user_pool.client_id)
        monkeypatch.setenv("COGNITO_URL", server.url)
        yield server.url


def imported(name: str) -> ModuleType:
    return importlib.import_module(name)


@pytest.mark.parametrize("suite", ["test_fastapi_app.py", "test_own_srp.py"])
def test_a_suite_of_tests_passes(suite: str, tmp_path: Path) -> None:
    # -c: without the settings of this project, as for somebody who copies the example
    options = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(EXAMPLES / suite)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_flask(example: list[str], url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = imported("flask_app")
    client = module.app.test_client()
    assert client.get("/me").status_code == 401
    assert client.post("/login", json={"username": "alice", "password": "wrong"}).status_code == 401
    token = client.post("/login", json={"username": "alice", "password": PASSWORD}).json["access_token"]
    assert client.get("/me", headers={"Authorization": f"Bearer {token}"}).json == {"username": "alice"}
    assert client.post("/login", json={"username": "", "password": PASSWORD}).status_code == 400
    assert client.post("/login", json={"username": "alice"}).status_code == 400
    monkeypatch.setattr(module, "URL", "http://127.0.0.1:1")
    assert client.post("/login", json={"username": "alice", "password": PASSWORD}).status_code == 503


def test_django(url: str) -> None:
    # In a process of its own, because Django has one set of settings for each process.
    program = f"""
import sys; sys.path.insert(0, {str(EXAMPLES)!r})
import django_app, json
from rest_framework.test import APIClient
client = APIClient()
statuses = [client.get("/me").status_code]
for password in ("wrong", {PASSWORD!r}):
    answer = client.post("/login", {{"username": "alice", "password": password}}, format="json")
    statuses.append(answer.status_code)
client.credentials(HTTP_AUTHORIZATION="Bearer " + answer.json()["access_token"])
me = client.get("/me").json()
client.credentials()
for username, url in (("", django_app.URL), (None, django_app.URL), ("alice", "http://127.0.0.1:1")):
    django_app.URL = url
    login = {{"username": username, "password": {PASSWORD!r}}} if username is not None else {{}}
    statuses.append(client.post("/login", login, format="json").status_code)
print(json.dumps([statuses, me]))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment(COGNITO_URL=url), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[401, 401, 200, 400, 400, 503], {"username": "alice"}]


def test_log_in_asks_once_and_stays_logged_in(user_pool: UserPool, url: str, tmp_path: Path) -> None:
    arguments = (user_pool.user_pool_id, user_pool.client_id, "alice", url)
    program = (
        f"import os, sys; os.execv(sys.executable, [sys.executable, {str(EXAMPLES / 'log_in.py')!r}, *sys.argv[1:]])"
    )
    with Terminal(*arguments, program=program, settings={"HOME": str(tmp_path)}) as terminal:
        terminal.answer("Password: ", PASSWORD)
        terminal.await_text("logged in as ")
        assert terminal.end() == 0
    with Terminal(*arguments, program=program, settings={"HOME": str(tmp_path)}) as terminal:
        terminal.await_text("logged in as ")
        assert terminal.end() == 0
    assert "Password" not in terminal.shown


@pytest.mark.parametrize("access_token_expired", [False, True])
def test_log_in_asks_for_the_password_again_when_the_login_has_ended(
    example: list[str],
    user_pool: UserPool,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    access_token_expired: bool,
) -> None:
    asked = answer_questions(monkeypatch, tmp_path, [PASSWORD, PASSWORD])
    arguments = (user_pool.user_pool_id, user_pool.client_id, "alice", url)
    main = imported("log_in").main
    main(*arguments)
    if access_token_expired:
        store, key = FileStore(tmp_path / ".example" / "logins"), store_key(*arguments[:3])
        login = store.load(key)
        assert login is not None
        assert login.tokens is not None
        expired = Tokens(access_token=user_pool.token("alice", expires_in=-1), refresh_token=login.tokens.refresh_token)
        store.save(key, login.__replace__(tokens=expired))
    signed_out = {"UserPoolId": user_pool.user_pool_id, "Username": "alice"}
    assert user_pool.call(Operation("AdminUserGlobalSignOut", signed_out)).status == 200
    main(*arguments)
    assert asked == ["Password: "] * 2
    shown = capsys.readouterr()
    assert shown.out.count("logged in as ") == 2
    assert shown.err == "The login has ended: log in again.\n"


def test_log_in_asks_for_another_code_after_a_wrong_or_used_one(
    example: list[str],
    user_pool: UserPool,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = (user_pool.user_pool_id, user_pool.client_id)
    with Cognito(*arguments, username="alice", endpoint_url=url) as user:
        user.authenticate(PASSWORD)
        secret = user.associate_software_token()
        used = totp(secret, time.time())
        assert user.verify_software_token(used)
        user.set_user_mfa_preference(sms_mfa=None, software_token_mfa=True, preferred="SOFTWARE_TOKEN")
    answer_questions(monkeypatch, tmp_path, [PASSWORD, "000000", used, totp(secret, time.time() + 30)])
    imported("log_in").main(*arguments, "alice", url)
    shown = capsys.readouterr()
    assert [line[:18] for line in shown.err.splitlines()] == ["That code is wrong", "That code was used"]
    assert shown.out.startswith("logged in as ")


def test_log_in_keeps_the_secret_of_the_app_after_a_mistyped_code(
    example: list[str],
    user_pool: UserPool,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    demand = {"MfaConfiguration": "ON", "SoftwareTokenMfaConfiguration": {"Enabled": True}}
    settings = {"UserPoolId": user_pool.user_pool_id, **demand}
    assert user_pool.call(Operation("SetUserPoolMfaConfig", settings)).status == 200

    def right_code() -> str:
        secret = capsys.readouterr().err.splitlines()[0].rpartition(" ")[2]
        code = totp(secret, time.time())
        return f"{code[:3]} {code[3:]}"

    answer_questions(monkeypatch, tmp_path, [PASSWORD, "000000", "12345", "", right_code])
    imported("log_in").main(user_pool.user_pool_id, user_pool.client_id, "alice", url)
    assert capsys.readouterr().out.startswith("logged in as ")


def test_log_in_ends_with_a_message_and_not_with_a_traceback(
    example: list[str],
    user_pool: UserPool,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_questions(monkeypatch, tmp_path, ["wrong", PASSWORD])
    main, arguments = imported("log_in").main, (user_pool.user_pool_id, user_pool.client_id, "alice")
    with pytest.raises(SystemExit, match="the user name or the password is wrong"):
        main(*arguments, url)
    with pytest.raises(SystemExit, match="Connection refused"):
        main(*arguments, "http://127.0.0.1:1")


def answer_questions(
    monkeypatch: pytest.MonkeyPatch, home: Path, answers: Sequence[str | Callable[[], str]]
) -> list[str]:
    """Let getpass return the *answers* one after the other, with *home* as the home folder. Return what is asked."""
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        given = answers[len(asked) - 1]
        return given if isinstance(given, str) else given()

    monkeypatch.setattr("getpass.getpass", answer)
    monkeypatch.setenv("HOME", str(home))
    return asked


def test_the_async_client_logs_in_once_and_asks_again_when_the_login_has_ended(
    example: list[str], user_pool: UserPool, url: str
) -> None:
    module = imported("async_client")
    store = MemoryStore()
    asked: list[str] = []

    async def use() -> None:
        arguments = (user_pool.user_pool_id, user_pool.client_id, "alice", store, lambda: asked.append("login"), url)
        async with module.CloudClient(*arguments) as client:
            with pytest.raises(module.NeedsLogin):
                await client.token()
            await client.log_in(PASSWORD)
            first = await client.token()
        async with module.CloudClient(*arguments) as client:
            assert await client.token() == first
            signed_out = {"UserPoolId": user_pool.user_pool_id, "Username": "alice"}
            assert user_pool.call(Operation("AdminUserGlobalSignOut", signed_out)).status == 200
            client._user.access_token = user_pool.token("alice", expires_in=-1)
            with pytest.raises(module.NeedsLogin):
                await client.token()

    asyncio.run(use())
    assert asked == ["login"]


def test_users_are_exported(example: list[str], user_pool: UserPool, url: str, tmp_path: Path) -> None:
    for number in range(70):
        user_pool.add_user(f"user-{number}", email=f"{number}@example.com")
    path = tmp_path / "users.csv"
    assert imported("export_users").main(user_pool.user_pool_id, str(path), url) == 71
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["username"]: row for row in csv.DictReader(file)}
    assert rows["user-69"]["email"] == "69@example.com"
    assert len(rows) == 71
