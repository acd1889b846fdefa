"""The HTTPS transport over real sockets and real TLS on this machine."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import trustme

from srpcore.exceptions import ConfigurationError, TransportError, TransportTimeout
from srpcore.protocol import Operation, Transport
from srpcore.service_model import CONTENT_TYPE
from srpcore_transports import connections
from srpcore_transports.credentials import Credentials
from srpcore_transports.https import HttpsTransport
from srpcore_transports.urls import Origin
from support.forks import held_by_another_thread, in_a_child
from support.loopback import (
    Drop,
    Handler,
    LoopbackServer,
    Request,
    answer,
    chunked,
    proxy_server,
    tls,
    write_bundle,
)
from support.serving_aws import (
    ADMIN,
    KEYS,
    SIGN_IN,
    assert_signature_holds,
    echo,
    fixed,
    refuse_to_look_for_credentials,
    reset,
)

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")


@contextmanager
def served(bundle: str, handler: Handler = echo, **options: Any) -> Iterator[tuple[LoopbackServer, HttpsTransport]]:
    """Run a server and a transport that trusts it and tries once: over TLS, or plainly without *bundle*."""
    options = {"timeout": 10, "max_attempts": 1, **options}
    with (
        LoopbackServer(handler, tls("localhost") if bundle else None) as server,
        HttpsTransport("eu-west-1", server.url, ca_bundle=bundle or None, **options) as transport,
    ):
        yield server, transport


# What is sent, and what comes back.


def test_a_call_is_one_post(bundle: str) -> None:
    reply_to = answer(b'{"Session":"s","CreationDate":1.5}', x_amzn_RequestId="an-id")
    with served(bundle, fixed(reply_to)) as (server, transport):
        carried: Transport = transport
        reply = carried.call(SIGN_IN)
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/")
    assert json.loads(request.body) == SIGN_IN.parameters
    assert request.headers["host"] == f"localhost:{server.port}"
    assert request.headers["content-type"] == CONTENT_TYPE
    assert request.headers["x-amz-target"] == "AWSCognitoIdentityProviderService.InitiateAuth"
    assert request.headers["user-agent"].startswith("srpcore/")
    assert reply.status == 200
    assert reply.request_id == "an-id"
    assert reply.document["Session"] == "s"
    assert reply.document["CreationDate"] == datetime.fromtimestamp(1.5, tz=timezone.utc)
    assert reply.document["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"] == "an-id"


def test_the_path_of_the_endpoint_is_kept(bundle: str) -> None:
    with (
        LoopbackServer(echo, tls("localhost")) as server,
        HttpsTransport("eu-west-1", f"{server.url}/under/here/", ca_bundle=bundle, credentials=KEYS) as transport,
    ):
        transport.call(ADMIN)
    assert server.requests[0].target == "/under/here"
    assert_signature_holds(server.requests[0], "/under/here")


@pytest.mark.parametrize("status", [400, 403, 500])
def test_an_error_document_is_a_reply(bundle: str, status: int) -> None:
    body = b'{"__type":"com.amazonaws#NotAuthorizedException","message":"Incorrect username or password."}'
    with served(bundle, fixed(answer(body, status))) as (_, transport):
        reply = transport.call(SIGN_IN)
    assert reply.status == status
    assert reply.error == {"Code": "NotAuthorizedException", "Message": "Incorrect username or password."}


def test_the_error_header_is_a_reply(bundle: str) -> None:
    response = answer(b"", 400, x_amzn_ErrorType="CodeMismatchException:http://internal/")
    with served(bundle, fixed(response)) as (_, transport):
        assert transport.call(SIGN_IN).error == {"Code": "CodeMismatchException", "Message": ""}


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_that_is_not_json_is_no_answer(bundle: str, status: int) -> None:
    with (
        served(bundle, fixed(answer(b"<html>a proxy's page</html>", status))) as (_, transport),
        pytest.raises(TransportError, match=f"HTTP {status}"),
    ):
        transport.call(SIGN_IN)


def test_a_chunked_answer_is_whole(bundle: str) -> None:
    with served(bundle, fixed(chunked(b'{"Session"', b':"', b"s" * 5000, b'"}'))) as (server, transport):
        assert transport.call(SIGN_IN).document["Session"] == "s" * 5000
        transport.call(SIGN_IN)
    assert server.connections == 1


def test_fetch_is_a_plain_get(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_to_look_for_credentials(monkeypatch)
    with served(bundle, fixed(answer(b'{"keys":[]}')), credentials=KEYS) as (server, transport):
        transport.call(SIGN_IN)
        assert transport.fetch(f"{server.url}/pool/.well-known/jwks.json?a=b") == b'{"keys":[]}'
    request = server.requests[1]
    assert (request.method, request.target, request.body) == ("GET", "/pool/.well-known/jwks.json?a=b", b"")
    assert request.headers["host"] == f"localhost:{server.port}"
    assert not {"authorization", "x-amz-date", "x-amz-target", "content-length"} & set(request.headers)
    assert server.connections == 1


@pytest.mark.parametrize("status", [201, 204, 403, 404, 500])
def test_fetch_wants_200(bundle: str, status: int) -> None:
    with (
        served(bundle, fixed(answer(b"" if status == 204 else b"{}", status))) as (server, transport),
        pytest.raises(TransportError, match=f"HTTP {status}"),
    ):
        transport.fetch(server.url)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/jwks",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://user:hunter2@example.com/",
        "https:///nohost",
        "https://example.com:port/",
        "https://example.com/a b",
        "https://example.com/\u00e9",
        "https://example.com/a\r\nHost: other",
        "",
    ],
)
def test_fetch_refuses_other_urls(url: str) -> None:
    with HttpsTransport("eu-west-1") as transport, pytest.raises(ConfigurationError) as caught:
        transport.fetch(url)
    assert "hunter2" not in str(caught.value)


# Signatures and credentials.


def test_a_signed_operation_is_signed(bundle: str) -> None:
    with served(bundle, credentials=KEYS) as (server, transport):
        transport.call(ADMIN)
    assert server.requests[0].headers["x-amz-security-token"] == "a-session-token"
    assert_signature_holds(server.requests[0])


def test_keys_and_region_of_the_environment(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS.secret_access_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-session-token")
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    with (
        LoopbackServer(echo, tls("localhost")) as server,
        HttpsTransport(endpoint_url=server.url, ca_bundle=bundle) as transport,
    ):
        transport.call(ADMIN)
    assert_signature_holds(server.requests[0], region="ap-south-1")


def test_an_unsigned_operation_looks_for_no_credentials(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Half a pair would be an error, had anybody looked.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    refuse_to_look_for_credentials(monkeypatch)
    with served(bundle) as (server, transport):
        transport.call(SIGN_IN)
    assert not {"authorization", "x-amz-date", "x-amz-security-token"} & set(server.requests[0].headers)


def test_an_unsigned_operation_is_unsigned_with_credentials_too(bundle: str) -> None:
    with served(bundle, credentials=KEYS) as (server, transport):
        transport.call(SIGN_IN)
    assert not {"authorization", "x-amz-date", "x-amz-security-token"} & set(server.requests[0].headers)


def test_no_credentials_no_call(bundle: str) -> None:
    with (
        served(bundle) as (server, transport),
        pytest.raises(ConfigurationError, match=r"AdminGetUser must be signed.*AWS_ACCESS_KEY_ID"),
    ):
        transport.call(ADMIN)
    assert server.connections == 0


def test_no_region_no_signature(bundle: str) -> None:
    with (
        LoopbackServer(echo, tls("localhost")) as server,
        HttpsTransport(endpoint_url=server.url, credentials=KEYS, ca_bundle=bundle) as transport,
    ):
        transport.call(SIGN_IN)
        with pytest.raises(ConfigurationError, match="region"):
            transport.call(ADMIN)
    assert len(server.requests) == 1


def test_a_provider_is_asked_at_every_signed_call(bundle: str) -> None:
    given = iter([Credentials("AKIDOTHER", "old"), KEYS])
    with served(bundle, credentials=lambda: next(given)) as (server, transport):
        transport.call(SIGN_IN)
        transport.call(ADMIN)
        transport.call(ADMIN)
    assert "Credential=AKIDOTHER/" in server.requests[1].headers["authorization"]
    assert_signature_holds(server.requests[2])


@pytest.mark.parametrize("wrong", ["AKIDEXAMPLE", ("AKIDEXAMPLE", "hunter2"), 5, b""])
def test_what_gives_no_credentials_is_refused(bundle: str, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="credentials must be") as caught:
        HttpsTransport("eu-west-1", credentials=wrong)
    assert "hunter2" not in str(caught.value)
    with (
        served(bundle, credentials=lambda: wrong) as (server, transport),
        pytest.raises(ConfigurationError, match="must return"),
    ):
        transport.call(ADMIN)
    assert server.connections == 0


def test_a_provider_that_has_none_left_is_told(bundle: str) -> None:
    # StopIteration, which whoever carries the call out must not take for its end.
    with served(bundle, credentials=iter([KEYS]).__next__) as (server, transport):
        transport.call(ADMIN)
        with pytest.raises(ConfigurationError, match="provider of credentials"):
            transport.call(ADMIN)
    assert len(server.requests) == 1


def test_the_default_chain_signs_with_the_profile_for_its_region(
    bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = f"aws_access_key_id = {KEYS.access_key_id}\naws_secret_access_key = {KEYS.secret_access_key}\n"
    file = tmp_path / "config"
    file.write_text(f"[profile work]\nregion = sa-east-1\n{keys}aws_session_token = {KEYS.session_token}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "work")
    with (
        LoopbackServer(echo, tls("localhost")) as server,
        HttpsTransport(endpoint_url=server.url, ca_bundle=bundle) as transport,
    ):
        transport.call(ADMIN)
    assert_signature_holds(server.requests[0], region="sa-east-1")
    assert HttpsTransport().endpoint_url == "https://cognito-idp.sa-east-1.amazonaws.com"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert HttpsTransport().region == "eu-west-2"


# Arguments and the environment.


def test_the_region_reaches_the_default_chain(bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_text("[default]\ncredential_process = x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    regions: list[str | None] = []

    def resolved(region: str | None) -> Any:
        regions.append(region)
        return lambda: KEYS

    monkeypatch.setattr("srpcore_transports.credentials.chain.resolve_by_botocore", resolved)
    with served(bundle) as (server, transport):
        transport.call(ADMIN)
        transport.call(ADMIN)
    assert regions == ["eu-west-1"]
    assert_signature_holds(server.requests[1])


class NotSent(Exception):
    pass


def sent_by_botocore(region: str) -> str:
    """Return the URL that botocore would send to: its client's meta.endpoint_url does not know the variants."""
    import botocore.session

    def take(request: Any, **_: Any) -> None:
        raise NotSent(request.url)

    client: Any = botocore.session.Session().create_client("cognito-idp", region)
    client.meta.events.register("before-send", take)
    with pytest.raises(NotSent) as caught:
        client.revoke_token(Token="t", ClientId="c")
    client.close()
    return str(caught.value)


