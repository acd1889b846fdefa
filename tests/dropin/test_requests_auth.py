"""RequestsSrpAuth: pycognito's auth for requests, which needs no requests at import."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import srpcore
from srpcore import exceptions, utils
from srpcore.utils import RequestsSrpAuth, TokenType
from support.loopback import Drop, LoopbackServer, Request, answer
from support.users import OTHER_PASSWORD, PASSWORD
from support.world import Wire

from .stage import KEYS, Stage, boto_arguments


class Message:
    """What an auth is given: anything with headers."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}


@pytest.fixture
def wire(on_stage: Callable[..., Stage]) -> tuple[Stage, Wire]:
    stage = on_stage()
    wire = Wire(stage.pool)
    stage.arguments["transport"] = wire
    stage.create()
    return stage, wire


def auth_of(stage: Stage, password: str | None = PASSWORD, **arguments: Any) -> RequestsSrpAuth:
    return RequestsSrpAuth(password=password, cognito=stage.user("alice"), **arguments)


def test_a_token_is_put_into_the_header(wire: tuple[Stage, Wire]) -> None:
    stage, _ = wire
    auth, message = auth_of(stage), Message()
    assert auth(message) is message
    assert message.headers == {"Authorization": f"Bearer {auth.cognito_client.access_token}"}
    assert auth.cognito_client.access_claims is not None


@pytest.mark.parametrize("kind", [TokenType.ID_TOKEN, "id_token"])
def test_header_prefix_and_token_can_be_chosen(wire: tuple[Stage, Wire], kind: Any) -> None:
    auth = auth_of(wire[0], http_header="X-Token", http_header_prefix="JWT ", auth_token_type=kind)
    assert auth(Message()).headers == {"X-Token": f"JWT {auth.cognito_client.id_token}"}


def test_one_log_in_serves_many_requests_and_a_refresh_follows_when_it_is_due(on_stage: Callable[..., Stage]) -> None:
    ahead = [0.0]
    stage = on_stage(clock=lambda: time.time() + ahead[0])
    stage.create()
    wire = Wire(stage.pool)
    user = stage.user("alice", transport=wire, clock=lambda: time.time() + ahead[0])
    auth = RequestsSrpAuth(password=PASSWORD, cognito=user)
    tokens = [auth(Message()).headers["Authorization"] for _ in range(3)]
    assert len(set(tokens)) == 1
    assert [name.partition(":")[2] for name in wire.names] == ["USER_SRP_AUTH", "PASSWORD_VERIFIER"]
    ahead[0] = 7200.0
    later = [auth(Message()).headers["Authorization"] for _ in range(3)]
    assert len(set(later)) == 1
    assert later[0] != tokens[0]
    assert [name.partition(":")[2] for name in wire.names[2:]] == ["REFRESH_TOKEN_AUTH"]


@pytest.mark.parametrize("expired", [False, True])
def test_many_threads_log_in_or_refresh_once(on_stage: Callable[..., Stage], expired: bool) -> None:
    ahead = [0.0]
    stage = on_stage(clock=lambda: time.time() + ahead[0])
    stage.create()
    wire = Wire(stage.pool)
    user = stage.user("alice", transport=wire, clock=lambda: time.time() + ahead[0])
    auth, together = RequestsSrpAuth(password=PASSWORD, cognito=user), threading.Barrier(8)
    if expired:
        auth(Message())
        wire.clear()
        ahead[0] = 7200.0

    def send(_: int) -> str:
        together.wait()
        return str(auth(Message()).headers["Authorization"])

    with ThreadPoolExecutor(8) as threads:
        sent = set(threads.map(send, range(8)))
    assert sent == {f"Bearer {user.access_token}"}
    expected = ["REFRESH_TOKEN_AUTH"] if expired else ["USER_SRP_AUTH", "PASSWORD_VERIFIER"]
    assert [name.partition(":")[2] for name in wire.names] == expected


def test_a_failed_log_in_is_raised_and_tried_again(wire: tuple[Stage, Wire]) -> None:
    stage, _ = wire
    auth, message = auth_of(stage, OTHER_PASSWORD), Message()
    for _ in range(2):
        with pytest.raises(exceptions.NotAuthorizedException):
            auth(message)
        assert message.headers == {}
    stage.admin("AdminSetUserPassword", Username="alice", Password=OTHER_PASSWORD, Permanent=True)
    assert auth(message).headers["Authorization"].startswith("Bearer ey")


def test_a_cognito_that_is_logged_in_needs_no_password(wire: tuple[Stage, Wire]) -> None:
    user = wire[0].user("alice")
    user.authenticate(PASSWORD)
    assert RequestsSrpAuth(cognito=user)(Message()).headers == {"Authorization": f"Bearer {user.access_token}"}


