"""Objects that were made without our constructor: what needs only pycognito's attributes works on them."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

import srpcore
from srpcore import AWSSRP, exceptions
from srpcore.utils import RequestsSrpAuth, TokenType
from srpcore_transports.local import LocalServer, LocalUserPool
from support.users import PASSWORD
from support.world import World

# pycognito's constructor sets these and no others.
ATTRIBUTES = """
    user_pool_id client_id user_pool_region username id_token access_token refresh_token client_secret token_type
    id_claims access_claims custom_attributes base_attributes pool_jwk mfa_tokens pool_domain_url
""".split()


class Subclass(srpcore.Cognito):
    """A subclass whose constructor does not call ours."""

    def __init__(self, attributes: dict[str, Any]) -> None:
        for name, value in attributes.items():
            setattr(self, name, value)


class Pickled(srpcore.Cognito):
    """A subclass that pickles itself."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, ({name: getattr(self, name) for name in ATTRIBUTES},)


def _unpickled(attributes: dict[str, Any]) -> srpcore.Cognito:
    return by_new(attributes, Pickled)


def by_new(attributes: dict[str, Any], cls: type[srpcore.Cognito] = srpcore.Cognito) -> srpcore.Cognito:
    user = cls.__new__(cls)
    user.__dict__.update(attributes)
    return user


def by_patch(attributes: dict[str, Any]) -> srpcore.Cognito:
    with mock.patch("srpcore.Cognito.__init__", return_value=None):
        user = srpcore.Cognito()  # type: ignore[call-arg]
    for name, value in attributes.items():
        setattr(user, name, value)
    return user


def by_pickle(attributes: dict[str, Any]) -> srpcore.Cognito:
    user: srpcore.Cognito = pickle.loads(
        pickle.dumps(by_new(dict.fromkeys(ATTRIBUTES) | {"user_pool_region": "us-east-1"} | attributes, Pickled))
    )
    return user


@pytest.fixture(params=[by_new, by_patch, by_pickle, Subclass])
def make_user(request: pytest.FixtureRequest) -> Callable[..., srpcore.Cognito]:
    return lambda **attributes: request.param(attributes)


@pytest.fixture
def pool() -> Iterator[LocalUserPool]:
    with LocalUserPool() as pool:
        yield pool


@pytest.fixture
def server(pool: LocalUserPool) -> Iterator[LocalServer]:
    with pool.serve() as server:
        yield server


def attributes_of(pool: LocalUserPool, server: LocalServer) -> dict[str, Any]:
    return {
        "user_pool_id": pool.user_pool_id,
        "client_id": pool.client_id,
        "user_pool_region": "us-east-1",
        "username": "alice",
        "client_secret": None,
        "pool_domain_url": server.url,
    }


def register(pool: LocalUserPool) -> None:
    user = srpcore.Cognito(pool.user_pool_id, pool.client_id, transport=pool)
    user.set_base_attributes(email="alice@example.com")
    user.register("alice", PASSWORD)
    user.confirm_sign_up(pool.outbox.latest("alice").code)


def test_default_transport_is_made_at_first_use(
    make_user: Callable[..., srpcore.Cognito], pool: LocalUserPool, server: LocalServer
) -> None:
    register(pool)
    user = make_user(**attributes_of(pool, server))
    assert user.user_pool_url == f"{server.url}/{pool.user_pool_id}"
    assert not user._owns_transport
    with user:
        user.authenticate(PASSWORD)
        assert user.check_token() is False
        user.renew_access_token()
        user.verify_tokens()
        assert user.get_user().email == "alice@example.com"
        assert user.client.get_user(AccessToken=user.access_token)["Username"]
        user.logout()


def test_tokens_are_checked_and_verified_without_a_transport(
    make_user: Callable[..., srpcore.Cognito], make_world: Callable[..., World]
) -> None:
    world = make_world()
    world.create()
    logged_in = world.user()
    logged_in.authenticate(PASSWORD)
    user = make_user(
        user_pool_id=world.pool.user_pool_id,
        client_id=world.pool.client_id,
        access_token=logged_in.access_token,
        pool_jwk=logged_in.pool_jwk,
    )
    assert user.check_token(renew=False) is False
    assert logged_in.access_token is not None
    assert user.verify_token(logged_in.access_token, "access_token", "access")["client_id"] == world.pool.client_id
    assert user.user_pool_region == "us-east-1"
    assert user.user_pool_url.startswith("https://cognito-idp.us-east-1.amazonaws.com/")
    assert user.tokens.access_token == logged_in.access_token
    assert not user._owns_transport