@pytest.mark.counterpart
@pytest.mark.parametrize(
    ("fips", "dualstack", "host"),
    [
        ("true", None, "cognito-idp-fips.us-gov-west-1.amazonaws.com"),
        (None, "True", "cognito-idp.us-gov-west-1.api.aws"),
        ("TRUE", "true", "cognito-idp-fips.us-gov-west-1.api.aws"),
        ("1", "yes", "cognito-idp.us-gov-west-1.amazonaws.com"),
        ("", "false", "cognito-idp.us-gov-west-1.amazonaws.com"),
    ],
)
def test_variants_of_the_endpoint_are_botocores(
    fips: str | None, dualstack: str | None, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("AWS_USE_FIPS_ENDPOINT", fips), ("AWS_USE_DUALSTACK_ENDPOINT", dualstack)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert HttpsTransport("us-gov-west-1").endpoint_url == f"https://{host}"
    assert sent_by_botocore("us-gov-west-1") == f"https://{host}/"


def test_arguments_go_before_the_variables_of_the_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    with_both = HttpsTransport("eu-west-1", use_fips=True, use_dualstack=True)
    assert with_both.endpoint_url == "https://cognito-idp-fips.eu-west-1.api.aws"
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    plain = HttpsTransport("us-gov-west-1", use_fips=False, use_dualstack=False)
    assert plain.endpoint_url == "https://cognito-idp.us-gov-west-1.amazonaws.com"


def test_an_endpoint_url_has_no_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    for variant in ({"use_fips": True}, {"use_dualstack": True}):
        with pytest.raises(ConfigurationError, match="cannot change an endpoint URL"):
            HttpsTransport("eu-west-1", "https://a.example", **variant)  # type: ignore[arg-type]
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    assert HttpsTransport("eu-west-1", "https://a.example").endpoint_url == "https://a.example"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://b.example")
    with pytest.raises(ConfigurationError, match="cannot change an endpoint URL"):
        HttpsTransport("eu-west-1", use_fips=True)


def test_the_region_makes_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    assert HttpsTransport("cn-north-1").endpoint_url == "https://cognito-idp.cn-north-1.amazonaws.com.cn"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert HttpsTransport().endpoint_url == "https://cognito-idp.eu-west-2.amazonaws.com"
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert HttpsTransport().region == "eu-west-3"
    assert HttpsTransport("eu-west-1").region == "eu-west-1"


def test_the_endpoint_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://every.example/")
    assert HttpsTransport().endpoint_url == "https://every.example"
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "https://one.example")
    assert HttpsTransport("eu-west-1").endpoint_url == "https://one.example"
    assert HttpsTransport("eu-west-1", "https://two.example").endpoint_url == "https://two.example"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "AWS_REGION"),
        ({"use_fips": True}, "AWS_REGION"),
        ({"region": "no region"}, "region"),
        ({"endpoint_url": "http://example.com"}, "http"),
        ({"endpoint_url": "https://example.com/\u00e9"}, "ASCII"),
        ({"endpoint_url": "https://exa mple.com"}, "URL"),
        ({"region": "eu-west-1", "timeout": 0}, "connect_timeout"),
        ({"region": "eu-west-1", "read_timeout": -1}, "read_timeout"),
        ({"region": "eu-west-1", "connect_timeout": float("inf")}, "connect_timeout"),
        ({"region": "eu-west-1", "timeout": float("nan")}, "positive"),
        ({"region": "eu-west-1", "timeout": "5"}, "positive"),
        ({"region": "eu-west-1", "total_timeout": True}, "total_timeout"),
        ({"region": "eu-west-1", "max_response_size": 0}, "max_response_size"),
        ({"region": "eu-west-1", "max_response_size": 1e6}, "max_response_size"),
        ({"region": "eu-west-1", "max_idle_connections": -1}, "max_idle_connections"),
        ({"region": "eu-west-1", "max_idle_connections": "16"}, "max_idle_connections"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        HttpsTransport(**arguments)


def test_no_connection_is_kept_where_none_may_be(bundle: str) -> None:
    with served(bundle, max_idle_connections=0) as (server, transport):
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1]


