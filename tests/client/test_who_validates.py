"""Missing parameters are botocore's ParamValidationError on every transport, and placeholder ids are refused at use."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import srpcore
from srpcore import exceptions
from srpcore_transports.local import LocalUserPool

pytestmark = pytest.mark.counterpart

# Nothing listens there: a request that is sent is a TransportError.
ENDPOINT = "http://127.0.0.1:1"
TRANSPORTS = ["https", "httpx", "botocore", "local"]
PLACEHOLDERS = ["your-user-pool-id", "test-pool", "<YOUR_POOL_ID>", "pool", ""]


def client_of(transport: str, pool_id: str = "us-east-1_abc", **arguments: Any) -> Any:
    """Return a Cognito of pool *pool_id*; of an embedded pool if *transport* is ``local``."""
    if transport == "local":
        return srpcore.Cognito(pool_id, "client", transport=LocalUserPool(), endpoint_url=ENDPOINT, **arguments)
    arguments |= {"access_key": "a", "secret_key": "b"}
    return srpcore.Cognito(pool_id, "client", transport=transport, endpoint_url=ENDPOINT, **arguments)


ACTS: list[Any] = [
    pytest.param(lambda user: user.renew_access_token(), id="refresh without a refresh token"),
    pytest.param(lambda user: user.get_user(), id="get_user without an access token"),
    pytest.param(lambda user: user.logout(), id="logout without an access token"),
    pytest.param(lambda user: user.authenticate("a password"), id="log in without a name"),
]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("act", ACTS)
def test_a_missing_parameter_is_the_param_validation_error_of_botocore(
    transport: str, act: Callable[[Any], object]
) -> None:
    import botocore.exceptions

    with client_of(transport) as user, pytest.raises(botocore.exceptions.ParamValidationError) as caught:
        act(user)
    error: Any = caught.value
    assert error.kwargs["report"]
    # Over botocore the error is its own: nothing is validated before.
    assert isinstance(error, exceptions.SrpcoreError) is (transport != "botocore")
    if transport != "botocore":
        assert isinstance(error, exceptions.InvalidRequest)
        for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize("transport", ["https", "httpx", "botocore"])
def test_it_is_the_same_on_an_event_loop(transport: str) -> None:
    import botocore.exceptions

    async def refresh() -> None:
        async with srpcore.AsyncCognito(
            "us-east-1_abc", "client", transport=transport, endpoint_url=ENDPOINT, access_key="a", secret_key="b"
        ) as user:
            await user.renew_access_token()

    with pytest.raises(botocore.exceptions.ParamValidationError):
        asyncio.run(refresh())


def test_check_token_without_an_access_token_is_an_attribute_error_too() -> None:
    import botocore.exceptions

    with client_of("https") as user, pytest.raises(exceptions.AccessTokenRequired) as caught:
        user.check_token()
    assert isinstance(caught.value, AttributeError)
    assert isinstance(caught.value, botocore.exceptions.ParamValidationError)


def test_other_wrong_settings_are_not_botocore_errors() -> None:
    import botocore.exceptions

    with pytest.raises(exceptions.ConfigurationError) as caught:
        srpcore.Cognito("us-east-1_abc", "client", transport="carrier pigeon")
    assert not isinstance(caught.value, botocore.exceptions.BotoCoreError)


@pytest.mark.parametrize("transport", ["https", "httpx", "local"])
@pytest.mark.parametrize("pool_id", PLACEHOLDERS)
def test_a_placeholder_pool_id_is_refused_at_use(transport: str, pool_id: str) -> None:
    with client_of(transport, pool_id, username="alice", refresh_token="r", access_token="a") as user:
        assert user.user_pool_id == pool_id
        assert user.user_pool_region == pool_id.split("_")[0]
        acts: list[Callable[[], object]] = [
            lambda: user.authenticate("a password"),
            user.renew_access_token,
            user.get_keys,
            lambda: user.user_pool_url,
        ]
        for act in acts:
            with pytest.raises(exceptions.ConfigurationError, match="user_pool_id must look like"):
                act()


@pytest.mark.parametrize("pool_id", PLACEHOLDERS)
def test_an_asynchronous_client_accepts_a_placeholder_too(pool_id: str) -> None:
    async def story() -> None:
        async with srpcore.AsyncCognito(pool_id, "client", username="alice") as user:
            with pytest.raises(exceptions.ConfigurationError, match=r"user_pool_id must look like|region must be"):
                await user.authenticate("a password")

    asyncio.run(story())


@pytest.mark.parametrize("pool_id", ["your-user-pool-id", "test-pool"])
def test_a_placeholder_is_accepted_over_botocore(pool_id: str) -> None:
    with client_of("botocore", pool_id, username="alice") as user:
        assert user.client.meta.region_name == pool_id
