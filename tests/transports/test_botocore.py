"""The botocore transport, by boto3's and botocore's own clients, against the embedded pool over HTTP."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from botocore.exceptions import NoCredentialsError

import srpcore
from srpcore import exceptions
from srpcore.protocol import Operation, Reply
from srpcore.resolve import make_transport
from srpcore_transports.credentials import Credentials
from srpcore_transports.https import HttpsTransport
from srpcore_transports.local import LocalUserPool
from support.loopback import LoopbackServer, Request, answer
from support.ports import reserved_port
from support.users import PASSWORD

boto3 = pytest.importorskip("boto3")
pytestmark = pytest.mark.counterpart

KEYS = ("AKIDLOCAL", "a-secret-key-of-the-tests")


class Served:
    """A pool with one user, behind HTTP."""

    def __init__(self, pool: LocalUserPool, url: str) -> None:
        self.pool = pool
        self.url = url

    def user(self, **arguments: Any) -> srpcore.Cognito:
        return srpcore.Cognito(self.pool.user_pool_id, self.pool.client_id, username="alice", **arguments)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    pool = LocalUserPool(region="eu-west-1", credentials=Credentials(*KEYS))
    of_user = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
    with pool.serve() as server:
        pool.call(Operation("AdminCreateUser", {**of_user, "MessageAction": "SUPPRESS"}))
        pool.call(Operation("AdminSetUserPassword", {**of_user, "Password": PASSWORD, "Permanent": True}))
        yield Served(pool, server.url)
    pool.close()


@pytest.fixture(autouse=True)
def _no_aws_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Leave botocore nowhere to find credentials, a region or an endpoint."""
    import os

    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("SRPCORE_TRANSPORT", raising=False)
    # boto3 keeps one session for the process, with what it found.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def clients() -> dict[str, Callable[..., Any]]:
    import botocore.session

    return {
        "boto3": lambda **arguments: boto3.client("cognito-idp", **arguments),
        "boto3 session": lambda **arguments: boto3.Session().client("cognito-idp", **arguments),
        "botocore": lambda **arguments: botocore.session.Session().create_client("cognito-idp", **arguments),
    }


def transport_to(url: str, closing: ExitStack, maker: str = "botocore", **arguments: Any) -> Any:
    from srpcore_transports.botocore import BotocoreTransport

    client = clients()[maker](region_name="eu-west-1", endpoint_url=url, **arguments)
    return closing.enter_context(BotocoreTransport(client))


def quick() -> Any:
    """Return a configuration of botocore's that waits half a second and never tries again."""
    from botocore.config import Config

    return Config(read_timeout=0.5, connect_timeout=5, retries={"total_max_attempts": 1})


def logs_in(user: srpcore.Cognito) -> None:
    with pytest.raises(exceptions.NotAuthorizedException):
        user.authenticate("Wrong-Horse-1")
    assert user.access_token is None
    user.authenticate(PASSWORD)
    assert user.access_claims is not None
    assert user.access_claims["username"] == "alice"


# Every way to say botocore. None has AWS credentials: botocore looks for them where it must sign, and only there.


@pytest.mark.parametrize("maker", ["boto3", "boto3 session", "botocore"])
def test_log_in_works_over_a_client(served: Served, closing: ExitStack, maker: str) -> None:
    transport = transport_to(served.url, closing, maker)
    user = served.user(transport=transport, endpoint_url=served.url)
    logs_in(user)
    assert user.client is transport.client


@pytest.mark.parametrize("maker", ["boto3", "botocore"])
def test_a_session_makes_the_client(served: Served, closing: ExitStack, maker: str) -> None:
    import botocore.session
    from botocore.config import Config

    from srpcore_transports.botocore import BotocoreTransport

    session: Any = boto3.Session() if maker == "boto3" else botocore.session.Session()
    config = Config(read_timeout=47)
    transport = closing.enter_context(
        BotocoreTransport(session, region_name="eu-west-1", endpoint_url=served.url, config=config)
    )
    logs_in(served.user(transport=transport, endpoint_url=served.url))
    assert transport.client.meta.config.read_timeout == 47
    with pytest.raises(exceptions.ConfigurationError, match="already made"):
        BotocoreTransport(transport.client, region_name="eu-west-1")


