"""``srpcore verify`` with tokens of a served pool, valid and invalid."""

from __future__ import annotations

import io
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srpcore.cli import main
from srpcore_transports.https import HttpsTransport
from support.cli_processes import Result, Server, run, serving
from support.users import PASSWORD

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tokens(server: Server, admin: Any) -> dict[str, str]:
    admin.admin_create_user(UserPoolId=server.user_pool_id, Username="vera", MessageAction="SUPPRESS")
    admin.admin_set_user_password(UserPoolId=server.user_pool_id, Username="vera", Password=PASSWORD, Permanent=True)
    # This fixture comes before the one that gives each test its own folder for logins.
    result = run("login", *server.pool(), "--username", "vera", "--store", "none", stdin=f"{PASSWORD}\n")
    tokens: dict[str, str] = json.loads(result.stdout)
    return tokens


def test_access_token_is_read_from_standard_input(server: Server, tokens: dict[str, str]) -> None:
    result = run("verify", *server.pool(), stdin=f"{tokens['access_token']}\n")
    assert (result.status, result.stderr) == (0, "")
    claims = json.loads(result.stdout)
    assert (claims["username"], claims["token_use"]) == ("vera", "access")


def test_id_token_is_read_from_a_file(server: Server, tokens: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"  {tokens['id_token']}\n")
    result = run("verify", *server.pool(), "--use", "id", str(tmp_path / "token"))
    assert (result.status, result.stderr) == (0, "")
    assert json.loads(result.stdout)["aud"] == server.client_id


def test_a_refused_token_is_one_line_and_status_5(server: Server, tokens: dict[str, str]) -> None:
    run("verify", *server.pool(), stdin=_other_signature(tokens["access_token"])).refused(5)


def _other_signature(token: str) -> str:
    body, _, signature = token.rpartition(".")
    return f"{body}.{signature[:100]}{'A' if signature[100] != 'A' else 'B'}{signature[101:]}"


def _other_claims(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body[:40]}{'A' if body[40] != 'A' else 'B'}{body[41:]}.{signature}"


@pytest.mark.parametrize("tamper", [_other_signature, _other_claims, lambda token: ""])
def test_tampered_token_is_refused(
    server: Server, tokens: dict[str, str], run_here: Callable[..., Result], tamper: Callable[[str], str]
) -> None:
    error = run_here("verify", *server.pool(), stdin=tamper(tokens["access_token"])).refused()
    assert ("no token in " in error) == (not tamper(tokens["access_token"]))
    assert tokens["access_token"][:30] not in error


def test_token_of_the_other_use_is_refused(
    server: Server, run_here: Callable[..., Result], tokens: dict[str, str]
) -> None:
    run_here("verify", *server.pool(), "--use", "id", stdin=tokens["access_token"]).refused()
    run_here("verify", *server.pool(), stdin=tokens["id_token"]).refused()


def test_token_of_another_client_or_pool_is_refused(
    server: Server, run_here: Callable[..., Result], tokens: dict[str, str]
) -> None:
    run_here("verify", *server.pool(), "--client-id", "another", stdin=tokens["access_token"]).refused()
    with serving() as elsewhere:
        run_here("verify", *elsewhere.pool(), stdin=tokens["access_token"]).refused()


def test_files_that_cannot_be_read_are_errors(server: Server, run_here: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "binary"):
        assert str(path) in run_here("verify", *server.pool(), str(path)).refused()
    error = run("verify", *server.pool(), stdin=b"\xff\xfe", PYTHONIOENCODING="utf-8").refused()
    assert "could not read standard input" in error


def test_token_as_an_argument_is_not_shown(
    server: Server, tokens: dict[str, str], run_here: Callable[..., Result], capsys: pytest.CaptureFixture[str]
) -> None:
    for token in tokens["access_token"], tokens["id_token"], f"Bearer {tokens['id_token']}":
        error = run_here("verify", *server.pool(), token).refused()
        assert "standard input" in error
        assert "eyJ" not in error
        for arguments in (
            ["verify", *server.pool(), "--use", token],
            ["verify", *server.pool(), *(token[start : start + 200] for start in range(0, len(token), 200))],
            ["login", *server.pool(), "--token", token],
            ["serve", "--port", token],
            [token],
        ):
            with pytest.raises(SystemExit):
                run_here(*arguments)
            shown = capsys.readouterr().err
            assert "<token>" in shown
            assert not any(token[start : start + 20] in shown for start in range(0, len(token) - 20, 20))
        error = run_here("verify", *server.pool(), "--client-id", token, stdin=tokens["access_token"]).refused()
        assert "eyJ" not in error


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"])
def test_endpoint_of_the_environment_does_not_count(
    server: Server, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Otherwise whoever sets a variable would choose which keys are trusted."""
    fetched: list[str] = []
    monkeypatch.setenv(variable, server.url)

    def fetch(_: HttpsTransport, url: str) -> bytes:
        fetched.append(url)
        return b'{"keys": []}'

    monkeypatch.setattr(HttpsTransport, "fetch", fetch)
    pool = ["--user-pool-id", server.user_pool_id, "--client-id", server.client_id]
    monkeypatch.setattr("sys.stdin", io.StringIO(tokens["access_token"]))
    assert main(["verify", *pool]) == 7
    assert [url.split("/")[2] for url in fetched] == ["cognito-idp.us-east-1.amazonaws.com"] * len(fetched)
    assert fetched
    fetched.clear()
    monkeypatch.setattr("sys.stdin", io.StringIO(tokens["access_token"]))
    assert main(["verify", *pool, "--endpoint-url", server.url]) == 7
    assert {url.rpartition("/us-east")[0] for url in fetched} == {server.url}


@pytest.mark.slow
def test_key_set_of_the_environment_is_not_fetched(server: Server, tokens: dict[str, str]) -> None:
    address = f"{server.url}/{server.user_pool_id}/.well-known/jwks.json"
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address) as response:
        keys = response.read().decode()
    with serving("--issuer", "https://cognito-idp.us-east-1.amazonaws.com") as gone:
        boto3 = gone.client()
        boto3.admin_create_user(UserPoolId=gone.user_pool_id, Username="vic", MessageAction="SUPPRESS")
        boto3.admin_set_user_password(UserPoolId=gone.user_pool_id, Username="vic", Password=PASSWORD, Permanent=True)
        boto3.close()
        token = run("login", *gone.pool(), "--username", "vic", "--token", "access", stdin=PASSWORD).stdout
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"{gone.url}/{gone.user_pool_id}/.well-known/jwks.json"
        ) as response:
            keys_of_gone = response.read().decode()
    pool = ["--user-pool-id", gone.user_pool_id, "--client-id", gone.client_id]
    assert json.loads(run("verify", *pool, stdin=token, COGNITO_JWKS=keys_of_gone).stdout)["username"] == "vic"
    run("verify", *pool, stdin=token, COGNITO_JWKS=keys).refused()
    run("verify", *pool, stdin=token, COGNITO_JWKS="nonsense").refused()
