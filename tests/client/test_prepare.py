"""``prepare()``: what the first login would do, except for what needs the user, is done before it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from unittest import mock

import boto3
import httpx
import pytest
from botocore.config import Config

from srpcore import AsyncCognito, Cognito
from srpcore.exceptions import ConfigurationError, TransportError
from srpcore.protocol import Operation
from srpcore.tokens import parse_key_set
from srpcore.tokens.rsa import PublicKey
from srpcore_transports.https import HttpsTransport
from srpcore_transports.local import LocalUserPool
from support.first_use import loaded_by
from support.forks import in_a_child
from support.loopback import LoopbackServer, answer, write_bundle
from support.minting import jwk
from support.tls_pool import TlsPool, tls_pool
from support.users import PASSWORD
from support.world import Wire

pytestmark = pytest.mark.slow


class Preparable(Wire):
    """Also record how it is prepared."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.prepared: list[bool] = []

    def prepare(self, *, connect: bool) -> None:
        self.prepared.append(connect)


class AsyncPreparable(Preparable):
    """The same for an event loop."""

    async def call(self, operation: Operation) -> Any:  # type: ignore[override]
        return super().call(operation)

    async def fetch(self, url: str) -> Any:  # type: ignore[override]
        return super().fetch(url)

    async def close(self) -> None:  # type: ignore[override]
        pass

    async def prepare(self, *, connect: bool) -> None:  # type: ignore[override]
        super().prepare(connect=connect)


@pytest.fixture(scope="module")
def pool() -> Iterator[LocalUserPool]:
    with LocalUserPool(region="eu-west-1") as made:
        user = {"UserPoolId": made.user_pool_id, "Username": "alice"}
        made.call(Operation("AdminCreateUser", {**user, "MessageAction": "SUPPRESS"}))
        made.call(Operation("AdminSetUserPassword", {**user, "Password": PASSWORD, "Permanent": True}))
        yield made


def no_randomness(bits: int) -> int:
    raise AssertionError("a pair was drawn")


def made(pool: LocalUserPool, transport: Any, **arguments: Any) -> Cognito:
    return Cognito(pool.user_pool_id, pool.client_id, transport=transport, **arguments)


def test_the_keys_are_fetched_once_and_a_login_uses_them(pool: LocalUserPool) -> None:
    wire = Wire(pool)
    user = made(pool, wire, username="alice")
    user.prepare()
    user.prepare()
    assert (wire.names, len(wire.fetched)) == ([], 1)
    user.authenticate(PASSWORD)
    assert user.access_claims is not None
    assert len(wire.fetched) == 1


def test_other_objects_share_the_keys_by_pool_jwk(pool: LocalUserPool) -> None:
    wire = Wire(pool)
    prepared = made(pool, wire)
    prepared.prepare()
    user = made(pool, wire, username="alice")
    user.pool_jwk = prepared.pool_jwk
    user.authenticate(PASSWORD)
    assert len(wire.fetched) == 1


def test_no_pair_is_drawn(pool: LocalUserPool) -> None:
    made(pool, pool, random_bits=no_randomness).prepare()


def test_nothing_is_sent_without_connect(pool: LocalUserPool) -> None:
    wire = Preparable(pool)
    made(pool, wire).prepare(connect=False)
    assert (wire.operations, wire.fetched, wire.prepared) == ([], [], [False])


