"""The issuer of tokens fits the URL by which a client calls the server, so that the client accepts it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import Request, urlopen

import jwt
import pycognito
import pytest

from srpcore import AsyncCognito, Cognito
from srpcore.exceptions.base import ConfigurationError
from srpcore_transports.local import LocalServer, UserPool
from support.users import PASSWORD

pytestmark = pytest.mark.slow

HTTPS, HTTPX, BOTOCORE = "https", "httpx", "botocore"


@pytest.fixture
def pool() -> UserPool:
    pool = UserPool()
    pool.add_user("alice", password=PASSWORD)
    return pool


@pytest.fixture
def serve(pool: UserPool) -> Iterator[Callable[..., LocalServer]]:
    servers: list[LocalServer] = []

    def start(*arguments: Any, **named: Any) -> LocalServer:
        servers.append(pool.serve(*arguments, **named))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def called(server: LocalServer, name: str) -> str:
    """Return the URL of the server with another host name."""
    return f"http://{name}:{server.url.rpartition(':')[2]}"


def issuer_of(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["iss"])


def log_in(pool: UserPool, url: str, transport: str) -> str:
    """Log in, verify the tokens, and return their issuer."""
    user = Cognito(
        pool.user_pool_id,
        pool.client_id,
        username="alice",
        endpoint_url=url,
        transport=transport,
        allow_http=True,
        access_key="AKIDLOCAL",
        secret_key="secret",
    )
    with user:
        user.authenticate(PASSWORD)
        user.renew_access_token()
        assert user.get_user().username == "alice"
        assert user.access_token is not None
        return issuer_of(user.access_token)


@pytest.mark.parametrize("transport", [HTTPS, HTTPX, BOTOCORE])
@pytest.mark.parametrize(("host", "name"), [("127.0.0.1", "localhost"), ("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_a_client_on_this_computer_logs_in(
    pool: UserPool, serve: Callable[..., LocalServer], transport: str, host: str, name: str
) -> None:
    url = called(serve(host), name)
    assert log_in(pool, url, transport) == f"{url}/{pool.user_pool_id}"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can connect to 0.0.0.0")
def test_a_client_logs_in_at_the_address_on_which_every_interface_is_listened_to(
    pool: UserPool, serve: Callable[..., LocalServer]
) -> None:
    server = serve("0.0.0.0")
    for name in ("0.0.0.0", "127.0.0.1", "localhost"):
        url = called(server, name)
        assert log_in(pool, url, HTTPS) == f"{url}/{pool.user_pool_id}"


@pytest.mark.parametrize(("host", "loopback"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]")])
def test_the_url_of_a_server_on_every_interface_has_a_loopback_address(
    pool: UserPool, serve: Callable[..., LocalServer], host: str, loopback: str
) -> None:
    # Clients send passwords over plain HTTP to loopback addresses only.
    url = serve(host).url
    assert url.startswith(f"http://{loopback}:")
    assert log_in(pool, url, HTTPS) == f"{url}/{pool.user_pool_id}"


def test_an_async_client_logs_in(pool: UserPool, serve: Callable[..., LocalServer]) -> None:
    url = called(serve(), "localhost")

    async def steps() -> None:
        async with AsyncCognito(pool.user_pool_id, pool.client_id, username="alice", endpoint_url=url) as user:
            await user.authenticate(PASSWORD)
            assert user.access_token is not None
            assert issuer_of(user.access_token) == f"{url}/{pool.user_pool_id}"

    asyncio.run(steps())


def test_pycognito_logs_in(pool: UserPool, serve: Callable[..., LocalServer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.delenv("COGNITO_JWKS", raising=False)
    url = called(serve(), "localhost")
    keys = {"aws_access_key_id": "AKIDLOCAL", "aws_secret_access_key": "secret"}
    user = pycognito.Cognito(
        pool.user_pool_id, pool.client_id, username="alice", boto3_client_kwargs={"endpoint_url": url, **keys}
    )
    user.authenticate(PASSWORD)
    assert issuer_of(user.access_token) == f"{url}/{pool.user_pool_id}"
    user.client.close()


def test_a_token_may_be_used_by_another_name(pool: UserPool, serve: Callable[..., LocalServer]) -> None:
    server = serve()
    user = Cognito(pool.user_pool_id, pool.client_id, username="alice", endpoint_url=server.url)
    with user:
        user.authenticate(PASSWORD)
    other = Cognito(
        pool.user_pool_id, pool.client_id, endpoint_url=called(server, "localhost"), access_token=user.access_token
    )
    with other:
        assert other.get_user().sub == jwt.decode(user.id_token or "", options={"verify_signature": False})["sub"]


def test_a_client_in_the_same_process_logs_in_while_the_pool_is_served(
    pool: UserPool, serve: Callable[..., LocalServer]
) -> None:
    serve()
    user = Cognito(pool.user_pool_id, pool.client_id, username="alice", transport=pool)
    user.authenticate(PASSWORD)
    assert user.access_token is not None
    assert issuer_of(user.access_token) == f"https://cognito-idp.us-east-1.amazonaws.com/{pool.user_pool_id}"


def test_a_chosen_issuer_is_used_by_every_way_in() -> None:
    pool = UserPool(issuer="https://id.example/")
    pool.add_user("alice", password=PASSWORD)
    expected = f"https://id.example/{pool.user_pool_id}"
    with pool.serve() as server:
        for arguments in ({"transport": pool}, {"endpoint_url": server.url}):
            user = Cognito(pool.user_pool_id, pool.client_id, username="alice", issuer=expected, **arguments)
            with user:
                user.authenticate(PASSWORD)
                assert user.access_token is not None
                assert issuer_of(user.access_token) == expected
        assert configuration(server, "localhost", pool)["issuer"] == expected


def configuration(server: LocalServer, host: str, pool: UserPool) -> dict[str, Any]:
    url = f"{server.url}/{pool.user_pool_id}/.well-known/openid-configuration"
    with urlopen(Request(url, headers={"Host": host}), timeout=10) as response:
        document: dict[str, Any] = json.loads(response.read())
        return document


def test_the_openid_configuration_fits_the_url(pool: UserPool, serve: Callable[..., LocalServer]) -> None:
    server = serve()
    for host in ("localhost:9229", "127.0.0.1", "[::1]:80"):
        found = configuration(server, host, pool)
        assert found["issuer"] == f"http://{host}/{pool.user_pool_id}"
        assert found["jwks_uri"] == f"http://{host}/{pool.user_pool_id}/.well-known/jwks.json"


@pytest.mark.parametrize("issuer", ["", "id.example", "ftp://id.example", "https://id.example/?a", "https://"])
def test_an_issuer_that_is_not_a_url_is_refused(issuer: str) -> None:
    with pytest.raises(ConfigurationError, match="use the URL before"):
        UserPool(issuer=issuer)