def test_pickled_key_set_keeps_its_age(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.create()
    user = world.user()
    user.authenticate(PASSWORD)
    again = world.user(access_token=user.access_token, id_token=user.id_token)
    again.pool_jwk = pickle.loads(pickle.dumps(user.pool_jwk))
    world.wire.clear()
    again.verify_tokens()
    assert world.wire.fetched == []
    world.clock.ahead += 3601
    again.get_keys()
    assert len(world.wire.fetched) == 1


def test_client_that_the_program_sets_is_used(
    make_user: Callable[..., srpcore.Cognito], make_world: Callable[..., World]
) -> None:
    world = make_world()
    world.create()
    user = make_user(user_pool_id=world.pool.user_pool_id, client_id=world.pool.client_id, username="alice")
    user.client = world.wire
    user.authenticate(PASSWORD)
    assert user.access_claims is not None
    user.close()


def test_object_without_attributes_names_the_missing_one() -> None:
    user = by_new({})
    with pytest.raises(AttributeError, match="log in first"):
        user.check_token()
    with pytest.raises(AttributeError, match="user_pool_id"):
        user.authenticate(PASSWORD)
    user.close()


def test_constructor_of_a_subclass_may_set_attributes_before_ours(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.create()

    class Early(srpcore.Cognito):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            self.base_attributes = {"name": "Alice"}
            super().__init__(*arguments, **more)

    user = world.user(cls=Early)
    user.authenticate(PASSWORD)
    assert user.access_claims is not None


def test_async_object_logs_in(pool: LocalUserPool, server: LocalServer) -> None:
    register(pool)

    async def log_in() -> None:
        user = srpcore.AsyncCognito.__new__(srpcore.AsyncCognito)
        user.__dict__.update(attributes_of(pool, server))
        async with user:
            await user.authenticate(PASSWORD)
            assert await user.check_token() is False
            await user.renew_access_token()
            assert (await user.get_user()).email == "alice@example.com"

    asyncio.run(log_in())


def test_async_object_accepts_a_client(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.create()

    async def log_in() -> None:
        user = srpcore.AsyncCognito.__new__(srpcore.AsyncCognito)
        user.user_pool_id, user.client_id, user.username = world.pool.user_pool_id, world.pool.client_id, "alice"
        user.client = world.wire
        await user.authenticate(PASSWORD)
        assert user.access_claims is not None
        await user.close()

    asyncio.run(log_in())


def test_aws_srp_logs_in_and_answers_a_challenge(make_world: Callable[..., World]) -> None:
    world = make_world(client_secret=True)
    world.create()
    srp = AWSSRP.__new__(AWSSRP)
    assert repr(srp) == "<AWSSRP None None>"
    srp.username, srp.password = "alice", PASSWORD
    srp.pool_id, srp.client_id, srp.client_secret = world.pool.user_pool_id, world.pool.client_id, None
    parameters = {"USER_ID_FOR_SRP": "alice", "SALT": "ab", "SRP_B": "5", "SECRET_BLOCK": "AAAA"}
    answer = srp.process_challenge(parameters, srp.get_auth_params())
    assert answer["USERNAME"] == "alice"
    srp.client_secret, srp.client = world.pool.client_secret, world.wire
    assert srp.authenticate_user()["AuthenticationResult"]


def test_aws_srp_makes_its_client_at_first_use(pool: LocalUserPool, server: LocalServer, monkeypatch: Any) -> None:
    register(pool)
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.url)

    class Own(AWSSRP):
        def __init__(self) -> None:
            self.username, self.password = "alice", PASSWORD
            self.pool_id, self.client_id = pool.user_pool_id, pool.client_id

    srp = Own()
    assert srp.authenticate_user()["AuthenticationResult"]
    srp.client.close()


def test_requests_auth_sends_a_token_and_logs_in_once_in_many_threads(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.create()

    class Own(RequestsSrpAuth):
        def __init__(self) -> None:
            self.cognito_client = world.user()
            self._RequestsSrpAuth__password = PASSWORD
            self.http_header, self.http_header_prefix = "Authorization", "Bearer "
            self.token_type = TokenType.ACCESS_TOKEN

    auth = Own()
    sent: list[dict[str, str]] = []

    def send() -> None:
        sent.append(auth(SimpleNamespace(headers={})).headers)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sent == [{"Authorization": f"Bearer {auth.cognito_client.access_token}"}] * 4
    assert len(world.asked("InitiateAuth")) == 1


def test_placeholder_pool_is_refused_at_use_of_the_transport() -> None:
    user = by_new({"user_pool_id": "your-user-pool-id", "client_id": "id", "username": "alice"})
    with pytest.raises(exceptions.ConfigurationError, match="user_pool_id"):
        user.authenticate(PASSWORD)
