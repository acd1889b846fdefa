"""``srpcore login`` with its answers piped in, against a served pool that boto3 has set up."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from support.cli_processes import SRPCORE, Result, Server, environment, run, stopped
from support.ports import reserved_port
from support.users import NEW_PASSWORD, PASSWORD

# These tests start one process or more each, so together they are too slow for the unit tier.
pytestmark = pytest.mark.slow


def login(server: Server, user: str, *lines: str, options: tuple[str, ...] = (), **settings: str) -> Result:
    stdin = "".join(f"{line}\n" for line in lines)
    return run("login", *server.pool(), "--username", user, *options, stdin=stdin, **settings)


def tokens_of(result: Result) -> dict[str, Any]:
    assert (result.status, result.stderr) == (0, ""), result
    tokens: dict[str, Any] = json.loads(result.stdout)
    return tokens


def test_tokens_are_printed_as_json(server: Server, admin: Any, user: str) -> None:
    tokens = tokens_of(login(server, user, PASSWORD))
    assert tokens.keys() == {"id_token", "access_token", "token_type", "expires_in"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert admin.get_user(AccessToken=tokens["access_token"])["Username"] == user


def test_the_refresh_token_is_printed_only_if_it_is_asked_for(server: Server, admin: Any, user: str) -> None:
    refresh_token = tokens_of(login(server, user, PASSWORD, options=("--refresh-token",)))["refresh_token"]
    assert admin.get_tokens_from_refresh_token(ClientId=server.client_id, RefreshToken=refresh_token)


def test_a_single_token_is_printed(server: Server, admin: Any, user: str) -> None:
    def token(kind: str) -> str:
        result = login(server, user, PASSWORD, options=("--token", kind))
        assert result.status == 0
        assert result.stdout.count("\n") == 1
        return result.stdout.strip()

    assert admin.get_user(AccessToken=token("access"))["Username"] == user
    assert admin.get_tokens_from_refresh_token(ClientId=server.client_id, RefreshToken=token("refresh"))
    claims = run("verify", *server.pool(), "--use", "id", stdin=token("id"))
    assert json.loads(claims.stdout)["cognito:username"] == user


def test_defaults_come_from_the_environment(server: Server, user: str) -> None:
    settings = {
        "SRPCORE_USER_POOL_ID": server.user_pool_id,
        "SRPCORE_CLIENT_ID": server.client_id,
        "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": server.url,
        # Empty is not set: the client has none.
        "SRPCORE_CLIENT_SECRET": "",
    }
    for missing in ("SRPCORE_USER_POOL_ID", "SRPCORE_CLIENT_ID"):
        result = run("login", **{**settings, missing: ""})
        assert result.status == 2
        assert f"--{missing.removeprefix('SRPCORE_').lower().replace('_', '-')}" in result.stderr
    # The name is a line like any other.
    assert tokens_of(run("login", stdin=f"{user}\r\n{PASSWORD}\r\n", **settings))["access_token"]


def test_wrong_password_is_one_error_line(server: Server, user: str) -> None:
    error = login(server, user, f"{PASSWORD}x").refused()
    assert "NotAuthorizedException" in error
    assert PASSWORD not in error


def test_unknown_user_is_one_error_line(server: Server) -> None:
    assert "NotAuthorizedException" in login(server, "nobody", PASSWORD).refused()


def test_new_password_is_asked_for(server: Server, make_user: Callable[..., str]) -> None:
    user = make_user(permanent=False)
    error = login(server, user, PASSWORD, NEW_PASSWORD, f"{NEW_PASSWORD}x").refused()
    assert "differ" in error
    assert NEW_PASSWORD not in error
    tokens_of(login(server, user, PASSWORD, NEW_PASSWORD, NEW_PASSWORD))
    tokens_of(login(server, user, NEW_PASSWORD))


def test_new_password_with_a_required_attribute(server: Server, admin: Any, make_user: Callable[..., str]) -> None:
    pool_id = admin.create_user_pool(
        PoolName="named", Schema=[{"Name": "name", "AttributeDataType": "String", "Required": True}]
    )["UserPool"]["Id"]
    client_id = admin.create_user_pool_client(UserPoolId=pool_id, ClientName="named")["UserPoolClient"]["ClientId"]
    admin.admin_create_user(UserPoolId=pool_id, Username="ann", TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    options = ["login", "--user-pool-id", pool_id, "--client-id", client_id, "--endpoint-url", server.url]
    lines = f"ann\n{PASSWORD}\n{NEW_PASSWORD}\n{NEW_PASSWORD}\n"
    # The service's text ends in a line end, the error is one line all the same.
    assert run(*options, stdin=f"{lines}\n").refused().endswith("The attribute name is required\n")
    tokens = tokens_of(run(*options, stdin=f"{lines}Ann Ångström\n", PYTHONUTF8="1"))
    attributes = admin.get_user(AccessToken=tokens["access_token"])["UserAttributes"]
    assert {"Name": "name", "Value": "Ann Ångström"} in attributes


def test_totp_code_is_asked_for(server: Server, totp_user: tuple[str, Callable[[], str]]) -> None:
    user, next_code = totp_user
    code = next_code()
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    error = login(server, user, PASSWORD, wrong).refused()
    assert "CodeMismatchException" in error
    assert wrong not in error
    tokens_of(login(server, user, PASSWORD, next_code()))


def test_sms_code_from_the_printed_line(server: Server, sms_user: tuple[str, str]) -> None:
    user, number = sms_user
    with stopped(
        subprocess.Popen(
            [*SRPCORE, "login", *server.pool(), "--username", user, "--token", "access"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{PASSWORD}\n".encode())
        process.stdin.flush()
        process.stdin.write(f"{server.await_code(number)}\n".encode())
        process.stdin.close()
        assert process.stdout.read().count(b".") == 2
        assert process.wait(30) == 0


def test_client_secret_is_read_from_the_environment(admin: Any, server: Server, user: str) -> None:
    made = admin.create_user_pool_client(UserPoolId=server.user_pool_id, ClientName="secret", GenerateSecret=True)
    client_id, secret = made["UserPoolClient"]["ClientId"], made["UserPoolClient"]["ClientSecret"]
    options = ("--client-id", client_id)
    assert tokens_of(login(server, user, PASSWORD, options=options, SRPCORE_CLIENT_SECRET=secret))
    for wrong in ({}, {"SRPCORE_CLIENT_SECRET": ""}, {"SRPCORE_CLIENT_SECRET": f"{secret}x"}):
        error = login(server, user, PASSWORD, options=options, **wrong).refused()
        assert "NotAuthorizedException" in error
        assert secret not in error


@pytest.mark.parametrize(("stdin", "name"), [("", "Username"), ("alice\n", "Password")], ids=["name", "password"])
def test_input_that_ends_early_is_an_error(server: Server, stdin: str, name: str) -> None:
    assert f"before an answer to '{name}'" in run("login", *server.pool(), stdin=stdin).refused()


def test_closed_input_is_an_error(server: Server) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *SRPCORE, "login", *server.pool(), "--username", "alice"],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert "before an answer to 'Password'" in Result(done.returncode, done.stdout, done.stderr).refused()


def test_input_that_cannot_be_decoded_is_an_error(server: Server) -> None:
    error = run("login", *server.pool(), "--username", "alice", stdin=b"secret\xff\n", PYTHONIOENCODING="utf-8")
    assert "could not decode the answer to 'Password'" in error.refused()
    assert "secret" not in error.stderr


def test_invalid_pool_id_is_refused_before_the_first_question(server: Server) -> None:
    options = [*server.pool(), "--user-pool-id", "nonsense"]
    assert "user_pool_id" in run("login", *options).refused()


def test_endpoint_that_cannot_be_reached_is_an_error(server: Server) -> None:
    with reserved_port() as port:
        options = [*server.pool(), "--endpoint-url", f"http://127.0.0.1:{port}", "--username", "alice"]
        assert PASSWORD not in run("login", *options, stdin=f"{PASSWORD}\n").refused()


def test_plain_http_to_another_machine_is_refused(server: Server) -> None:
    options = [*server.pool(), "--endpoint-url", "http://192.0.2.1", "--username", "alice"]
    assert "http" in run("login", *options, stdin=f"{PASSWORD}\n").refused()