def test_http_to_another_machine_when_allowed_in_so_many_words() -> None:
    assert HttpsTransport(endpoint_url="http://example.com", allow_http=True).endpoint_url == "http://example.com"


def test_the_repr_shows_no_secret() -> None:
    assert repr(HttpsTransport("eu-west-1", "https://a.example", KEYS)) == (
        "HttpsTransport(region='eu-west-1', endpoint_url='https://a.example')"
    )


def test_plain_http_on_this_machine() -> None:
    with LoopbackServer(echo) as server, HttpsTransport(endpoint_url=server.url) as transport:
        assert transport.call(SIGN_IN).document["AuthFlow"] == "USER_SRP_AUTH"
        assert transport.fetch(server.url) == b""


def test_what_no_header_carries_is_refused(bundle: str) -> None:
    with served(bundle, credentials=KEYS) as (server, transport):
        with pytest.raises(ConfigurationError) as caught:
            transport.call(Operation("Initiate\r\nX-Secret: hunter2", {}))
        assert "hunter2" not in str(caught.value)
        assert caught.value.__suppress_context__
    assert server.requests == []


# Connections kept alive.


def test_one_connection_serves_many_calls(bundle: str) -> None:
    with served(bundle) as (server, transport):
        for _ in range(5):
            transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0] * 5