def test_the_transport_connects_if_no_keys_are_fetched(pool: LocalUserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Preparable(pool)
    document = json.loads(
        pool.fetch(f"https://cognito-idp.eu-west-1.amazonaws.com/{pool.user_pool_id}/.well-known/jwks.json")
    )
    user = made(pool, wire)
    user.pool_jwk = document
    user.prepare()
    monkeypatch.setenv("COGNITO_JWKS", json.dumps(document))
    made(pool, wire).prepare()
    assert (wire.fetched, wire.prepared) == ([], [True, True])


def test_the_transport_connects_after_the_keys_were_fetched(pool: LocalUserPool) -> None:
    class Ordered(Preparable):
        def prepare(self, *, connect: bool) -> None:
            assert len(self.fetched) == connect
            super().prepare(connect=connect)

    wire = Ordered(pool)
    made(pool, wire).prepare()
    assert (len(wire.fetched), wire.prepared) == (1, [False, True])


def test_the_transport_connects_after_a_replaced_get_keys(pool: LocalUserPool) -> None:
    class Replaced(Cognito):
        def get_keys(self) -> Any:
            return {"keys": [jwk()]}

    wire = Preparable(pool)
    Replaced(pool.user_pool_id, pool.client_id, transport=wire).prepare()
    assert (wire.fetched, wire.prepared) == ([], [False, True])


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "closed after the keys"])
def test_one_connection_to_the_service_is_open_after_prepare(pool: LocalUserPool, keep: bool) -> None:
    keys = pool.fetch(f"https://cognito-idp.eu-west-1.amazonaws.com/{pool.user_pool_id}/.well-known/jwks.json")
    with (
        LoopbackServer(lambda request, connection: answer(keys, Connection="" if keep else "close")) as server,
        HttpsTransport("eu-west-1", server.url) as transport,
    ):
        Cognito(pool.user_pool_id, pool.client_id, transport=transport, endpoint_url=server.url).prepare()
        assert [request.method for request in server.requests] == ["GET"]
        assert len(transport._idle._idle) == 1
        transport.fetch(f"{server.url}/")
        assert server.connections == (1 if keep else 2)


