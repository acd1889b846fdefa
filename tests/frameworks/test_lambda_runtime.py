"""The authorizers as AWS runs them: by its own runtime interface client, over a Runtime API on 127.0.0.1."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import pytest

from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool
from support.key_server import POOL, Keys, mint, serve
from support.lambda_runtime import SNAP_START, RuntimeApi, function
from support.loopback import LoopbackServer, Request, answer, tls, write_bundle
from support.minting import CLIENT, access_claims
from support.users import PASSWORD

from .lambda_events import KINDS, STAGE, permitted

pytestmark = pytest.mark.counterpart

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com"

FUNCTION = """
from srpcore import TokenVerifier
from srpcore.frameworks.aws_lambda import {cls}

verifier = TokenVerifier({pool!r}, client_id={client!r}, token_use="access", endpoint_url={url!r})
verifier.hydrate()
handler = {cls}(verifier)
"""


@contextmanager
def authorizer(keys: Keys, cls: str, folder: Path) -> Iterator[RuntimeApi]:
    with function(FUNCTION.format(cls=cls, pool=POOL, client=CLIENT, url=keys.server.url), folder) as api:
        yield api


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_returns_what_the_service_expects(kind: str, tmp_path: Path) -> None:
    make, event = KINDS[kind]
    good, expired = mint(), mint(access_claims(exp=1))
    with serve() as keys, authorizer(keys, make.__name__, tmp_path) as api:
        results = [api.invoke(event(token)) for token in (good, expired, good)]
        assert keys.count == 1
    assert [status for status, _ in results] == ["response", "error" if "rest" in kind else "response", "response"]
    (_, admitted), (_, refused), (_, again) = results
    assert admitted == again
    if "rest" in kind:
        assert permitted(admitted, f"{STAGE}/GET/request")
        # API Gateway answers 401 to this message, and 500 to any other.
        assert refused["errorMessage"] == "Unauthorized"
    else:
        assert (admitted["isAuthorized"], refused["isAuthorized"]) == (True, False)
    said = (tmp_path / "log").read_text("utf-8") + json.dumps(results)
    assert [part for token in (good, expired) for part in token.split(".") if part in said] == []


def test_a_function_without_keys_fails_at_its_start(tmp_path: Path) -> None:
    with serve() as keys:
        keys.instead = lambda: answer(b"", 500)
        with authorizer(keys, "HttpApiAuthorizer", tmp_path) as api:
            status, error = api.results.get(timeout=60)
    assert (status, error["errorType"]) == ("error", "TransportError")


# Logins

LOGIN = """
from srpcore import Cognito
from srpcore_transports.https import HttpsTransport

transport = HttpsTransport("eu-west-1", {url!r}, ca_bundle={bundle!r}, max_attempts=1)
prepared = Cognito({pool!r}, {client!r}, transport=transport)
prepared.prepare()

def handler(event, context):
    user = Cognito({pool!r}, {client!r}, username="alice", transport=transport)
    user.pool_jwk = prepared.pool_jwk
    user.authenticate(event["password"])
    return user.access_claims["client_id"]
"""


class Logins(NamedTuple):
    """A login function, and the server that it sends to."""

    api: RuntimeApi
    server: LoopbackServer
    client_id: str

    def log_in(self) -> None:
        assert self.api.invoke({"password": PASSWORD}) == ("response", self.client_id)

    @property
    def fetched(self) -> int:
        return sum(request.method == "GET" for request in self.server.requests)


@contextmanager
def logins(folder: Path, environment: dict[str, str] | None = None) -> Iterator[Logins]:
    with LocalUserPool(region="eu-west-1", issuer=ISSUER) as pool, pool.serve() as plain:
        user = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
        pool.call(Operation("AdminCreateUser", {**user, "MessageAction": "SUPPRESS"}))
        pool.call(Operation("AdminSetUserPassword", {**user, "Password": PASSWORD, "Permanent": True}))

        def forward_to_pool(request: Request, _: socket.socket) -> bytes:
            with closing(HTTPConnection(plain.url.removeprefix("http://"), timeout=20)) as connection:
                headers = {name: request.headers[name] for name in ("content-type", "x-amz-target") if request.body}
                connection.request(request.method, request.target, request.body, headers)
                response = connection.getresponse()
                return answer(response.read(), response.status, Content_Type="application/x-amz-json-1.1")

        with LoopbackServer(forward_to_pool, tls("localhost")) as server:
            source = LOGIN.format(
                url=server.url, bundle=write_bundle(folder), pool=pool.user_pool_id, client=pool.client_id
            )
            with function(source, folder, environment) as api:
                yield Logins(api, server, pool.client_id)


@pytest.mark.slow
def test_a_login_function_uses_the_keys_and_the_connection_of_its_init_phase(tmp_path: Path) -> None:
    with logins(tmp_path) as function:
        function.log_in()
        function.log_in()
        assert (function.fetched, function.server.connections) == (1, 1)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot freeze a process")
def test_a_login_function_that_was_frozen_replaces_the_connection_that_was_closed(tmp_path: Path) -> None:
    with logins(tmp_path) as function:
        assert function.api.process is not None
        function.log_in()
        function.api.process.send_signal(signal.SIGSTOP)
        function.server.drop_connections()
        function.api.process.send_signal(signal.SIGCONT)
        function.log_in()
        assert (function.fetched, function.server.connections) == (1, 2)


@pytest.mark.slow
def test_a_login_function_has_no_connection_in_its_snapshot(tmp_path: Path) -> None:
    with logins(tmp_path, SNAP_START) as function:
        assert function.api.snapshot.wait(60)
        end = time.monotonic() + 20
        while function.server._open:
            assert time.monotonic() < end
            time.sleep(0.002)
        function.api.restore.set()
        function.log_in()
        assert (function.fetched, function.server.connections) == (1, 2)


@pytest.mark.slow
def test_an_authorizer_has_its_keys_in_its_snapshot(tmp_path: Path) -> None:
    make, event = KINDS["http"]
    source = FUNCTION.format(cls=make.__name__, pool=POOL, client=CLIENT, url="{url}")
    with serve() as keys, function(source.replace("{url}", keys.server.url), tmp_path, SNAP_START) as api:
        assert api.snapshot.wait(60)
        api.restore.set()
        assert api.invoke(event(mint()))[0] == "response"
        assert keys.count == 1