def test_a_server_that_closes_is_called_on_a_new_connection(bundle: str) -> None:
    with served(bundle, fixed(answer(Connection="close"))) as (server, transport):
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1]


def test_a_connection_closed_while_idle_is_replaced(bundle: str) -> None:
    with served(bundle) as (server, transport):
        transport.call(SIGN_IN)
        server.drop_connections()
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1]


def test_what_comes_unasked_is_no_answer_to_the_next_call() -> None:
    with LoopbackServer(echo) as server, HttpsTransport(endpoint_url=server.url) as transport:
        transport.call(SIGN_IN)
        server.push(answer(b'{"Session": "of somebody else"}'))
        assert "Session" not in transport.call(SIGN_IN).document
    assert [request.connection for request in server.requests] == [0, 1]


def test_the_connection_used_last_is_the_next_one_used() -> None:
    idle = connections.IdleConnections(4)
    with LoopbackServer(echo) as server:
        origin = Origin("http", "127.0.0.1", server.port)
        opened = [HTTPConnection(origin.host, origin.port) for _ in range(3)]
        for connection in opened:
            connection.connect()
            idle.give_back(origin, connection, idle.generation)
        taken = [idle.take(origin) for _ in range(4)]
        assert taken == [*reversed(opened), None]
        for connection in opened:
            connection.close()


def lost_when_reused(request: Request, _: socket.socket) -> bytes:
    if request.connection == 0 and request.headers["x-amz-target"].endswith("GetUser"):
        raise Drop
    return answer()


def test_a_reused_connection_lost_before_the_first_byte_is_replaced_once(bundle: str) -> None:
    with served(bundle, lost_when_reused) as (server, transport):
        transport.call(SIGN_IN)
        transport.call(Operation("GetUser", {}))
    assert [request.connection for request in server.requests] == [0, 0, 1]


def test_what_must_not_be_sent_twice_is_not_though_the_connection_was_a_used_one(bundle: str) -> None:
    def handler(request: Request, _: socket.socket) -> bytes:
        if request.headers["x-amz-target"].endswith("SignUp"):
            raise Drop
        return answer()

    with served(bundle, handler, max_attempts=3) as (server, transport):
        transport.call(SIGN_IN)
        with pytest.raises(TransportError, match="closed without an answer") as raised:
            transport.call(Operation("SignUp", {}))
        assert raised.value.may_have_arrived
        assert [request.connection for request in server.requests] == [0, 0]
        transport.call(SIGN_IN)


def test_what_must_not_be_sent_twice_takes_no_connection_that_rested(bundle: str) -> None:
    clock = [0.0, 0.0]
    with served(bundle) as (server, transport):
        transport._idle = connections.IdleConnections(4, lambda: clock[0], lambda: clock[1])
        for step, name in [(0, "SignUp"), (4.9, "SignUp"), (5.1, "SignUp"), (5.1, "GetUser"), (59, "GetUser")]:
            # Either clock will do: the monotonic one may have stood still while the machine was asleep.
            clock[0 if name == "SignUp" else 1] += step
            transport.call(Operation(name, {}))
        assert [request.connection for request in server.requests] == [0, 0, 1, 1, 1]
        clock[1] += 61
        transport.call(Operation("GetUser", {}))
        assert server.requests[-1].connection == 2


