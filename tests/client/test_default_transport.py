"""The facade over HttpsTransport to the embedded pool's server: the default transport, nothing by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

import srpcore
from srpcore import exceptions
from srpcore.crypto.totp import totp
from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalUserPool
from support.users import PASSWORD

KEYS = ("AKIDLOCAL", "secret-of-the-test")


@pytest.fixture(params=[False, True], ids=["public", "confidential"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[LocalUserPool, str]]:
    with (
        LocalUserPool(client_secret=request.param, remember_devices=True, credentials=Credentials(*KEYS)) as pool,
        pool.serve() as server,
    ):
        yield pool, server.url


def cognito(pool: LocalUserPool, url: str, username: str | None = None) -> srpcore.Cognito:
    return srpcore.Cognito(
        pool.user_pool_id,
        pool.client_id,
        username=username,
        client_secret=pool.client_secret,
        access_key=KEYS[0],
        secret_key=KEYS[1],
        endpoint_url=url,
    )


def test_a_user_signs_up_logs_in_and_sets_up_mfa(served: tuple[LocalUserPool, str]) -> None:
    pool, url = served
    with cognito(pool, url) as user:
        user.set_base_attributes(email="alice@example.com")
        user.register("alice", PASSWORD)
        user.confirm_sign_up(pool.outbox.latest("alice").code)
        with pytest.raises(exceptions.NotAuthorizedException):
            user.authenticate("wrong")
        user.authenticate(PASSWORD)
        assert user.access_claims is not None
        assert user.access_claims["iss"] == f"{url}/{pool.user_pool_id}"
        user.confirm_device("laptop")
        user.renew_access_token()
        secret = user.associate_software_token()
        assert user.verify_software_token(totp(secret, time.time()))
        user.set_user_mfa_preference(False, True, "SOFTWARE_TOKEN")
        device = user.device
        user.logout()
    with cognito(pool, url, "alice") as again:
        again.device = device
        with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
            again.authenticate(PASSWORD)
        again.respond_to_software_token_mfa_challenge(totp(secret, time.time() + 30))
        again.verify_tokens()
        again.revoke_token()


def test_signed_operations_are_signed_with_the_keys_given(served: tuple[LocalUserPool, str]) -> None:
    pool, url = served
    with cognito(pool, url) as user:
        user.register("bob", PASSWORD)
        user.admin_confirm_sign_up()
        user.authenticate(PASSWORD)
    with (
        srpcore.Cognito(
            pool.user_pool_id, pool.client_id, username="bob", access_key="AKIDOTHER", secret_key="x", endpoint_url=url
        ) as stranger,
        pytest.raises(exceptions.ServiceError),
    ):
        stranger.admin_confirm_sign_up()


def test_log_in_does_not_look_for_credentials(
    served: tuple[LocalUserPool, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, url = served
    # Half a pair of keys is an error for whoever looks.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "half")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    with srpcore.Cognito(pool.user_pool_id, pool.client_id, client_secret=pool.client_secret, endpoint_url=url) as user:
        user.register("carol", PASSWORD)
        with pytest.raises(exceptions.UserNotConfirmedException):
            user.authenticate(PASSWORD)
        with pytest.raises(exceptions.ConfigurationError, match="AWS_SECRET_ACCESS_KEY"):
            user.admin_confirm_sign_up()


def test_half_a_pair_of_keys_is_refused() -> None:
    with pytest.raises(exceptions.ConfigurationError, match="go together"):
        srpcore.Cognito("us-east-1_abc", "id", access_key="AKID")


@pytest.mark.parametrize("transport", ["https", LocalUserPool()], ids=["name", "object"])
@pytest.mark.parametrize(
    "arguments",
    [{"session": object()}, {"botocore_config": object()}, {"boto3_client_kwargs": {}}],
    ids=lambda given: next(iter(given)),
)
@pytest.mark.parametrize("cls", [srpcore.Cognito, srpcore.AsyncCognito])
def test_a_transport_together_with_arguments_of_boto3_is_refused(
    cls: type[Any], arguments: dict[str, Any], transport: Any
) -> None:
    with pytest.raises(exceptions.ConfigurationError, match="transport cannot be combined with session"):
        cls("us-east-1_abc", "id", transport=transport, **arguments)