def test_what_is_missing_is_refused(wire: tuple[Stage, Wire]) -> None:
    stage, sent = wire
    with pytest.raises(exceptions.ConfigurationError, match="user_pool_id"):
        RequestsSrpAuth("alice", PASSWORD)
    with pytest.raises(exceptions.ConfigurationError, match="password"):
        auth_of(stage, None)(Message())
    with pytest.raises(exceptions.ConfigurationError, match="username"):
        RequestsSrpAuth(None, PASSWORD, stage.pool.user_pool_id, "us-east-1", "id")(Message())
    with pytest.raises(ValueError, match="refresh_token"):
        auth_of(stage, auth_token_type="refresh_token")
    assert sent.operations == []
    user = stage.user("alice")
    user.authenticate(PASSWORD)
    user.id_token = None
    with pytest.raises(exceptions.ConfigurationError, match="no id_token to send"):
        RequestsSrpAuth(cognito=user, auth_token_type=TokenType.ID_TOKEN)(Message())


def test_the_password_is_in_no_repr(wire: tuple[Stage, Wire]) -> None:
    assert PASSWORD not in repr(auth_of(wire[0]))


def test_requests_is_not_imported_with_it() -> None:
    """`RequestsSrpAuth` needs no requests at import."""
    root = Path(srpcore.__file__).parent.parent
    program = (
        f"import sys; sys.path.insert(0, {str(root)!r}); sys.modules['requests'] = None;"
        "from srpcore.utils import RequestsSrpAuth, TokenType;"
        "RequestsSrpAuth('alice', 'p', 'us-east-1_abc', 'us-east-1', 'id');"
        "print('boto3' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, check=True, text=True)
    assert ran.stdout == "False\n"


@pytest.fixture
def served(on_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = on_stage("botocore")
    stage.create()
    monkeypatch.setenv("AWS_ENDPOINT_URL", stage.arguments["boto3_client_kwargs"]["endpoint_url"])
    return stage


def made(stage: Stage, **arguments: Any) -> RequestsSrpAuth:
    """Return an auth that makes its own Cognito."""
    auth = RequestsSrpAuth(
        "alice", PASSWORD, stage.pool.user_pool_id, "us-east-1", client_id=stage.pool.client_id, **arguments
    )
    stage.clients.append(auth.cognito_client.client)
    return auth


@pytest.mark.counterpart
@pytest.mark.parametrize("over_boto", [False, True])
def test_the_cognito_it_makes_fetches_keys_through_requests(served: Stage, over_boto: bool) -> None:
    """The `Cognito` it makes fetches keys through requests where that is installed."""
    import requests

    url = served.arguments["boto3_client_kwargs"]["endpoint_url"]
    auth = made(served, **({"boto3_client_kwargs": boto_arguments(url)} if over_boto else {}))
    with mock.patch("requests.get", wraps=requests.get) as get:
        prepared = requests.Request("GET", "http://127.0.0.1/", auth=auth).prepare()
    assert get.call_args.args == (f"{url}/{served.pool.user_pool_id}/.well-known/jwks.json",)
    assert get.call_args.kwargs["timeout"] == 15
    assert prepared.headers["Authorization"] == f"Bearer {auth.cognito_client.access_token}"
    assert isinstance(auth.cognito_client, srpcore.Cognito)
    # The client is what it is without requests.
    assert hasattr(auth.cognito_client.client, "transport") is not over_boto
    with pytest.raises(auth.cognito_client.client.exceptions.NotAuthorizedException):
        auth.cognito_client.authenticate(OTHER_PASSWORD)


def test_without_requests_the_transport_fetches_them(served: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    assert made(served)(Message()).headers["Authorization"].startswith("Bearer ey")


@pytest.mark.counterpart
@pytest.mark.parametrize(
    ("response", "message"),
    [
        (answer(b"{}", 404), "HTTP 404"),
        (answer(b"", 302, location="http://127.0.0.1:9/"), "HTTP 302"),
        (answer(b"x" * (utils.MAX_DOCUMENT_SIZE + 1)), "larger than"),
        (None, "no answer"),
    ],
)
def test_what_is_no_key_set_is_a_transport_error(
    monkeypatch: pytest.MonkeyPatch, response: bytes | None, message: str
) -> None:
    def respond(request: Request, connection: object) -> bytes:
        if response is None:
            raise Drop
        return response

    with LoopbackServer(respond) as there:
        monkeypatch.setenv("AWS_ENDPOINT_URL", there.url)
        auth = RequestsSrpAuth("alice", PASSWORD, "us-east-1_abc", "us-east-1", client_id="id")
        with pytest.raises(exceptions.TransportError, match=message):
            auth.cognito_client.get_keys()
        auth.cognito_client.close()


@pytest.mark.counterpart
def test_no_answer_in_time_is_a_timeout(served: Stage) -> None:
    import requests

    auth = made(served)
    with mock.patch("requests.get", side_effect=requests.ReadTimeout), pytest.raises(exceptions.TransportTimeout):
        auth(Message())
    assert auth.cognito_client.access_token is None
    assert KEYS.secret_access_key not in repr(vars(auth))