def test_each_argument_of_the_constructor_sets_up_botocore(served: Served) -> None:
    import botocore.session
    from botocore.config import Config

    ways: dict[str, dict[str, Any]] = {
        "kwargs": {"boto3_client_kwargs": {"endpoint_url": served.url}},
        "session": {"session": boto3.Session(), "endpoint_url": served.url},
        "botocore session": {"session": botocore.session.Session(), "endpoint_url": served.url},
        "config": {"botocore_config": Config(retries={"max_attempts": 1}), "endpoint_url": served.url},
        "name": {"transport": "botocore", "endpoint_url": served.url},
        "all": {
            "session": boto3.Session(),
            "botocore_config": Config(user_agent_extra="seen"),
            "boto3_client_kwargs": {"endpoint_url": served.url, "verify": False},
        },
    }
    for arguments in ways.values():
        with served.user(**arguments) as user:
            logs_in(user)
            assert user.client.meta.endpoint_url == served.url
            assert user.client.meta.region_name == "eu-west-1"
            assert type(user.client).__module__ == "botocore.client"
            if "all" in ways and arguments is ways["all"]:
                assert user.client.meta.config.user_agent_extra == "seen"


def test_log_in_works_with_the_transport_of_the_environment(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRPCORE_TRANSPORT", "botocore")
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", served.url)
    with served.user() as user:
        logs_in(user)
        assert type(user.client).__module__ == "botocore.client"


def test_the_client_can_be_set_and_the_session_switched(
    served: Served, closing: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.config import Config

    user = served.user(transport=served.pool, endpoint_url=served.url)
    client = transport_to(served.url, closing).client
    user.client = client
    assert user.client is client
    logs_in(user)
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", served.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    user.switch_session(boto3.Session())
    assert user.client is not client
    user.access_token = None
    logs_in(user)
    user.close()
    assert isinstance(client.meta.config, Config)
    client.initiate_auth  # noqa: B018 - still there: it was never the user's to close


def test_only_signed_operations_need_credentials(served: Served, closing: ExitStack) -> None:
    from botocore.exceptions import NoCredentialsError

    bare = transport_to(served.url, closing)
    of_user = {"UserPoolId": served.pool.user_pool_id, "Username": "alice"}
    secret = {"USERNAME": "alice", "PASSWORD": PASSWORD}
    initiate = {"ClientId": served.pool.client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": secret}
    assert bare.call(Operation("InitiateAuth", initiate)).error is None
    with pytest.raises(NoCredentialsError):
        bare.call(Operation("AdminGetUser", of_user))
    signing = transport_to(served.url, closing, aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1])
    assert signing.call(Operation("AdminGetUser", of_user)).document["Username"] == "alice"
    with served.user(boto3_client_kwargs={"endpoint_url": served.url}, access_key=KEYS[0], secret_key=KEYS[1]) as user:
        assert user.client.admin_get_user(**of_user)["Username"] == "alice"


# Looked up when called.


def test_stubs_and_patches_of_the_client_work(
    served: Served, closing: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.stub import Stubber

    user = served.user(transport=transport_to(served.url, closing))
    transport = user._transport
    with Stubber(user.client) as stub:
        stub.add_response("get_user", {"Username": "stubbed", "UserAttributes": []}, {"AccessToken": "token"})
        stub.add_client_error("get_user", "TooManyRequestsException", "slower", 429, response_meta={"RequestId": "r"})
        assert transport.call(Operation("GetUser", {"AccessToken": "token"})).document["Username"] == "stubbed"
        refused = transport.call(Operation("GetUser", {"AccessToken": "token"}))
    assert refused.error == {"Code": "TooManyRequestsException", "Message": "slower"}
    assert (refused.status, refused.request_id) == (429, "r")
    assert refused.raised is user.client.exceptions.TooManyRequestsException
    patched = MagicMock(return_value={"Username": "patched"})
    monkeypatch.setattr(user.client, "get_user", patched)
    assert transport.call(Operation("GetUser", {"AccessToken": "t"})) == Reply({"Username": "patched"})
    patched.assert_called_once_with(AccessToken="t")


def test_a_mock_client_is_enough() -> None:
    from srpcore_transports.botocore import BotocoreTransport

    client = MagicMock(**{"list_web_authn_credentials.return_value": {"Credentials": []}})
    with BotocoreTransport(client) as transport:
        assert transport.call(Operation("ListWebAuthnCredentials", {})).document == {"Credentials": []}
        client.close.assert_not_called()
    client.close.assert_called_once_with()


# Errors.


def test_an_error_derives_from_our_class_and_from_those_of_botocore_and_the_client(
    served: Served, closing: ExitStack
) -> None:
    from botocore.exceptions import ClientError

    user = served.user(transport=transport_to(served.url, closing), endpoint_url=served.url)
    for cls in (exceptions.NotAuthorizedException, ClientError, user.client.exceptions.NotAuthorizedException):
        with pytest.raises(cls) as caught:
            user.authenticate("Wrong-Horse-1")
    error = caught.value
    assert error.response["Error"] == {"Code": "NotAuthorizedException", "Message": error.message}
    assert (error.code, error.status) == ("NotAuthorizedException", 400)
    assert error.request_id == error.response["ResponseMetadata"]["RequestId"]
    assert error.operation_name == "RespondToAuthChallenge"
    assert not isinstance(error, user.client.exceptions.UserNotFoundException)


def test_parameters_are_validated_by_botocore(served: Served, closing: ExitStack) -> None:
    from botocore.exceptions import ParamValidationError

    transport = transport_to(served.url, closing)
    with pytest.raises(ParamValidationError, match="AccessToken"):
        transport.call(Operation("GetUser", {}))


def test_an_operation_that_an_old_botocore_does_not_have_is_an_error() -> None:
    from srpcore_transports.botocore import BotocoreTransport

    old = MagicMock(spec=["initiate_auth", "close"])
    reply = BotocoreTransport(old).call(Operation("GetTokensFromRefreshToken", {"RefreshToken": "a-secret"}))
    assert reply.error == {
        "Code": "UnknownOperationException",
        "Message": "the client has no operation GetTokensFromRefreshToken: upgrade botocore",
    }


def test_a_client_secret_refreshes_with_a_botocore_that_lacks_the_newer_operation(closing: ExitStack) -> None:
    pool = LocalUserPool(region="eu-west-1", client_secret=True)
    closing.callback(pool.close)
    url = closing.enter_context(pool.serve()).url
    of_user = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
    pool.call(Operation("AdminCreateUser", {**of_user, "MessageAction": "SUPPRESS"}))
    pool.call(Operation("AdminSetUserPassword", {**of_user, "Password": PASSWORD, "Permanent": True}))
    transport = transport_to(url, closing)
    real = transport.client
    names = ["initiate_auth", "respond_to_auth_challenge"]
    transport.client = MagicMock(spec=names, **{f"{name}.side_effect": getattr(real, name) for name in names})
    closing.callback(real.close)
    user = srpcore.Cognito(
        pool.user_pool_id, pool.client_id, username="alice", client_secret=pool.client_secret, transport=transport,
        endpoint_url=url,
    )  # fmt: skip
    user.authenticate(PASSWORD)
    user.renew_access_token()
    assert transport.client.initiate_auth.call_args.kwargs["AuthFlow"] == "REFRESH_TOKEN_AUTH"
    transport.client = real


def test_an_exception_within_the_method_of_the_client_propagates() -> None:
    from srpcore_transports.botocore import BotocoreTransport

    faulty = MagicMock(**{"get_user.side_effect": AttributeError("a fault")})
    with pytest.raises(AttributeError, match="a fault"):
        BotocoreTransport(faulty).call(Operation("GetUser", {}))


@pytest.fixture
def refusing_url(closing: ExitStack) -> str:
    return f"http://127.0.0.1:{closing.enter_context(reserved_port())}"


def never(request: Request, connection: socket.socket) -> bytes:
    connection.recv(1)  # until the client hangs up
    return b""


GET_USER = Operation("GetUser", {"AccessToken": "the-access-token"})


def test_a_refused_connection_is_a_transport_error(closing: ExitStack, refusing_url: str) -> None:
    url = refusing_url
    transport = transport_to(url, closing, config=quick())
    asks: list[Callable[[], object]] = [lambda: transport.call(GET_USER), lambda: transport.fetch(f"{url}/jwks.json")]
    for ask in asks:
        with pytest.raises(exceptions.TransportError, match="no answer") as caught:
            ask()
        assert not isinstance(caught.value, exceptions.TransportTimeout)
        assert f": no connection to {url}; check the endpoint URL and the network" in str(caught.value)


def test_silence_is_a_timeout(closing: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    from srpcore_transports import botocore

    monkeypatch.setattr(botocore, "_TIMEOUT_SECONDS", 0.5)
    server = closing.enter_context(LoopbackServer(never))
    transport = transport_to(server.url, closing, config=quick())
    asks: list[Callable[[], object]] = [
        lambda: transport.call(GET_USER),
        lambda: transport.fetch(f"{server.url}/jwks.json"),
    ]
    for ask in asks:
        with pytest.raises(exceptions.TransportTimeout, match="in time") as caught:
            ask()
        assert "the-access-token" not in str(caught.value)
        assert "the-access-token" not in str(caught.value.__cause__)


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"not HTTP at all\r\n\r\n",
        answer(b"<html>the-access-token</html>", 502),
        answer(b"", 403),
        answer(b"busy", 503),
    ],
    ids=["nothing", "no http", "bad gateway", "empty", "busy"],
)
def test_a_response_that_is_not_from_the_service_is_a_transport_error(closing: ExitStack, response: bytes) -> None:
    server = closing.enter_context(LoopbackServer(lambda request, connection: response + close(connection, response)))
    transport = transport_to(server.url, closing, config=quick())
    with pytest.raises(exceptions.TransportError) as caught:
        transport.call(GET_USER)
    cause: BaseException | None = caught.value
    while cause is not None:
        assert "the-access-token" not in str(cause)
        cause = cause.__cause__


def close(connection: socket.socket, response: bytes) -> bytes:
    """Hang up where the response does not say how long it is."""
    if b"Content-Length" not in response:
        connection.sendall(response)
        connection.shutdown(socket.SHUT_RDWR)
    return b""


# Key sets.


def test_fetch_returns_the_document(served: Served, closing: ExitStack) -> None:
    url = f"{served.url}/{served.pool.user_pool_id}/.well-known/jwks.json"
    transport = transport_to(served.url, closing)
    assert transport.fetch(url) == served.pool.fetch(url)
    with pytest.raises(exceptions.TransportError, match="HTTP 404 from"):
        transport.fetch(f"{served.url}/nothing")


@pytest.mark.parametrize("status", [201, 204, 301, 302, 403, 500])
def test_fetch_accepts_only_200_and_does_not_follow_redirects(closing: ExitStack, status: int) -> None:
    server = closing.enter_context(LoopbackServer(lambda request, _: answer(b"{}", status, Location="/other")))
    with pytest.raises(exceptions.TransportError, match=f"HTTP {status} from"):
        transport_to(server.url, closing).fetch(f"{server.url}/jwks.json")
    assert [request.target for request in server.requests] == ["/jwks.json"]


def test_the_size_of_a_document_is_limited(closing: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    from srpcore_transports import botocore

    bodies = [b"x" * botocore.MAX_DOCUMENT_SIZE, b"x" * (botocore.MAX_DOCUMENT_SIZE + 1)]
    server = closing.enter_context(LoopbackServer(lambda request, _: answer(bodies[int(request.target[1:])])))
    transport = transport_to(server.url, closing)
    assert transport.fetch(f"{server.url}/0") == bodies[0]
    with pytest.raises(exceptions.TransportError, match="larger than"):
        transport.fetch(f"{server.url}/1")


def test_a_truncated_document_is_an_error(closing: ExitStack) -> None:
    cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nff\r\nabc"
    server = closing.enter_context(LoopbackServer(lambda request, connection: cut + close(connection, cut)))
    with pytest.raises(exceptions.TransportError, match="no answer from"):
        transport_to(server.url, closing).fetch(f"{server.url}/jwks.json")


@pytest.mark.parametrize(
    "url", ["http://example.com/jwks.json", "file:///etc/passwd", "ftp://127.0.0.1/x", "jwks.json", ""]
)
def test_other_urls_are_not_fetched(closing: ExitStack, refusing_url: str, url: str) -> None:
    with pytest.raises(exceptions.ConfigurationError):
        transport_to(refusing_url, closing).fetch(url)


def test_fetch_trusts_the_bundle_that_the_environment_named_when_the_client_was_made(
    closing: ExitStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    from support.loopback import tls, write_bundle

    server = closing.enter_context(LoopbackServer(lambda request, _: answer(b"keys"), tls("localhost")))
    transport = transport_to(server.url, closing)
    with pytest.raises(exceptions.TransportError, match="no answer"):
        transport.fetch(f"{server.url}/jwks.json")
    monkeypatch.setenv("AWS_CA_BUNDLE", write_bundle(tmp_path))
    assert transport_to(server.url, closing).fetch(f"{server.url}/jwks.json") == b"keys"


# The same answers as the default transport.


def comparable(document: Any) -> Any:
    """Return a document's shape: the type of each member, and of the metadata only what is promised."""
    if isinstance(document, dict):
        return {
            key: {name: type(value[name]) for name in ("HTTPStatusCode", "RequestId")}
            if key == "ResponseMetadata"
            else comparable(value)
            for key, value in document.items()
        }
    if isinstance(document, list):
        return [comparable(item) for item in document]
    if isinstance(document, datetime):
        assert document.tzinfo is not None
        return ("date", document.timestamp())
    return document


def test_replies_equal_those_of_the_default_transport(served: Served, closing: ExitStack) -> None:
    ours = closing.enter_context(HttpsTransport("eu-west-1", served.url, Credentials(*KEYS)))
    theirs = transport_to(served.url, closing, aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1])
    of_pool = {"UserPoolId": served.pool.user_pool_id}
    operations = [
        Operation("AdminGetUser", {**of_pool, "Username": "alice"}),
        Operation("AdminGetUser", {**of_pool, "Username": "nobody"}),
        Operation("ListUsers", {**of_pool, "Limit": 1}),
        Operation("DescribeUserPool", of_pool),
        Operation("DescribeUserPoolClient", {**of_pool, "ClientId": served.pool.client_id}),
        Operation("GetUser", {"AccessToken": "forged"}),
        Operation("GetTokensFromRefreshToken", {"RefreshToken": "x", "ClientId": served.pool.client_id}),
    ]
    dates = 0
    for operation in operations:
        one, other = ours.call(operation), theirs.call(operation)
        assert comparable(one.document) == comparable(other.document), operation.name
        assert (one.status, one.error) == (other.status, other.error)
        assert one.request_id is not None
        assert other.request_id is not None
        dates += repr(comparable(one.document)).count("('date'")
    assert dates >= 4


def test_get_client_token_is_sent_without_credentials_although_the_model_wants_a_signature(closing: ExitStack) -> None:
    tokens = b'{"ClientAuthenticationResult": {"TokenType": "Bearer"}}'
    server = closing.enter_context(LoopbackServer(lambda request, _: answer(tokens)))
    transport = make_transport("botocore", region="eu-west-1", endpoint_url=server.url)
    closing.callback(transport.close)
    reply = transport.call(Operation("GetClientToken", {"ClientId": "id", "Secret": "s" * 24}))
    assert reply.document["ClientAuthenticationResult"] == {"TokenType": "Bearer"}
    with pytest.raises(NoCredentialsError):
        transport.call(Operation("ListUsers", {"UserPoolId": "eu-west-1_X"}))
    (request,) = server.requests
    assert "authorization" not in request.headers


# Bodies and settings that botocore does not expect. tests/faults/ has more bodies.


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    "body",
    [
        b'{"Users": "\xff"}',
        b"[1]",
        b'"a string"',
        b"null",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"Users": [{"Username": "a", "UserCreateDate": 1e300}]}',
        b'{"Users": [{"Username": "a", "UserCreateDate": NaN}]}',
        b'{"Users": [{"Username": "a", "UserCreateDate": "soon"}]}',
        b'{"Users": 5}',
        b'{"__type": ["X"]}',
        b'{"__type": 5}',
    ],
    ids=lambda body: body[:56].decode("latin-1"),
)
def test_a_body_that_botocore_cannot_parse_is_a_transport_error(closing: ExitStack, body: bytes, status: int) -> None:
    kind = "application/x-amz-json-1.1"
    server = closing.enter_context(LoopbackServer(lambda request, _: answer(body, status, Content_Type=kind)))
    keys = {"aws_access_key_id": KEYS[0], "aws_secret_access_key": KEYS[1]}
    transport = transport_to(server.url, closing, config=quick(), **keys)
    with pytest.raises(exceptions.TransportError) as caught:
        transport.call(Operation("ListUsers", {"UserPoolId": "eu-west-1_Abc123"}))
    assert (caught.value.reason, caught.value.may_have_arrived, caught.value.transient) == ("answer", True, False)
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("raised", [ValueError("mine"), AttributeError("mine"), RuntimeError("mine")])
def test_an_exception_of_a_fake_client_reaches_the_program(raised: Exception, closing: ExitStack) -> None:
    from unittest.mock import patch

    transport = transport_to("http://127.0.0.1:1", closing)
    operation = Operation("GetUser", {"AccessToken": "a"})
    with (
        patch("botocore.client.BaseClient._make_api_call", side_effect=raised),
        pytest.raises(type(raised)) as caught,
    ):
        transport.call(operation)
    assert caught.value is raised

    def refuse(**_: object) -> None:
        raise raised

    # A handler of the program's own is called from within botocore.
    transport.client.meta.events.register("before-send.cognito-identity-provider.GetUser", refuse)
    with pytest.raises(type(raised)) as caught:
        transport.call(operation)
    assert caught.value is raised


@pytest.mark.parametrize(
    "proxy", ["http://user:hunter2@[bad", "http://user:hunter2@host:port", "http://user:hunter2@127.0.0.1:1"]
)
def test_the_password_of_a_proxy_is_in_no_error(
    closing: ExitStack, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import traceback

    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    transport = transport_to("https://cognito.invalid", closing, config=quick())
    calls: list[Callable[[], object]] = [
        lambda: transport.call(Operation("GetUser", {"AccessToken": "a"})),
        lambda: transport.fetch("https://cognito.invalid/keys"),
    ]
    for call in calls:
        with pytest.raises(exceptions.TransportError) as caught:
            call()
        found: Any = caught.value
        shown = [*traceback.format_exception(found), repr(found), repr(vars(found)), repr(found.kwargs)]
        assert "hunter2" not in "".join(shown)
        assert found.__cause__ is found.__context__ is None


# Clients that are not botocore's, and errors that do not come from the service.

FORGOT = Operation("ForgotPassword", {"ClientId": "app", "Username": "alice"})


@pytest.mark.parametrize(
    "response",
    [
        {},
        {"ResponseMetadata": {}},
        {"Error": None},
        {"Error": "text"},
        {"Error": {"Code": "404"}},
        {"Error": {"Code": 404}},
        {"Error": {"Code": None}},
        {"Error": {"Code": ["X"]}},
    ],
    ids=str,
)
def test_a_client_error_with_any_response_is_an_error(response: Any) -> None:
    from botocore.exceptions import ClientError

    from srpcore.exceptions.reply import service_error
    from srpcore_transports.botocore import BotocoreTransport

    raised = ClientError({}, "ForgotPassword")
    raised.response = response
    client = MagicMock(**{"forgot_password.side_effect": raised})
    reply = BotocoreTransport(client).call(FORGOT)
    assert reply.error is not None
    assert isinstance(service_error(reply, "ForgotPassword"), ClientError)


def test_a_client_error_without_a_response_is_an_error() -> None:
    from botocore.exceptions import ClientError

    from srpcore_transports.botocore import BotocoreTransport

    class Bare(ClientError):
        def __init__(self) -> None:
            pass

    reply = BotocoreTransport(MagicMock(**{"forgot_password.side_effect": Bare()})).call(FORGOT)
    assert (reply.error, reply.raised) == ({}, Bare)


def test_a_stub_may_use_the_http_status_as_the_code(closing: ExitStack) -> None:
    from botocore.stub import Stubber

    transport = transport_to("http://127.0.0.1:1", closing)
    with Stubber(transport.client) as stub:
        stub.add_client_error("get_user", "500", http_status_code=500)
        stub.add_response("forgot_password", {})
        reply = transport.call(GET_USER)
        assert transport.call(FORGOT).error is None
    assert (reply.error["Code"], reply.status) == ("500", 500)


class FakeClient:
    """A client without `meta`, `close` and every other operation."""

    def __init__(self, result: object) -> None:
        self.result = result

    def forgot_password(self, **_: object) -> object:
        return self.result


@pytest.mark.parametrize(
    "result",
    [
        None,
        {},
        {"ResponseMetadata": None},
        {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {"content-type": "x"}}},
        {"Error": {"Code": "404"}},
        MagicMock(),
        Mock(),
    ],
    ids=lambda result: type(result).__name__,
)
def test_what_a_fake_client_returns_is_a_success(result: Any) -> None:
    from srpcore_transports.botocore import BotocoreTransport

    with BotocoreTransport(FakeClient(result)) as transport:
        reply = transport.call(FORGOT)
    assert reply.document is result
    assert (reply.error, reply.status, reply.request_id) == (None, 200, None)
    assert pickle.loads(pickle.dumps(Reply({"Error": {}}, failed=False))).error is None


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("body", [b"", b"{}", b"{}\n", b'{"CodeDeliveryDetails": null}', b'{"New": 1}'])
def test_an_answer_without_known_members_is_a_success(closing: ExitStack, body: bytes, chunked: bool) -> None:
    whole = answer(body)
    if chunked:
        pieces = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
        whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
    server = closing.enter_context(LoopbackServer(lambda request, _: whole))
    transport = transport_to(server.url, closing, config=quick())
    assert transport.call(FORGOT).document.keys() == {"ResponseMetadata"}


@pytest.mark.parametrize("name", ["ForgotPassword", "DeleteUser"])
@pytest.mark.parametrize("body", [b"<html>", b"\xff", b'{"CodeDeliveryDetails":', b'{"__type": "X"}'])
def test_a_body_of_status_200_that_is_not_an_answer_is_a_transport_error(
    closing: ExitStack, body: bytes, name: str
) -> None:
    server = closing.enter_context(LoopbackServer(lambda request, _: answer(body)))
    transport = transport_to(server.url, closing, config=quick())
    operation = FORGOT if name == "ForgotPassword" else Operation(name, {"AccessToken": "a"})
    with pytest.raises(exceptions.TransportError, match="not an answer of the service"):
        transport.call(operation)
