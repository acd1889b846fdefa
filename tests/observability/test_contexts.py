"""No secret is behind an error: neither in its cause, nor in a context that is only suppressed, nor in an attribute."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import srpcore
from observability.ledger import Journal, leaks, reachable
from srpcore import exceptions
from srpcore.aws_json import encode
from srpcore.cli import prompt
from srpcore.cli.token_input import read_token
from srpcore.flows.challenge import Challenge
from srpcore.pool import check_endpoint
from srpcore.protocol import Operation
from srpcore.tokens import unverified_claims
from srpcore.tokens.strict_json import json_object
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from srpcore_transports.proxy import parse_proxy
from support.loopback import Handler, LoopbackServer, Request, answer, chunked

TOKEN = "eyJraWQiOiJ4In0.eyJzdWIiOiJhbGljZS1pbi13b25kZXJsYW5kIn0.c2lnbmF0dXJl"
PASSWORD = "Correct-Horse-Battery-1"
SECRETS = {TOKEN, PASSWORD}
TOKENS = json.dumps({"AuthenticationResult": {"AccessToken": TOKEN}}).encode()
LOGIN = Operation(
    "InitiateAuth",
    {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "alice", "PASSWORD": PASSWORD}, "ClientId": "id"},
)


def caught(act: Callable[[], object]) -> exceptions.SrpcoreError:
    with pytest.raises(exceptions.SrpcoreError) as raised:
        act()
    return raised.value


def assert_clean(error: BaseException) -> None:
    journal = Journal()
    journal.error(error)
    assert leaks("\n".join(journal.of_errors), SECRETS) == []


# Answers

ANSWERS = {
    "cut short": answer(TOKENS).replace(b"Content-Length: ", b"Content-Length: 1"),
    "cut short within a chunk": chunked(TOKENS, last=False)[:-10],
    "no last chunk": chunked(TOKENS, last=False),
    "size of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + TOKEN.encode() + b"\r\n",
    "status line": TOKENS + b"\r\n\r\n",
    "header": b"HTTP/1.1 200 OK\r\n" + TOKENS + b"\r\n\r\n",
    "length": answer(TOKENS).replace(b"Content-Length: ", b"Content-Length: " + TOKEN.encode()),
    "no JSON": answer(TOKENS[:-1]),
    "no UTF-8": answer(TOKENS.replace(b"eyJ", b"\xff\xfeeyJ")),
    "no object": answer(b"[%s]" % TOKENS),
    "gateway": answer(TOKENS, 502),
    "redirect": answer(TOKENS, 302, Location=f"https://elsewhere.example/{TOKEN}"),
}


def over_https(url: str) -> Any:
    with HttpsTransport("us-east-1", url, max_attempts=1) as transport:
        return transport.call(LOGIN)


def over_httpx(url: str) -> Any:
    with HttpxTransport("us-east-1", url, max_attempts=1) as transport:
        return transport.call(LOGIN)


def over_async_httpx(url: str) -> Any:
    async def call() -> Any:
        async with AsyncHttpxTransport("us-east-1", url, max_attempts=1) as transport:
            return await transport.call(LOGIN)

    return asyncio.run(call())


def over_botocore(url: str) -> Any:
    from botocore.config import Config
    from botocore.session import get_session

    from srpcore_transports.botocore import BotocoreTransport

    client = get_session().create_client(
        "cognito-idp", region_name="us-east-1", endpoint_url=url, config=Config(retries={"total_max_attempts": 1})
    )
    with BotocoreTransport(client) as transport:
        return transport.call(LOGIN)


@pytest.mark.parametrize(
    "call",
    [over_https, over_httpx, over_async_httpx, pytest.param(over_botocore, marks=pytest.mark.counterpart)],
)
@pytest.mark.parametrize("name", ANSWERS)
def test_no_part_of_a_broken_answer_or_of_its_request_is_behind_the_error(
    call: Callable[[str], Any], name: str
) -> None:
    def handle(_request: Request, connection: socket.socket) -> bytes:
        connection.sendall(ANSWERS[name])
        connection.shutdown(socket.SHUT_WR)
        return b""

    with LoopbackServer(handle) as server:
        if call is not over_botocore:
            assert_clean(caught(lambda: call(server.url)))
            return
        # botocore accepts some of these answers.
        try:
            call(server.url)
        except Exception as error:  # noqa: BLE001 - what botocore raises of its own is not ours to change
            if isinstance(error, exceptions.SrpcoreError):
                assert_clean(error)


# Requests and values that cannot be encoded or parsed

UNENCODABLE = f"{PASSWORD}\ud800"
CREDENTIAL = Challenge("WEB_AUTHN", "s", {}, "alice").to_json()


class Nobody:
    """A transport that must not be used."""

    def call(self, operation: Operation) -> Any:
        raise AssertionError(operation)

    def fetch(self, url: str) -> bytes:
        raise AssertionError(url)

    def close(self) -> None:
        pass


def user() -> srpcore.Cognito:
    return srpcore.Cognito("us-east-1_abc", "client", username="alice", transport=Nobody())


def attributes(text: str) -> Challenge:
    return Challenge("NEW_PASSWORD_REQUIRED", "s", {"requiredAttributes": text}, "alice")


ACTS: dict[str, Callable[[], object]] = {
    "encode": lambda: encode(Operation("SignUp", {"Password": {"a": UNENCODABLE}})),
    "encode a set": lambda: encode(Operation("SignUp", {"Password": {"a": {PASSWORD}}})),
    "password": lambda: user().authenticate(UNENCODABLE),
    "sign_in": lambda: user().sign_in(UNENCODABLE, auth_flow="USER_PASSWORD_AUTH"),
    "credential": lambda: user().resume_sign_in(CREDENTIAL).answer(credential={PASSWORD: {PASSWORD}}),
    "challenge": lambda: user().resume_sign_in(CREDENTIAL + PASSWORD),
    "attributes": lambda: attributes(f'["{PASSWORD}').required_attributes,
    "claims": lambda: unverified_claims(TOKEN[:-20] + "!"),
    "endpoint": lambda: check_endpoint(f"https://host:{PASSWORD}"),
    "proxy": lambda: parse_proxy(f"http://host:{PASSWORD}@elsewhere:x{PASSWORD}", "HTTPS_PROXY"),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_no_value_that_cannot_be_used_is_behind_the_error(act: Callable[[], object]) -> None:
    assert_clean(caught(act))


def test_no_part_of_a_token_is_behind_the_error() -> None:
    for data in (PASSWORD.encode() + b"\xff", json.dumps({"a": UNENCODABLE}).encode(), b'{"a":"' + PASSWORD.encode()):
        with pytest.raises(ValueError, match="not ") as raised:
            json_object(data)
        assert_clean(raised.value)


def replying(response: bytes) -> Handler:
    return lambda _request, _connection: response


def test_no_credentials_are_behind_the_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    listed = Operation("ListUsers", {"UserPoolId": "us-east-1_abc"})
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    profile = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profile))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for text in (f"[default]\n{PASSWORD}\n".encode(), f"[default]\na = {PASSWORD}".encode() + b"\xff\n"):
        profile.write_bytes(text)
        with HttpsTransport("us-east-1", "http://127.0.0.1:9") as transport:
            assert_clean(caught(lambda: transport.call(listed)))
    profile.unlink()
    documents = [f'{{"AccessKeyId": "{PASSWORD}', json.dumps({"AccessKeyId": "a", "Token": UNENCODABLE})]
    for document in documents:
        with LoopbackServer(replying(answer(document.encode()))) as server:
            monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/role")
            with HttpsTransport("us-east-1", "http://127.0.0.1:9") as transport:
                assert_clean(caught(lambda: transport.call(listed)))
    token = tmp_path / "token"
    token.write_bytes(PASSWORD.encode() + b"\xff")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token))
    with HttpsTransport("us-east-1", "http://127.0.0.1:9") as transport:
        assert_clean(caught(lambda: transport.call(listed)))


def test_nothing_that_was_typed_is_behind_the_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    typed = tmp_path / "typed"
    typed.write_bytes(PASSWORD.encode() + b"\xff\n")
    with typed.open(encoding="utf-8") as standard_input:
        monkeypatch.setattr("sys.stdin", standard_input)
        assert_clean(caught(lambda: prompt.ask("Password: ")))
    assert_clean(caught(lambda: read_token(str(typed))))


# The search itself


def test_the_search_finds_what_is_behind_an_error() -> None:
    class Held:
        __slots__ = ("inner",)

        def __init__(self) -> None:
            self.inner = {"a": [PASSWORD.encode()]}

    class Hiding(Exception):
        @property
        def __context__(self) -> None:  # type: ignore[override]
            return None

    def behind(error: Exception, *, kind: type[Exception] = ValueError) -> Exception:
        try:
            try:
                raise error
            except Exception:  # noqa: BLE001
                raise kind("nothing") from None
        except Exception as found:  # noqa: BLE001
            return found

    holding = ValueError("nothing")
    holding.held = Held()  # type: ignore[attr-defined]
    encoding = UnicodeEncodeError("utf-8", UNENCODABLE, 0, 1, "why")
    cause = ValueError("nothing")
    cause.__cause__ = OSError(5, "why", PASSWORD)
    for error in (holding, encoding, cause, behind(encoding), behind(behind(holding)), behind(encoding, kind=Hiding)):
        assert leaks("\n".join(reachable(error)), SECRETS) == [PASSWORD]
    assert leaks("\n".join(reachable(behind(ValueError("nothing")))), SECRETS) == []
