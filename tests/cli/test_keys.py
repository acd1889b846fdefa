"""``srpcore keys`` with the key set of a served pool."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from srpcore import TokenVerifier
from srpcore.cli import main
from srpcore.exceptions.base import TransportError
from srpcore_transports.https import HttpsTransport
from srpcore_transports.local import LocalUserPool
from support.cli_processes import Result, Server, run
from support.users import PASSWORD


def test_a_verifier_accepts_tokens_with_the_printed_keys(
    server: Server, user: str, run_here: Callable[..., Result], tmp_path: Path
) -> None:
    result = run_here("keys", server.user_pool_id, "--endpoint-url", server.url)
    assert (result.status, result.stderr) == (0, "")
    (tmp_path / "jwks.json").write_text(result.stdout)
    token = run("login", *server.pool(), "--username", user, "--token", "access", stdin=PASSWORD).stdout.strip()
    verifier = TokenVerifier(
        server.user_pool_id, client_id=server.client_id, token_use="access", endpoint_url=server.url
    )
    verifier.load_jwks(tmp_path / "jwks.json")
    assert verifier.verify(token)["username"] == user


def test_pool_id_is_read_from_the_environment(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SRPCORE_USER_POOL_ID", server.user_pool_id)
    assert main(["keys", "--endpoint-url", server.url]) == 0
    assert [key["kty"] for key in json.loads(capsys.readouterr().out)["keys"]] == ["RSA"]


def test_pool_id_is_an_option_as_in_the_other_commands(server: Server, run_here: Callable[..., Result]) -> None:
    option = ("--user-pool-id", server.user_pool_id, "--endpoint-url", server.url)
    result = run_here("keys", *option)
    assert [key["kty"] for key in json.loads(result.stdout)["keys"]] == ["RSA"]
    assert run_here("keys", server.user_pool_id, *option).stdout == result.stdout
    assert "two user pools were given" in run_here("keys", "us-east-1_Another00", *option).refused(2)


def test_a_missing_pool_id_is_an_error(run_here: Callable[..., Result]) -> None:
    assert "no user_pool_id: give" in run_here("keys").refused(2)


def test_an_invalid_pool_id_is_an_error(run_here: Callable[..., Result]) -> None:
    assert "user_pool_id must look like eu-west-1_AbCd12345" in run_here("keys", "nonsense").refused()


def test_an_unknown_pool_is_an_error(server: Server, run_here: Callable[..., Result]) -> None:
    assert run_here("keys", "us-east-1_Unknown00", "--endpoint-url", server.url).refused(6) == (
        f"srpcore: the pool us-east-1_Unknown00 does not exist at {server.url}: check the user pool id\n"
    )


@pytest.mark.parametrize(("status", "expected"), [(404, 6), (503, 7)])
def test_only_status_404_is_a_missing_pool(
    status: int, expected: int, run_here: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(_: HttpsTransport, url: str) -> bytes:
        raise TransportError("HTTP status", status=status, url=url)

    monkeypatch.setattr(HttpsTransport, "fetch", fetch)
    error = run_here("keys", "eu-west-1_AbCd12345").refused(expected)
    assert ("does not exist at https://cognito-idp.eu-west-1.amazonaws.com:" in error) == (status == 404)


@pytest.mark.parametrize("document", [b'{"keys": []}', b"<html>", b'{"keys": [{"kty": "EC", "kid": "1"}]}'])
def test_a_key_set_that_a_verifier_refuses_is_not_printed(
    run_here: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, document: bytes
) -> None:
    monkeypatch.setattr(HttpsTransport, "fetch", lambda *_: document)
    error = run_here("keys", "eu-west-1_AbCd12345").refused()
    assert "the document that was fetched is not a usable key set" in error


def test_endpoint_of_the_environment_does_not_count(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise a variable would choose which keys a function trusts after its deployment."""
    fetched: list[str] = []

    def fetch(_: HttpsTransport, url: str) -> bytes:
        fetched.append(url)
        pool = LocalUserPool()
        return pool.fetch(f"/{pool.user_pool_id}/.well-known/jwks.json")

    monkeypatch.setattr(HttpsTransport, "fetch", fetch)
    for variable in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    assert main(["keys", "eu-west-1_AbCd12345"]) == 0
    assert fetched == ["https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd12345/.well-known/jwks.json"]
    assert json.loads(capsys.readouterr().out)["keys"]


def test_plain_http_to_another_machine_needs_the_option(
    run_here: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpsTransport, "fetch", lambda *_: b"{}")
    options = ["keys", "eu-west-1_AbCd12345", "--endpoint-url", "http://cognito-local:9229"]
    assert "plain http to cognito-local" in run_here(*options).refused()
    assert "not a usable key set" in run_here(*options, "--allow-http").refused()


def test_a_file_is_written_only_if_the_key_set_is_usable(
    server: Server, run_here: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "jwks.json"
    assert run_here("keys", "us-east-1_Another12", "--endpoint-url", server.url, "--output", str(file)).status != 0
    assert not file.exists()
    result = run_here("keys", server.user_pool_id, "--endpoint-url", server.url, "--output", str(file))
    assert (result.status, result.stdout) == (0, "")
    assert [key["kty"] for key in json.loads(file.read_text())["keys"]] == ["RSA"]
