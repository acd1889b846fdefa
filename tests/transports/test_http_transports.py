"""What every transport over HTTP does, over real sockets and real TLS: requests, replies, signatures and arguments."""

from __future__ import annotations

import json
import socket
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from srpcore.clock import monotonic_clock
from srpcore.exceptions import ConfigurationError, TransportError
from srpcore.protocol import Operation, Transport
from srpcore.service_model import CONTENT_TYPE
from srpcore_transports.credentials import Credentials
from srpcore_transports.deadline import current_deadline
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from support.http_transports import (
    MakeTransport,
    served,
)
from support.loopback import LoopbackServer, Request, answer, chunked, tls
from support.serving_aws import (
    ADMIN,
    KEYS,
    SIGN_IN,
    assert_signature_holds,
    echo,
    fixed,
    refuse_to_look_for_credentials,
)

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")


KINDS = [HttpsTransport, HttpxTransport, AsyncHttpxTransport]


def test_a_call_is_one_post(make: MakeTransport, bundle: str) -> None:
    reply_to = answer(b'{"Session":"s","CreationDate":1.5}', x_amzn_RequestId="an-id")
    with served(make, bundle, fixed(reply_to)) as (server, transport):
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


def test_the_path_of_the_endpoint_is_kept_and_signed(make: MakeTransport, bundle: str) -> None:
    with (
        LoopbackServer(echo, tls("localhost")) as server,
        make("eu-west-1", f"{server.url}/under/h%20re/", KEYS, ca_bundle=bundle) as transport,
    ):
        transport.call(ADMIN)
    assert server.requests[0].target == "/under/h%20re"
    signed_by_botocore(server.requests[0], f"{server.url}/under/h%20re")