@pytest.mark.parametrize("secure", [True, False])
def test_a_reused_connection_that_is_reset_is_replaced_once(bundle: str, secure: bool) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        if len(server.requests) == 2:
            reset(connection)
            raise Drop
        return answer()

    with served(bundle if secure else "", handler) as (server, transport):
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 0, 1]


def test_sending_on_a_dead_connection_is_tried_once_more(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The server's end comes between the look at the idle connection and the sending: nobody can look in time.
    monkeypatch.setattr(connections, "_has_input", lambda connection: False)
    big = Operation("SignUp", {"Username": "u" * 3_000_000})
    with served(bundle) as (server, transport):
        transport.call(SIGN_IN)
        server.drop_connections()
        transport.call(big)
    assert [request.connection for request in server.requests] == [0, 1]


def test_the_second_time_is_the_last(bundle: str) -> None:
    def handler(request: Request, _: socket.socket) -> bytes:
        if len(server.requests) > 1:
            raise Drop
        return answer()

    with served(bundle, handler) as (server, transport):
        transport.call(SIGN_IN)
        with pytest.raises(TransportError, match="localhost: the connection was closed without an answer"):
            transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 0, 1]


def test_a_new_connection_that_is_lost_is_not_replaced(bundle: str) -> None:
    def handler(request: Request, _: socket.socket) -> bytes:
        raise Drop

    with (
        served(bundle, handler) as (server, transport),
        pytest.raises(TransportError, match="closed without an answer"),
    ):
        transport.call(SIGN_IN)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "part", [b"H", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
@pytest.mark.parametrize("rudely", [False, True])
@pytest.mark.parametrize("secure", [True, False])
def test_an_answer_that_breaks_off_is_never_asked_for_again(
    bundle: str, part: bytes, rudely: bool, secure: bool
) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        if len(server.requests) == 1:
            return answer()
        connection.sendall(part)
        if rudely:
            time.sleep(0.05)  # a reset overtakes what was not read yet
            reset(connection)
        raise Drop

    with served(bundle if secure else "", handler) as (server, transport):
        transport.call(SIGN_IN)
        with pytest.raises(TransportError, match=r"localhost|127\.0\.0\.1"):
            transport.call(SIGN_IN)
    assert len(server.requests) == 2


@pytest.mark.slow
def test_a_timeout_on_a_reused_connection_is_not_asked_for_again(bundle: str) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        if len(server.requests) == 2:
            connection.recv(1)  # until the client gives up
            raise Drop
        return answer()

    # The other answers must come within this timeout.
    with served(bundle, handler, read_timeout=1) as (server, transport):
        transport.call(SIGN_IN)
        with pytest.raises(TransportTimeout):
            transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 0, 1]


def test_close_then_use_again(bundle: str) -> None:
    with served(bundle) as (server, transport):
        transport.call(SIGN_IN)
        transport.close()
        transport.close()
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1, 1]


def test_a_connection_in_use_at_the_close_is_not_kept(bundle: str) -> None:
    def handler(request: Request, _: socket.socket) -> bytes:
        if len(server.requests) == 1:
            transport.close()
        return answer()

    with served(bundle, handler) as (server, transport):
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1]


def test_each_host_and_port_has_its_own_connections(bundle: str) -> None:
    with served(bundle) as (first, transport), LoopbackServer(echo, tls("localhost")) as second:
        for server in (first, second, first, second):
            transport.fetch(server.url)
    assert first.connections == second.connections == 1


def test_idle_connections_are_bounded_and_the_last_used_goes_first(bundle: str) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(LoopbackServer(echo, tls("localhost"))) for _ in range(3)]
        transport = stack.enter_context(HttpsTransport("eu-west-1", ca_bundle=bundle, max_idle_connections=2))
        for server in (*servers, servers[2], servers[1], servers[0]):
            transport.fetch(server.url)
    assert [server.connections for server in servers] == [2, 1, 1]


def test_a_connection_idle_for_long_is_not_used(bundle: str) -> None:
    now = 1000.0
    idle = connections.IdleConnections(4, clock=lambda: now)
    with served(bundle) as (server, transport):
        transport._idle = idle
        transport.call(SIGN_IN)
        now += connections.IDLE_SECONDS - 1
        transport.call(SIGN_IN)
        now += connections.IDLE_SECONDS
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 0, 1]


@pytest.mark.slow
def test_threads_get_their_own_answers(bundle: str) -> None:
    def ask(number: int) -> bool:
        name = f"user-{number}-{'x' * (number % 7) * 1000}"
        return bool(transport.call(Operation("SignUp", {"Username": name})).document["Username"] == name)

    with served(bundle) as (server, transport), ThreadPoolExecutor(32) as threads:
        assert all(threads.map(ask, range(320)))
        assert len(transport._idle._idle) <= 16
    assert server.connections < 320


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_does_not_speak_on_the_parents_connection(bundle: str) -> None:
    with served(bundle) as (server, transport):
        transport.call(SIGN_IN)
        with held_by_another_thread(transport._idle._lock.lock):
            assert in_a_child(lambda: transport.call(SIGN_IN)) == 0
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1, 0]


