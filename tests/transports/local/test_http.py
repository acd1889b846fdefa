"""The pool over HTTP: signatures, the wire, and boto3 as the client nobody here wrote."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import jwt
import pytest

from srpcore import aws_json
from srpcore.protocol import Operation
from srpcore.service_model import TARGET_PREFIX
from srpcore_transports import sigv4
from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalServer, LocalUserPool
from srpcore_transports.local.operations.table import OPERATIONS
from support.clock import Clock
from support.users import PASSWORD

from .client import Client

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
JSON = "application/x-amz-json-1.1"


@pytest.fixture
def pool() -> LocalUserPool:
    return LocalUserPool(credentials=KEYS)


@pytest.fixture
def server(pool: LocalUserPool) -> Iterator[LocalServer]:
    with pool.serve() as server:
        yield server


def send(
    server: LocalServer, body: bytes, headers: dict[str, str], method: str = "POST", path: str = "/"
) -> tuple[int, dict[str, Any], dict[str, str]]:
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answered = {name.lower(): value for name, value in response.getheaders()}
        return response.status, json.loads(response.read() or b"{}"), answered
    finally:
        connection.close()


def signed(
    server: LocalServer,
    sent: bytes,
    target: str = "ListUsers",
    keys: Credentials = KEYS,
    ahead: timedelta = timedelta(0),
    **changes: Any,
) -> dict[str, str]:
    headers = {"Content-Type": JSON, "X-Amz-Target": TARGET_PREFIX + target}
    parameters: dict[str, Any] = {
        "method": "POST",
        "url": server.url + "/",
        "headers": headers,
        "body": sent,
        "credentials": keys,
        "region": "us-east-1",
        "service": "cognito-idp",
        "time": datetime.now(timezone.utc) + ahead,
        **changes,
    }
    return headers | sigv4.sign(**parameters)


def listing(pool: LocalUserPool) -> bytes:
    return json.dumps({"UserPoolId": pool.user_pool_id}).encode()


class TestSignatures:
    def test_the_right_signature_is_accepted(self, pool: LocalUserPool, server: LocalServer) -> None:
        body = listing(pool)
        status, document, _ = send(server, body, signed(server, body))
        assert (status, document) == (200, {"Users": []})

    def test_a_missing_signature_is_refused(self, pool: LocalUserPool, server: LocalServer) -> None:
        headers = {"Content-Type": JSON, "X-Amz-Target": TARGET_PREFIX + "ListUsers"}
        status, document, answered = send(server, listing(pool), headers)
        assert status == 403
        assert document["__type"] == "MissingAuthenticationTokenException"
        assert answered["x-amzn-errortype"].startswith("MissingAuthenticationTokenException")
        assert answered["x-amzn-requestid"]

    @pytest.mark.parametrize("operation", ["CreateUserPool", "AdminSetUserPassword", "AdminInitiateAuth", "ListUsers"])
    def test_every_admin_operation_needs_a_signature(self, server: LocalServer, operation: str) -> None:
        headers = {"Content-Type": JSON, "X-Amz-Target": TARGET_PREFIX + operation}
        assert send(server, b"{}", headers)[1]["__type"] == "MissingAuthenticationTokenException"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"credentials": Credentials("AKIDEXAMPLE", "another-secret")}, "InvalidSignatureException"),
            ({"credentials": Credentials("AKIDOTHER", KEYS.secret_access_key)}, "UnrecognizedClientException"),
            (
                {"credentials": Credentials("AKIDEXAMPLE", KEYS.secret_access_key, "token")},
                "UnrecognizedClientException",
            ),
            ({"region": "eu-west-1"}, "ResourceNotFoundException"),
            ({"region": "us_east_1"}, "InvalidSignatureException"),
            ({"service": "s3"}, "InvalidSignatureException"),
            ({"method": "PUT"}, "InvalidSignatureException"),
            ({"body": b"another body"}, "InvalidSignatureException"),
            ({"ahead": timedelta(minutes=-6)}, "InvalidSignatureException"),
            ({"ahead": timedelta(minutes=6)}, "InvalidSignatureException"),
            ({"url": "http://other.example/"}, "InvalidSignatureException"),
        ],
    )
    def test_a_wrong_signature_is_refused(
        self, pool: LocalUserPool, server: LocalServer, changes: dict[str, Any], code: str
    ) -> None:
        body = listing(pool)
        status, document, _ = send(server, body, signed(server, body, **changes))
        assert status in (400, 403)
        assert document["__type"] == code

    @pytest.mark.parametrize(
        ("name", "value", "code"),
        [
            ("Authorization", "Basic x", "IncompleteSignatureException"),
            ("X-Amz-Date", "", "IncompleteSignatureException"),
            ("X-Amz-Date", "20200101T000000Z", "InvalidSignatureException"),
            ("X-Amz-Target", TARGET_PREFIX + "DescribeUserPool", "InvalidSignatureException"),
        ],
    )
    def test_a_changed_header_is_refused(
        self, pool: LocalUserPool, server: LocalServer, name: str, value: str, code: str
    ) -> None:
        body = listing(pool)
        _, document, _ = send(server, body, signed(server, body) | {name: value})
        assert document["__type"] == code

    def test_the_target_must_be_signed(self, pool: LocalUserPool, server: LocalServer) -> None:
        body = listing(pool)
        headers = {"Content-Type": JSON}
        added = signed(server, body, headers=headers)
        assert "x-amz-target" not in added["Authorization"]
        assert send(server, body, added)[1]["__type"] == "InvalidSignatureException"

    def test_a_server_without_keys_refuses_every_signature(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        pool = LocalUserPool()
        with pool.serve() as server:
            body = listing(pool)
            assert send(server, body, signed(server, body))[1]["__type"] == "UnrecognizedClientException"

    def test_keys_of_the_environment_are_used_if_none_are_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS.access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS.secret_access_key)
        monkeypatch.setenv("AWS_SESSION_TOKEN", "a-session-token")
        pool = LocalUserPool()
        with pool.serve() as server:
            body = listing(pool)
            token = Credentials(KEYS.access_key_id, KEYS.secret_access_key, "a-session-token")
            assert send(server, body, signed(server, body, keys=token))[0] == 200
            assert send(server, body, signed(server, body))[1]["__type"] == "UnrecognizedClientException"


class TestWire:
    def post(self, server: LocalServer, operation: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
        sent = {"Content-Type": JSON, "X-Amz-Target": TARGET_PREFIX + operation, **headers}
        return send(server, body, sent)[:2]

    def test_replies_equal_those_in_process(self, pool: LocalUserPool, server: LocalServer) -> None:
        for parameters in ({"AccessToken": "a.b.c"}, {}):
            operation = Operation("GetUser", parameters)
            inside = pool.call(operation).document
            headers, body = aws_json.encode(operation)
            status, document, answered = send(server, body, headers)
            outside = aws_json.decode(status, answered, json.dumps(document).encode()).document
            assert outside["Error"] == inside["Error"]
            assert outside["ResponseMetadata"]["HTTPStatusCode"] == inside["ResponseMetadata"]["HTTPStatusCode"]

    @pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"x"', b"[" * 100_000])
    def test_a_body_that_is_not_an_object_is_refused(self, server: LocalServer, body: bytes) -> None:
        status, document = self.post(server, "InitiateAuth", body)
        assert (status, document["__type"]) == (400, "SerializationException")

    def test_an_unknown_target_or_path_is_refused(self, server: LocalServer) -> None:
        message = "srpcore's local pool does not implement 'MakeCoffee'"
        assert self.post(server, "MakeCoffee", b"{}") == (
            400,
            {"__type": "UnknownOperationException", "message": message},
        )
        assert send(server, b"{}", {})[1]["__type"] == "UnknownOperationException"
        target = {"X-Amz-Target": TARGET_PREFIX + "GetUser"}
        assert send(server, b"{}", target, path="/elsewhere")[1]["__type"] == "UnknownOperationException"

    def test_a_body_needs_a_length_below_the_limit(self, server: LocalServer) -> None:
        for length, expected in (("2000000", 413), ("9" * 5000, 400), ("x", 400), ("-1", 400), ("", 400)):
            connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.url).port, timeout=10)
            connection.putrequest("POST", "/")
            connection.putheader("Content-Length", length)
            connection.endheaders()
            response = connection.getresponse()
            assert response.status == expected
            assert response.getheader("connection") == "close"
            response.read()
            connection.close()

    def test_expect_100_continue_is_answered(self, server: LocalServer) -> None:
        with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=10) as sock:
            sock.sendall(
                b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
                b"X-Amz-Target: AWSCognitoIdentityProviderService.GetUser\r\nConnection: close\r\n\r\n"
            )
            assert sock.recv(100).startswith(b"HTTP/1.1 100 ")
            sock.sendall(b"{}")
            answer = b"".join(iter(lambda: sock.recv(4096), b""))
            assert answer.startswith(b"HTTP/1.1 400 ")

    def test_an_incomplete_body_is_not_processed(self, server: LocalServer) -> None:
        with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=10) as sock:
            sock.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n{}")
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(100) == b""

    def test_an_internal_error_does_not_show_its_message(
        self, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> dict[str, Any]:
            raise RuntimeError("a secret")

        monkeypatch.setitem(OPERATIONS, "GetUser", broken)
        expected = {"__type": "InternalErrorException", "message": "Something went wrong"}
        assert self.post(server, "GetUser", b'{"AccessToken": "a.b.c"}') == (500, expected)
        # The lock was given back.
        assert self.post(server, "InitiateAuth", b"{}")[0] == 400

    def test_the_server_of_a_closed_pool_says_so(self, tmp_path: Path) -> None:
        pool = LocalUserPool(state=tmp_path / "pool.db")
        with pool.serve() as server:
            pool.close()
            status, document = self.post(server, "GetUser", b'{"AccessToken": "a.b.c"}')
        assert (status, document["message"]) == (500, "The local pool was closed before its server")

    def test_a_line_break_in_a_message_does_not_add_a_header(self, server: LocalServer) -> None:
        body = json.dumps({"ClientId": "x\r\nX-Injected: 1\u20ac", "AuthFlow": "USER_SRP_AUTH"}).encode()
        headers = {"X-Amz-Target": TARGET_PREFIX + "InitiateAuth"}
        status, document, answered = send(server, body, headers)
        assert (status, document["__type"]) == (400, "InvalidParameterException")
        assert "x-injected" not in answered

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[", ""])
    def test_a_foreign_host_name_is_refused(self, pool: LocalUserPool, server: LocalServer, host: str) -> None:
        status, document = self.post(server, "InitiateAuth", b"{}", Host=host)
        assert (status, document["__type"]) == (403, "ForbiddenException")
        path = f"/{pool.user_pool_id}/.well-known/jwks.json"
        assert send(server, b"", {"Host": host}, "GET", path)[0] == 404

    @pytest.mark.parametrize("host", ["localhost", "localhost:80", "127.0.0.1", "[::1]:5000"])
    def test_a_loopback_name_is_accepted(self, server: LocalServer, host: str) -> None:
        assert self.post(server, "InitiateAuth", b"{}", Host=host)[0] == 400

    def test_connections_are_kept_alive(self, pool: LocalUserPool, server: LocalServer) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.url).port, timeout=10)
        connection.connect()
        sock = connection.sock
        for _ in range(3):
            connection.request("GET", f"/{pool.user_pool_id}/.well-known/jwks.json")
            assert json.loads(connection.getresponse().read())["keys"]
            assert connection.sock is sock
        connection.close()

    def test_closing_ends_open_connections_and_threads(self, pool: LocalUserPool) -> None:
        before = {*threading.enumerate()}
        server = pool.serve()
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.url).port, timeout=10)
        connection.request("GET", "/")
        connection.getresponse().read()
        server.close()
        server.close()
        assert {*threading.enumerate()} <= before
        connection.close()
        with pytest.raises(ConnectionRefusedError):
            connection.request("GET", "/")

    def test_the_issuer_fits_the_way_in(self, clock: Clock) -> None:
        pool = LocalUserPool(clock=clock)
        client = Client(pool, clock)
        client.user()

        def issuer() -> str:
            claims = jwt.decode(client.tokens()["AccessToken"], options={"verify_signature": False})
            return str(claims["iss"])

        aws = f"https://cognito-idp.us-east-1.amazonaws.com/{pool.user_pool_id}"
        assert issuer() == aws
        with pool.serve() as server:
            # A call in this process still gets AWS's issuer.
            assert issuer() == aws
            document = urlopen(f"{server.url}/{pool.user_pool_id}/.well-known/openid-configuration").read()
            assert json.loads(document)["issuer"] == f"{server.url}/{pool.user_pool_id}"
        assert issuer() == aws
        chosen = LocalUserPool(clock=clock, issuer="https://id.example")
        client = Client(chosen, clock)
        client.user()
        with chosen.serve():
            assert issuer() == f"https://id.example/{chosen.user_pool_id}"

    def test_threads_do_not_disturb_each_other(self, clock: Clock) -> None:
        pool = LocalUserPool(clock=clock)
        client = Client(pool, clock)
        names = [f"user{index}" for index in range(6)]
        for name in names:
            client.user(name, PASSWORD + name)
        with ThreadPoolExecutor(6) as executor:
            tokens = list(executor.map(lambda name: client.tokens(name, PASSWORD + name)["AccessToken"], names * 3))
            users = list(executor.map(lambda t: client.call("GetUser", AccessToken=t)["Username"], tokens))
        assert users == names * 3


@pytest.mark.counterpart
class TestBoto3:
    @pytest.fixture
    def boto(self, server: LocalServer) -> Iterator[Any]:
        boto3 = pytest.importorskip("boto3")
        client = boto3.client(
            "cognito-idp",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id=KEYS.access_key_id,
            aws_secret_access_key=KEYS.secret_access_key,
        )
        yield client
        client.close()

    def test_boto3_creates_a_pool_and_logs_in(self, boto: Any) -> None:
        pool = boto.create_user_pool(PoolName="boto")["UserPool"]
        assert pool["CreationDate"].tzinfo is not None
        client_id = boto.create_user_pool_client(
            UserPoolId=pool["Id"], ClientName="boto", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
        )["UserPoolClient"]["ClientId"]
        boto.admin_create_user(
            UserPoolId=pool["Id"], Username="alice", TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
        )
        challenge = boto.initiate_auth(
            ClientId=client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "alice", "PASSWORD": PASSWORD},
        )
        assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
        tokens = boto.respond_to_auth_challenge(
            ClientId=client_id,
            ChallengeName="NEW_PASSWORD_REQUIRED",
            Session=challenge["Session"],
            ChallengeResponses={"USERNAME": "alice", "NEW_PASSWORD": PASSWORD},
        )["AuthenticationResult"]
        assert boto.get_user(AccessToken=tokens["AccessToken"])["Username"] == "alice"
        boto.revoke_token(ClientId=client_id, Token=tokens["RefreshToken"])
        with pytest.raises(boto.exceptions.NotAuthorizedException, match="Access Token has been revoked"):
            boto.get_user(AccessToken=tokens["AccessToken"])

    def test_boto3_lists_users_in_pages(self, boto: Any, pool: LocalUserPool) -> None:
        names = [f"user{index}" for index in range(5)]
        for name in names:
            boto.admin_create_user(UserPoolId=pool.user_pool_id, Username=name, MessageAction="SUPPRESS")
        pages = boto.get_paginator("list_users").paginate(
            UserPoolId=pool.user_pool_id, PaginationConfig={"PageSize": 2}
        )
        users = [user for page in pages for user in page["Users"]]
        assert [user["Username"] for user in users] == names
        assert isinstance(users[0]["UserCreateDate"], datetime)

    def test_boto3_gets_its_typed_errors(self, boto: Any, pool: LocalUserPool) -> None:
        with pytest.raises(boto.exceptions.UserNotFoundException) as caught:
            boto.admin_get_user(UserPoolId=pool.user_pool_id, Username="nobody")
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert caught.value.response["Error"]["Message"] == "User does not exist."

    def test_replies_have_only_members_of_the_model(self, clock: Clock, boto: Any) -> None:
        client = Client(LocalUserPool(clock=clock, remember_devices=True), clock)
        client.user(email="alice@example.com", email_verified="true")
        tokens = client.tokens()
        replies = {
            "InitiateAuth": client.begin().reply,
            "RespondToAuthChallenge": client.log_in(),
            "GetUser": client.call("GetUser", AccessToken=tokens["AccessToken"]),
            "AdminGetUser": client.admin("AdminGetUser", Username="alice"),
            "ListUsers": client.admin("ListUsers"),
            "DescribeUserPool": client.admin("DescribeUserPool"),
            "DescribeUserPoolClient": client.admin("DescribeUserPoolClient", ClientId=client.client_id),
            "AssociateSoftwareToken": client.call("AssociateSoftwareToken", AccessToken=tokens["AccessToken"]),
            "ForgotPassword": client.call("ForgotPassword", ClientId=client.client_id, Username="alice"),
            "ListDevices": client.call("ListDevices", AccessToken=tokens["AccessToken"]),
            "GetUserPoolMfaConfig": client.admin("GetUserPoolMfaConfig"),
        }
        for name, reply in replies.items():
            shape = boto.meta.service_model.operation_model(name).output_shape
            document = {key: value for key, value in reply.items() if key != "ResponseMetadata"}
            assert not list(unknown_members(shape, document, name))


def unknown_members(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, member in value.items():
            if name in shape.members:
                yield from unknown_members(shape.members[name], member, f"{path}.{name}")
            else:
                yield f"{path}.{name}"
        yield from (f"{path}.{name} is missing" for name in shape.required_members if name not in value)
    elif shape.type_name == "list":
        for item in value:
            yield from unknown_members(shape.member, item, f"{path}[]")