def signed_by_botocore(request: Request, url: str) -> None:
    """Verify the signature with botocore's signer, from what came over the wire."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as BotocoreCredentials

    names = request.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    headers = {name: request.headers[name] for name in names}
    signer = SigV4Auth(
        BotocoreCredentials(KEYS.access_key_id, KEYS.secret_access_key, KEYS.session_token), "cognito-idp", "eu-west-1"
    )
    again = AWSRequest(request.method, url, headers=headers, data=request.body)
    again.context["timestamp"] = request.headers["x-amz-date"]
    expected = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    assert request.headers["authorization"].endswith(f"Signature={expected}")


@pytest.mark.counterpart
def test_signatures_equal_those_of_botocore(make: MakeTransport, bundle: str) -> None:
    with served(make, bundle, credentials=KEYS) as (server, transport):
        transport.call(ADMIN)
        transport.call(Operation("ListUsers", {"UserPoolId": "eu-west-1_abc", "Filter": 'name = "ü"'}))
    for request in server.requests:
        signed_by_botocore(request, server.url)
        assert_signature_holds(request)
        assert request.headers["x-amz-security-token"] == "a-session-token"


@pytest.mark.parametrize("status", [400, 403, 500])
def test_an_error_document_is_a_reply(make: MakeTransport, bundle: str, status: int) -> None:
    body = b'{"__type":"com.amazonaws#NotAuthorizedException","message":"Incorrect username or password."}'
    with served(make, bundle, fixed(answer(body, status))) as (_, transport):
        reply = transport.call(SIGN_IN)
    assert reply.status == status
    assert reply.error == {"Code": "NotAuthorizedException", "Message": "Incorrect username or password."}


def test_an_error_type_in_a_header_is_a_reply(make: MakeTransport, bundle: str) -> None:
    response = answer(b"", 400, x_amzn_ErrorType="CodeMismatchException:http://internal/")
    with served(make, bundle, fixed(response)) as (_, transport):
        assert transport.call(SIGN_IN).error == {"Code": "CodeMismatchException", "Message": ""}


@pytest.mark.parametrize("status", [200, 502])
def test_a_response_that_is_not_json_is_an_error(make: MakeTransport, bundle: str, status: int) -> None:
    with (
        served(make, bundle, fixed(answer(b"<html>a proxy's page</html>", status))) as (_, transport),
        pytest.raises(TransportError, match=f"HTTP {status}"),
    ):
        transport.call(SIGN_IN)


def test_the_chunks_of_a_response_are_joined(make: MakeTransport, bundle: str) -> None:
    with served(make, bundle, fixed(chunked(b'{"Session"', b':"', b"s" * 5000, b'"}'))) as (server, transport):
        assert transport.call(SIGN_IN).document["Session"] == "s" * 5000
        transport.call(SIGN_IN)
    assert server.connections == 1


def test_fetch_sends_a_plain_get(make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_to_look_for_credentials(monkeypatch)
    with served(make, bundle, fixed(answer(b'{"keys":[]}')), credentials=KEYS) as (server, transport):
        transport.call(SIGN_IN)
        assert transport.fetch(f"{server.url}/pool/.well-known/jwks.json?a=b") == b'{"keys":[]}'
    request = server.requests[1]
    assert (request.method, request.target, request.body) == ("GET", "/pool/.well-known/jwks.json?a=b", b"")
    assert request.headers["host"] == f"localhost:{server.port}"
    assert not {"authorization", "x-amz-date", "x-amz-target", "content-length"} & set(request.headers)
    assert server.connections == 1


@pytest.mark.parametrize("status", [201, 204, 403, 404, 500])
def test_fetch_refuses_every_status_except_200(make: MakeTransport, bundle: str, status: int) -> None:
    with (
        served(make, bundle, fixed(answer(b"" if status == 204 else b"{}", status))) as (server, transport),
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
def test_fetch_refuses_other_urls(make: MakeTransport, url: str) -> None:
    with make("eu-west-1") as transport, pytest.raises(ConfigurationError) as caught:
        transport.fetch(url)
    assert "hunter2" not in str(caught.value)


def test_netrc_is_not_read(make: MakeTransport, bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine localhost login alice password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with served(make, bundle) as (server, transport):
        transport.call(SIGN_IN)
        transport.fetch(server.url)
    assert not any("authorization" in request.headers for request in server.requests)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(make: MakeTransport, bundle: str, status: int) -> None:
    with (
        LoopbackServer(echo, tls("localhost")) as other,
        served(make, bundle, fixed(answer(b"{}", status, Location=other.url))) as (server, transport),
    ):
        with pytest.raises(TransportError, match=f"HTTP {status} from localhost: redirects are not followed"):
            transport.call(SIGN_IN)
        with pytest.raises(TransportError, match=f"HTTP {status} from localhost: redirects are not followed"):
            transport.fetch(server.url)
    assert other.connections == 0


def test_hooks_are_called_with_events(make: MakeTransport, bundle: str) -> None:
    told: list[Any] = []
    with served(make, bundle, on_request=told.append, on_response=told.append) as (_, transport):
        transport.call(SIGN_IN)
    assert [type(event).__name__ for event in told] == ["RequestEvent", "ResponseEvent"]
    assert told[1].status == 200


# Signatures and credentials.


def test_a_signed_operation_is_signed(make: MakeTransport, bundle: str) -> None:
    with served(make, bundle, credentials=KEYS) as (server, transport):
        transport.call(ADMIN)
    assert server.requests[0].headers["x-amz-security-token"] == "a-session-token"
    assert_signature_holds(server.requests[0])


def test_keys_and_region_are_read_from_the_environment(
    make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS.secret_access_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-session-token")
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    with (
        LoopbackServer(echo, tls("localhost")) as server,
        make(endpoint_url=server.url, ca_bundle=bundle) as transport,
    ):
        transport.call(ADMIN)
    assert_signature_holds(server.requests[0], region="ap-south-1")


def test_an_unsigned_operation_does_not_look_for_credentials(
    make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Half a pair of keys is an error for a transport that looks for credentials.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    refuse_to_look_for_credentials(monkeypatch)
    with served(make, bundle) as (server, transport):
        transport.call(SIGN_IN)
    assert not {"authorization", "x-amz-date", "x-amz-security-token"} & set(server.requests[0].headers)


def test_an_unsigned_operation_is_not_signed_although_there_are_credentials(make: MakeTransport, bundle: str) -> None:
    with served(make, bundle, credentials=KEYS) as (server, transport):
        transport.call(SIGN_IN)
    assert not {"authorization", "x-amz-date", "x-amz-security-token"} & set(server.requests[0].headers)


def test_a_signed_operation_without_credentials_is_not_sent(make: MakeTransport, bundle: str) -> None:
    with served(make, bundle) as (server, transport):
        with pytest.raises(ConfigurationError, match=r"AdminGetUser must be signed.*AWS_ACCESS_KEY_ID"):
            transport.call(ADMIN)
        assert server.connections == 0


def test_a_signed_operation_without_a_region_is_not_sent(make: MakeTransport, bundle: str) -> None:
    with (
        LoopbackServer(echo, tls("localhost")) as server,
        make(endpoint_url=server.url, credentials=KEYS, ca_bundle=bundle) as transport,
    ):
        transport.call(SIGN_IN)
        with pytest.raises(ConfigurationError, match="region"):
            transport.call(ADMIN)
    assert len(server.requests) == 1


def test_the_provider_of_credentials_is_called_for_every_signed_call(make: MakeTransport, bundle: str) -> None:
    given = iter([Credentials("AKIDOTHER", "old"), KEYS])
    with served(make, bundle, credentials=lambda: next(given)) as (server, transport):
        transport.call(SIGN_IN)
        transport.call(ADMIN)
        transport.call(ADMIN)
    assert "Credential=AKIDOTHER/" in server.requests[1].headers["authorization"]
    assert_signature_holds(server.requests[2])


def test_each_attempt_has_its_own_signature(make: MakeTransport, bundle: str) -> None:
    given = iter([Credentials("AKIDOTHER", "old"), KEYS])

    def handler(request: Request, _: socket.socket) -> bytes:
        return answer(b"{}", 503 if len(server.requests) == 1 else 200)

    with served(make, bundle, handler, max_attempts=2, credentials=lambda: next(given)) as (server, transport):
        assert transport.call(ADMIN).status == 200
    assert "AKIDOTHER" in server.requests[0].headers["authorization"]
    assert_signature_holds(server.requests[1])


def test_the_search_for_credentials_has_the_deadline_of_the_call(make: MakeTransport, bundle: str) -> None:
    left: list[float] = []

    def provider() -> Credentials:
        left.append(current_deadline.get() - monotonic_clock())
        return KEYS

    with served(make, bundle, credentials=provider, total_timeout=30) as (_, transport):
        transport.call(ADMIN)
    assert left[0] <= 30


@pytest.mark.parametrize("wrong", ["AKIDEXAMPLE", ("AKIDEXAMPLE", "hunter2"), 5, b""])
def test_values_that_are_not_credentials_are_refused(make: MakeTransport, bundle: str, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="credentials must be") as caught:
        make("eu-west-1", credentials=wrong)
    assert "hunter2" not in str(caught.value)
    with (
        served(make, bundle, credentials=lambda: wrong) as (server, transport),
        pytest.raises(ConfigurationError, match="must return"),
    ):
        transport.call(ADMIN)
    assert server.connections == 0


def test_a_provider_that_raises_stop_iteration_is_an_error(make: MakeTransport, bundle: str) -> None:
    # The code that carries the call out must not take this StopIteration for the end of its own generator.
    with served(make, bundle, credentials=iter([KEYS]).__next__, total_timeout=5) as (server, transport):
        transport.call(ADMIN)
        with pytest.raises(ConfigurationError, match="provider of credentials"):
            transport.call(ADMIN)
    assert len(server.requests) == 1


def test_the_default_chain_signs_with_the_profile_for_its_region(
    make: MakeTransport, bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = f"aws_access_key_id = {KEYS.access_key_id}\naws_secret_access_key = {KEYS.secret_access_key}\n"
    file = tmp_path / "config"
    file.write_text(f"[profile work]\nregion = sa-east-1\n{keys}aws_session_token = {KEYS.session_token}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "work")
    with (
        LoopbackServer(echo, tls("localhost")) as server,
        make(endpoint_url=server.url, ca_bundle=bundle) as transport,
    ):
        transport.call(ADMIN)
    assert_signature_holds(server.requests[0], region="sa-east-1")
    assert make().endpoint_url == "https://cognito-idp.sa-east-1.amazonaws.com"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert make().region == "eu-west-2"


def test_the_region_reaches_the_default_chain(
    make: MakeTransport, bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config"
    file.write_text("[default]\ncredential_process = x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    regions: list[str | None] = []

    def resolved(region: str | None) -> Any:
        regions.append(region)
        return lambda: KEYS

    monkeypatch.setattr("srpcore_transports.credentials.chain.resolve_by_botocore", resolved)
    with served(make, bundle) as (server, transport):
        transport.call(ADMIN)
        transport.call(ADMIN)
    assert regions == ["eu-west-1"]
    assert_signature_holds(server.requests[1])


# Arguments.


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
        ({"region": "eu-west-1", "total_timeout": float("inf")}, "total_timeout"),
        ({"region": "eu-west-1", "max_response_size": 0}, "max_response_size"),
        ({"region": "eu-west-1", "max_response_size": 1e6}, "max_response_size"),
        ({"region": "eu-west-1", "max_response_size": "1"}, "max_response_size"),
        ({"region": "eu-west-1", "max_attempts": 0}, "max_attempts"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_bad_arguments_are_refused(kind: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        kind(**arguments)


@pytest.mark.parametrize("kind", KINDS)
def test_the_repr_does_not_show_the_credentials(kind: Any) -> None:
    shown = repr(kind("eu-west-1", "https://a.example", KEYS))
    assert shown == f"{kind.__name__}(region='eu-west-1', endpoint_url='https://a.example')"


def test_region_and_endpoint_are_attributes(make: MakeTransport) -> None:
    with make("us-gov-west-1", use_fips=True) as transport:
        assert transport.endpoint_url == "https://cognito-idp-fips.us-gov-west-1.amazonaws.com"
        assert transport.region == "us-gov-west-1"


def test_plain_http_to_this_machine_is_allowed(make: MakeTransport) -> None:
    with LoopbackServer(echo) as server, make(endpoint_url=server.url) as transport:
        assert transport.call(SIGN_IN).document["AuthFlow"] == "USER_SRP_AUTH"
        assert transport.fetch(server.url) == b""


def test_names_that_a_header_cannot_carry_are_refused(make: MakeTransport, bundle: str) -> None:
    for name in ("Initiate\r\nX-Secret: hunter2", "Initiate hunter2\u20ac"):
        with served(make, bundle, credentials=KEYS) as (server, transport):
            with pytest.raises(ConfigurationError, match="invalid operation name") as caught:
                transport.call(Operation(name, {}))
            assert "hunter2" not in str(caught.value)
            assert server.requests == []
            assert transport.call(SIGN_IN).status == 200