# Limits.


def test_a_response_up_to_the_limit(bundle: str) -> None:
    body = json.dumps({"Session": "s" * 985}).encode()
    assert len(body) == 1000
    for response in (
        answer(body),
        chunked(body[:500], body[500:]),
    ):
        with served(bundle, fixed(response), max_response_size=1000) as (_, transport):
            assert transport.call(SIGN_IN).document["Session"] == "s" * 985


@pytest.mark.parametrize("form", ["length", "chunked"])
def test_a_response_beyond_the_limit(bundle: str, form: str) -> None:
    body = b'"' + b"s" * 999 + b'"'
    response = {
        "length": answer(body),
        "chunked": chunked(body[:500], body[500:]),
    }[form]
    with served(bundle, fixed(response), max_response_size=1000) as (server, transport):
        for _ in range(2):
            with pytest.raises(TransportError, match="localhost is longer than 1000 bytes"):
                transport.fetch(server.url)
    assert server.connections == 2


def test_an_endless_response_is_not_read_to_its_end(bundle: str) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(2000):
            connection.sendall(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        finished.append(request)
        raise Drop

    finished: list[Request] = []
    with (
        served(bundle, handler, max_response_size=100_000) as (_, transport),
        pytest.raises(TransportError, match="longer than 100000 bytes"),
    ):
        transport.call(SIGN_IN)
    assert finished == []


def test_an_announced_length_beyond_the_limit_is_not_read(bundle: str) -> None:
    with (
        served(bundle, fixed(answer(b"", Content_Length=str(10**12)))) as (_, transport),
        pytest.raises(TransportError, match="longer than"),
    ):
        transport.call(SIGN_IN)


@pytest.mark.parametrize(
    "response",
    [answer(b"{}", Content_Length="9", Connection="close"), chunked(b"{}", last=False) + b"5\r\nab"],
)
def test_a_truncated_body_is_no_answer(bundle: str, response: bytes) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        connection.sendall(response)
        raise Drop

    with (
        served(bundle, handler) as (_, transport),
        pytest.raises(TransportError, match=r"localhost.*(cut short|not valid HTTP)"),
    ):
        transport.call(SIGN_IN)


@pytest.mark.parametrize(
    "junk", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 two hundred\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 999]
)
def test_what_is_no_http_is_no_answer(bundle: str, junk: bytes) -> None:
    with (
        served(bundle, fixed(junk + b"Connection: close\r\n\r\n")) as (_, transport),
        pytest.raises(TransportError, match="waiting for localhost: the answer is not valid HTTP"),
    ):
        transport.call(SIGN_IN)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(bundle: str, status: int) -> None:
    with LoopbackServer(echo, tls("localhost")) as other:
        response = answer(b"{}", status, Location=other.url)
        with served(bundle, fixed(response)) as (server, transport):
            with pytest.raises(TransportError, match=f"HTTP {status} from localhost: redirects are not followed"):
                transport.call(SIGN_IN)
            with pytest.raises(TransportError, match=f"HTTP {status} from localhost: redirects are not followed"):
                transport.fetch(server.url)
    assert other.connections == 0


def test_a_response_without_a_length_is_no_answer(bundle: str) -> None:
    # Its end is the end of the connection: whoever cuts that shortens the answer unseen.
    with (
        served(bundle, fixed(answer(b"{}", Content_Length="", Connection="close"))) as (_, transport),
        pytest.raises(TransportError, match="localhost has no Content-Length"),
    ):
        transport.call(SIGN_IN)


# Failures to connect, and timeouts.


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with (
        HttpsTransport(endpoint_url=f"https://localhost:{port}") as transport,
        pytest.raises(TransportError, match=r"connecting to localhost: .*refused"),
    ):
        transport.call(SIGN_IN)


def test_no_such_host() -> None:
    with (
        HttpsTransport(endpoint_url="https://no-such-host.invalid") as transport,
        pytest.raises(TransportError, match=r"no-such-host\.invalid: the host name was not found"),
    ):
        transport.call(SIGN_IN)


@pytest.mark.slow
def test_a_silent_server_is_a_timeout_while_connecting(bundle: str) -> None:
    # The kernel takes the connection, nobody answers the TLS greeting: the connect timeout covers that too.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with (
            HttpsTransport(
                endpoint_url=f"https://localhost:{port}", ca_bundle=bundle, connect_timeout=0.2, read_timeout=60
            ) as transport,
            pytest.raises(TransportTimeout, match=r"connecting to localhost: no answer within 0\.2 seconds"),
        ):
            transport.call(SIGN_IN)


def test_a_silent_server_is_a_timeout_while_reading(bundle: str) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        connection.recv(1)  # until the client gives up
        raise Drop

    with (
        served(bundle, handler, timeout=60, read_timeout=0.2) as (_, transport),
        pytest.raises(TransportTimeout, match=r"waiting for localhost: no answer within 0\.2 seconds"),
    ):
        transport.call(SIGN_IN)