@pytest.mark.parametrize("given", [False, True])
def test_the_keys_are_converted_for_the_engine(
    pool: LocalUserPool, given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted: list[PublicKey] = []
    monkeypatch.setattr(PublicKey, "load_engine", lambda key: converted.append(key))
    user = made(pool, pool)
    if given:
        user.pool_jwk = {"keys": [jwk()]}
    user.prepare()
    assert converted == [*parse_key_set(cast(Any, user.pool_jwk)).keys.values()]
    assert converted


def test_a_replaced_get_keys_is_called(pool: LocalUserPool) -> None:
    class Replaced(Cognito):
        called = 0

        def get_keys(self) -> Any:
            type(self).called += 1
            return super().get_keys()

    Replaced(pool.user_pool_id, pool.client_id, transport=pool).prepare()
    assert Replaced.called == 1


def test_a_key_set_that_cannot_be_fetched_is_an_error_and_a_later_login_works(pool: LocalUserPool) -> None:
    class Broken(Wire):
        works = False

        def fetch(self, url: str) -> bytes:
            if not self.works:
                raise TransportError("no answer", reason="connect", url=url)
            return super().fetch(url)

    wire = Broken(pool)
    user = made(pool, wire, username="alice")
    with pytest.raises(TransportError):
        user.prepare()
    wire.works = True
    user.authenticate(PASSWORD)
    assert user.access_claims is not None


@pytest.mark.parametrize("value", ["{", "{}"])
def test_keys_that_cannot_be_used_are_an_error(
    pool: LocalUserPool, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COGNITO_JWKS", value)
    with pytest.raises(ConfigurationError):
        made(pool, pool).prepare()


def test_a_pool_id_that_is_not_valid_is_an_error() -> None:
    with pytest.raises(ConfigurationError):
        Cognito("nonsense", "client").prepare(connect=False)


def test_a_transport_without_prepare_is_accepted(pool: LocalUserPool) -> None:
    client = boto3.client("cognito-idp", region_name="eu-west-1", config=Config(signature_version="unsigned"))
    made(pool, client).prepare(connect=False)
    made(pool, mock.Mock()).prepare(connect=False)


def test_an_async_transport_is_prepared_and_the_keys_are_fetched_once(pool: LocalUserPool) -> None:
    wire = AsyncPreparable(pool)

    async def use() -> None:
        user = AsyncCognito(pool.user_pool_id, pool.client_id, username="alice", transport=wire)
        await user.prepare(connect=False)
        await user.prepare()
        await user.authenticate(PASSWORD)

    asyncio.run(use())
    assert (wire.prepared, len(wire.fetched)) == ([False, False, True], 1)


def test_a_transport_in_threads_is_prepared(pool: LocalUserPool) -> None:
    wire = Preparable(pool)
    asyncio.run(AsyncCognito(pool.user_pool_id, pool.client_id, transport=wire).prepare(connect=False))
    assert wire.prepared == [False]


def test_the_transport_of_an_object_that_was_made_without_our_constructor_is_prepared(pool: LocalUserPool) -> None:
    class Bare(Cognito):
        def __init__(self) -> None:
            self.user_pool_id, self.client_id = pool.user_pool_id, pool.client_id

        def _open_default_transport(self) -> Any:
            return wire

    wire = Preparable(pool)
    Bare().prepare(connect=False)
    assert wire.prepared == [False]


# A new process over TLS

# sys.argv[1:]: the URL of the pool, its id, the id of its app client.
USER = """
from srpcore import AsyncCognito, Cognito
url, pool, client = sys.argv[1:]
user = Cognito(pool, client, username="alice", endpoint_url=url)
"""
LOG_IN = f"user.authenticate({PASSWORD!r})"
ASYNC_USER = """
import asyncio
from srpcore import AsyncCognito, Cognito
url, pool, client = sys.argv[1:]
user = AsyncCognito(pool, client, username="alice", endpoint_url=url)
runner = asyncio.Runner()
"""
OVER_HTTPX = """
import os
os.environ["SRPCORE_TRANSPORT"] = "httpx"
"""
BARE_USER = """
import os
from srpcore import Cognito
class Bare(Cognito):
    def __init__(self): pass
user = Bare()
url, user.user_pool_id, user.client_id = sys.argv[1:]
user.username, user.pool_domain_url, os.environ["AWS_ENDPOINT_URL"] = "alice", url, url
"""
CASES = {
    "Cognito": (f"{USER}user.prepare()", LOG_IN),
    "AsyncCognito": (f"{ASYNC_USER}runner.run(user.prepare())", f"runner.run({LOG_IN})"),
    "Cognito over httpx": (f"{OVER_HTTPX}{USER}user.prepare()", LOG_IN),
    "AsyncCognito over httpx": (f"{OVER_HTTPX}{ASYNC_USER}runner.run(user.prepare())", f"runner.run({LOG_IN})"),
    "made without our constructor": (f"{BARE_USER}user.prepare()", LOG_IN),
}


@pytest.fixture(scope="module")
def served() -> Iterator[TlsPool]:
    with tls_pool() as running:
        yield running


@pytest.mark.parametrize("case", CASES)
def test_the_first_login_only_connects_after_prepare_without_connect(
    case: str, served: TlsPool, tmp_path: Path
) -> None:
    before, measured = CASES[case]
    environment, path = {"AWS_CA_BUNDLE": write_bundle(tmp_path)}, [str(Path(httpx.__file__).parents[1])]
    before = before.replace("prepare()", "prepare(connect=False)")
    found = loaded_by(before, measured, *served, environment=environment, path=path)
    assert {event.split()[0] for event in found} <= {"socket.getaddrinfo", "socket.connect"}


@pytest.mark.parametrize("case", CASES)
def test_the_first_login_loads_and_opens_nothing(case: str, served: TlsPool, tmp_path: Path) -> None:
    before, measured = CASES[case]
    environment, path = {"AWS_CA_BUNDLE": write_bundle(tmp_path)}, [str(Path(httpx.__file__).parents[1])]
    assert loaded_by(before, measured, *served, environment=environment, path=path) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_and_its_parent_log_in_after_prepare(served: TlsPool, tmp_path: Path) -> None:
    with HttpsTransport("eu-west-1", served.url, ca_bundle=write_bundle(tmp_path)) as transport:
        user = Cognito(served.user_pool_id, served.client_id, username="alice", transport=transport)
        user.prepare()
        assert in_a_child(lambda: user.authenticate(PASSWORD)) == 0
        user.authenticate(PASSWORD)
        assert user.access_claims is not None