def test_silence_in_the_middle_is_a_timeout(bundle: str) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        connection.sendall(answer(b"{", Content_Length="2"))
        connection.recv(1)
        raise Drop

    with (
        served(bundle, handler, read_timeout=0.2) as (_, transport),
        pytest.raises(TransportTimeout, match="waiting for localhost"),
    ):
        transport.call(SIGN_IN)


# Trust.


def assert_not_trusted(transport: HttpsTransport, server: LoopbackServer) -> None:
    with pytest.raises(TransportError, match="connecting to localhost: certificate verification failed"):
        transport.call(SIGN_IN)
    assert server.requests == []


def test_a_certificate_for_another_host(bundle: str) -> None:
    with (
        LoopbackServer(echo, tls("elsewhere.example")) as server,
        HttpsTransport(endpoint_url=server.url, ca_bundle=bundle) as transport,
    ):
        assert_not_trusted(transport, server)


def test_an_authority_that_is_not_trusted(bundle: str) -> None:
    with LoopbackServer(echo, tls("localhost", issuer=trustme.CA())) as server:
        with HttpsTransport(endpoint_url=server.url, ca_bundle=bundle) as transport:
            assert_not_trusted(transport, server)
        with HttpsTransport(endpoint_url=server.url) as transport:
            assert_not_trusted(transport, server)


def test_the_bundle_of_the_environment(bundle: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", bundle)
    with LoopbackServer(echo, tls("localhost")) as server:
        with HttpsTransport(endpoint_url=server.url) as transport:
            assert transport.call(SIGN_IN).status == 200
        with (
            HttpsTransport(endpoint_url=server.url, ca_bundle=write_bundle(tmp_path, trustme.CA())) as transport,
            pytest.raises(TransportError, match="certificate verification failed"),
        ):
            transport.call(SIGN_IN)


@pytest.mark.parametrize("content", [None, "this is no certificate", ""])
def test_a_bundle_that_cannot_be_read(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)
    with (
        LoopbackServer(echo, tls("localhost")) as server,
        HttpsTransport(endpoint_url=server.url, ca_bundle=path) as transport,
        pytest.raises(ConfigurationError, match="AWS_CA_BUNDLE"),
    ):
        transport.call(SIGN_IN)
    assert server.connections == 0


def test_tls_1_1_is_refused(bundle: str) -> None:
    with HttpsTransport("eu-west-1", ca_bundle=bundle) as transport:
        assert transport._tls().minimum_version.name == "TLSv1_2"
        assert transport._tls() is transport._tls()


def test_a_server_that_speaks_no_tls(bundle: str) -> None:
    with (
        LoopbackServer(fixed(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")) as server,
        HttpsTransport(endpoint_url=f"https://localhost:{server.port}", ca_bundle=bundle) as transport,
        pytest.raises(TransportError, match="connecting to localhost"),
    ):
        transport.call(SIGN_IN)


# Proxies.


def test_a_tunnel_through_the_proxy(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(bundle) as (server, transport), proxy_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://us%40er:p%3Ass@127.0.0.1:{proxy.port}")
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
        transport.close()
    (request,) = proxy.requests
    assert (request.method, request.target) == ("CONNECT", f"localhost:{server.port}")
    assert request.headers["proxy-authorization"] == "Basic " + b64encode(b"us@er:p:ss").decode()
    assert len(server.requests) == 2
    assert "proxy-authorization" not in server.requests[0].headers
    assert server.requests[0].headers["host"] == f"localhost:{server.port}"


def test_lower_case_wins_and_the_scheme_may_be_left_out(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(bundle) as (_, transport), proxy_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
        transport.call(SIGN_IN)
        transport.close()
    assert [request.method for request in proxy.requests] == ["CONNECT"]
    assert "proxy-authorization" not in proxy.requests[0].headers


@pytest.mark.parametrize("no_proxy", ["localhost", "example.com, localhost", "*", "localhost:{port}"])
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_no_proxy(bundle: str, monkeypatch: pytest.MonkeyPatch, name: str, no_proxy: str) -> None:
    with served(bundle) as (server, transport):
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv(name, no_proxy.format(port=server.port))
        assert transport.call(SIGN_IN).status == 200


def test_a_proxy_that_refuses(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(bundle) as (server, transport), proxy_server(refuse=407) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter2@127.0.0.1:{proxy.port}")
        with pytest.raises(TransportError, match=r"localhost through the proxy 127.0.0.1:\d+: .*407") as caught:
            transport.call(SIGN_IN)
        assert "hunter2" not in str(caught.value)
    assert server.connections == 0


@pytest.mark.parametrize("junk", [b"SSH-2.0-OpenSSH\r\n", b""])
def test_a_proxy_that_is_none(monkeypatch: pytest.MonkeyPatch, junk: bytes) -> None:
    with LoopbackServer(fixed(junk + b"Connection: close\r\n\r\n" if junk else b"Connection: close")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with (
            HttpsTransport("eu-west-1", "https://localhost:1") as transport,
            pytest.raises(TransportError, match="connecting to localhost through the proxy"),
        ):
            transport.call(SIGN_IN)


def test_a_host_that_no_name_service_takes() -> None:
    with (
        HttpsTransport(endpoint_url=f"https://{'a' * 64}.example") as transport,
        pytest.raises(ConfigurationError, match="connecting to aaa"),
    ):
        transport.call(SIGN_IN)


def test_the_tunnel_is_verified_end_to_end(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackServer(echo, tls("127.0.0.1")) as server, proxy_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with (
            HttpsTransport(endpoint_url=server.url, ca_bundle=bundle) as transport,
            pytest.raises(TransportError, match="certificate verification failed"),
        ):
            transport.call(SIGN_IN)
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    ["socks5://user:hunter2@127.0.0.1:1", "https://user:hunter2@127.0.0.1:1", "http://:hunter2@", "http://h:hunter2"],
)
def test_another_kind_of_proxy_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    with (
        HttpsTransport("eu-west-1") as transport,
        pytest.raises(ConfigurationError, match="HTTPS_PROXY is not the URL of an HTTP proxy") as caught,
    ):
        transport.call(SIGN_IN)
    assert "hunter2" not in str(caught.value)


def test_plain_http_to_this_machine_takes_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with LoopbackServer(echo) as server:
        for host in ("127.0.0.1", "localhost"):
            with HttpsTransport(endpoint_url=f"http://{host}:{server.port}") as transport:
                assert transport.call(SIGN_IN).status == 200


def test_plain_http_elsewhere_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    # The proxy answers for a host that does not exist, so that nothing leaves this machine.
    with LoopbackServer(echo) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:word@127.0.0.1:{proxy.port}")
        with HttpsTransport("eu-west-1", "http://no-such-host.invalid:8080/path", KEYS, allow_http=True) as transport:
            transport.call(ADMIN)
    (request,) = proxy.requests
    assert request.target == "http://no-such-host.invalid:8080/path"
    assert request.headers["host"] == "no-such-host.invalid:8080"
    assert request.headers["proxy-authorization"] == "Basic " + b64encode(b"user:word").decode()
    assert "proxy-authorization" not in request.headers["authorization"]
    assert_signature_holds(request, "/path")


# Being cheap.


def test_no_bundle_is_read_before_the_first_connection() -> None:
    program = (
        "import ssl, sys\n"
        "def fail(*a, **k): raise AssertionError('a context was made')\n"
        "ssl.create_default_context = fail\n"
        "from srpcore_transports.https import HttpsTransport\n"
        "HttpsTransport('eu-west-1').close()\n"
        "slow = {'asyncio', 'urllib.request', 'requests', 'botocore'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    path = os.pathsep.join(filter(None, sys.path))
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60, env={"PYTHONPATH": path})


@pytest.mark.parametrize("status", [102, 103, 199])
def test_an_interim_response_is_no_answer(bundle: str, status: int) -> None:
    interim = f"HTTP/1.1 {status} Wait\r\nLink: </style>\r\n\r\n".encode()
    with served(bundle, lambda request, _: interim * 2 + answer(request.body)) as (server, transport):
        for name in ("alice", "bob"):
            operation = Operation("GetUser", {"AccessToken": name})
            assert transport.call(operation).document["AccessToken"] == name
        assert [request.connection for request in server.requests] == [0, 0]


def test_a_protocol_that_is_switched_is_no_answer(bundle: str) -> None:
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"
    with served(bundle, fixed(switched)) as (_, transport), pytest.raises(TransportError, match="HTTP 101"):
        transport.call(SIGN_IN)


def test_a_proxy_s_words_are_told_plainly_and_its_refusal_stands(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def handler(request: Request, _: socket.socket) -> bytes:
        return b"HTTP/1.1 407 evil\x1b[31m\xff" + b"x" * 500 + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    with LoopbackServer(handler) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with (
            HttpsTransport("eu-west-1", "https://service.example", ca_bundle=bundle) as transport,
            pytest.raises(TransportError) as raised,
        ):
            transport.call(SIGN_IN)
        assert len(proxy.requests) == 1
    assert "407 evil?[31m?" in str(raised.value)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 400


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the open descriptors cannot be told here")
def test_looking_at_an_idle_connection_takes_no_descriptor(bundle: str) -> None:
    with served(bundle) as (server, transport):
        transport.call(SIGN_IN)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (max(int(entry.name) for entry in Path("/proc/self/fd").iterdir()) + 8, limit[1])
        )
        taken: list[int] = []
        try:
            with suppress(OSError):
                while True:
                    taken.append(os.dup(0))
            transport.call(SIGN_IN)
        finally:
            for descriptor in taken:
                os.close(descriptor)
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        assert [request.connection for request in server.requests] == [0, 0]
