"""What programs and their tests replace: the client, the session, AWSSRP and its random numbers, and the pool's id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

import srpcore
from srpcore import aws_srp
from srpcore.exceptions import ConfigurationError
from srpcore_transports.local import LocalUserPool
from support.users import PASSWORD

pytest.importorskip("boto3")
pytestmark = pytest.mark.counterpart

POOL_ID = "us-east-1_123456789"
PLACEHOLDERS = ["pool", "us-east-1_test_pool", "<pool>", ""]
TOKENS = {"TokenType": "Bearer", "IdToken": "id", "AccessToken": "access", "RefreshToken": "refresh"}


def accept(self: Any, token: str, id_name: str, token_use: str) -> None:
    """Set any token, instead of ``verify_token``."""
    setattr(self, id_name, token)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a mock of a botocore client that answers every login with tokens."""
    monkeypatch.setenv("SRPCORE_TRANSPORT", "botocore")
    monkeypatch.setattr(srpcore.Cognito, "verify_token", accept)
    client = mock.MagicMock()
    for name in ("initiate_auth", "admin_initiate_auth", "respond_to_auth_challenge"):
        getattr(client, name).return_value = {"AuthenticationResult": TOKENS}
    for name in ("sign_up", "confirm_sign_up", "forgot_password", "confirm_forgot_password"):
        getattr(client, name).return_value = {}
    monkeypatch.setattr("boto3.client", mock.Mock(return_value=client))
    return client


CALLS: dict[str, Callable[[srpcore.Cognito], object]] = {
    "sign_up": lambda user: user.register("u", "p"),
    "confirm_sign_up": lambda user: user.confirm_sign_up("123456"),
    "forgot_password": lambda user: user.initiate_forgot_password(),
    "confirm_forgot_password": lambda user: user.confirm_forgot_password("123456", "p"),
    "admin_initiate_auth": lambda user: user.admin_authenticate("p"),
    "initiate_auth": lambda user: user.renew_access_token(),
    "respond_to_auth_challenge": lambda user: user.respond_to_sms_mfa_challenge("123456", {"Session": "s"}),
}


@pytest.mark.parametrize("pool_id", PLACEHOLDERS)
@pytest.mark.parametrize("operation", CALLS)
def test_a_placeholder_pool_id_is_enough_for_a_secret_hash(client: Any, pool_id: str, operation: str) -> None:
    user = srpcore.Cognito(pool_id, "cid", username="u", client_secret="s", refresh_token="r", access_token="a")
    client.get_tokens_from_refresh_token.side_effect = NotImplementedError
    CALLS[operation](user)
    sent = getattr(client, operation).call_args.kwargs
    parameters: dict[str, str] = sent.get("AuthParameters") or sent.get("ChallengeResponses") or {}
    assert sent.get("SecretHash") or parameters["SECRET_HASH"]


@pytest.mark.parametrize("pool_id", PLACEHOLDERS)
def test_a_placeholder_pool_id_is_refused_before_a_password_is_proved(client: Any, pool_id: str) -> None:
    proof = srpcore.AWSSRP("u", "p", pool_id, "cid", client=client, client_secret="s")
    assert proof.get_auth_params().keys() == {"USERNAME", "SRP_A", "SECRET_HASH"}
    user = srpcore.Cognito(pool_id, "cid", username="u")
    acts: list[Callable[[], object]] = [
        proof.authenticate_user,
        lambda: user.authenticate("p"),
        lambda: user.sign_in("p"),
        lambda: user.user_pool_url,
        lambda: user.get_keys(),
    ]
    for act in acts:
        with pytest.raises(ConfigurationError, match="user_pool_id must look like"):
            act()
    assert client.initiate_auth.call_count == 0


@pytest.mark.parametrize("where", ["srpcore.AWSSRP", "srpcore.aws_srp.AWSSRP"])
def test_a_mock_instead_of_the_class_awssrp_is_used(client: Any, where: str) -> None:
    user = srpcore.Cognito(POOL_ID, "cid", username="u", client_secret="s")
    with mock.patch(where) as kind:
        kind.return_value.authenticate_user.return_value = {"AuthenticationResult": TOKENS}
        kind.return_value.set_new_password_challenge.return_value = {"AuthenticationResult": TOKENS}
        user.authenticate("p")
        kind.assert_called_once_with(
            username="u", password="p", pool_id=POOL_ID, client_id="cid", client=client, client_secret="s"
        )
        kind.return_value.authenticate_user.assert_called_once_with(client_metadata=None)
        user.new_password_challenge("p", "new")
        kind.return_value.set_new_password_challenge.assert_called_once_with("new")
    assert user.access_token == "access"
    assert not client.initiate_auth.called


def test_a_class_with_pycognitos_methods_only_is_used_instead_of_awssrp(client: Any) -> None:
    class Fake:
        def __init__(
            self, username: str, password: str, pool_id: str, client_id: str, client: Any, client_secret: str | None
        ) -> None:
            self.password = password

        def authenticate_user(self, client_metadata: dict[str, str] | None = None) -> dict[str, Any]:
            return {"AuthenticationResult": {**TOKENS, "AccessToken": f"by {self.password}"}}

    user = srpcore.Cognito(POOL_ID, "cid", username="u")
    with mock.patch("srpcore.AWSSRP", Fake):
        user.authenticate("p")
    assert user.access_token == "by p"


def test_a_subclass_instead_of_awssrp_logs_in() -> None:
    class Own(srpcore.AWSSRP):
        made = 0

        def get_auth_params(self) -> dict[str, str]:
            Own.made += 1
            return super().get_auth_params()

    with LocalUserPool() as pool, mock.patch("srpcore.AWSSRP", Own):
        user = srpcore.Cognito(pool.user_pool_id, pool.client_id, username="alice", transport=pool)
        user.set_base_attributes(email="alice@example.com")
        user.register("alice", PASSWORD)
        user.confirm_sign_up(pool.outbox.latest("alice").code)
        user.authenticate(PASSWORD)
    assert user.access_token
    assert Own.made == 1


def test_a_replaced_get_random_gives_the_secret_exponent() -> None:
    with mock.patch("srpcore.aws_srp.get_random", return_value=aws_srp.hex_to_long(aws_srp.N_HEX) + 5) as drawn:
        proof = srpcore.AWSSRP("u", "p", POOL_ID, "cid", client=mock.Mock())
        assert (proof.small_a_value, proof.large_a_value) == (5, 32)
    drawn.assert_called_once_with(128)


def test_the_constants_are_those_of_pycognito() -> None:
    theirs = pytest.importorskip("pycognito.aws_srp")
    for name in ("INFO_BITS", "WEEKDAY_NAMES", "MONTH_NAMES", "N_HEX", "G_HEX"):
        assert getattr(aws_srp, name) == getattr(theirs, name)


def test_a_session_gets_only_what_is_set() -> None:
    session = mock.Mock()
    srpcore.Cognito(POOL_ID, "cid", session=session)
    session.client.assert_called_once_with("cognito-idp", region_name="us-east-1")
    session = mock.Mock()
    srpcore.Cognito(POOL_ID, "cid", session=session, endpoint_url="http://127.0.0.1:1")
    session.client.assert_called_once_with("cognito-idp", region_name="us-east-1", endpoint_url="http://127.0.0.1:1")


def test_boto3_gets_only_what_is_set(client: Any) -> None:
    import boto3

    srpcore.Cognito(POOL_ID, "cid")
    srpcore.Cognito(POOL_ID, "cid", boto3_client_kwargs={})
    assert boto3.client.mock_calls[0] == mock.call("cognito-idp", region_name="us-east-1")  # type: ignore[attr-defined]
    assert boto3.client.call_args_list == [mock.call("cognito-idp", region_name="us-east-1")] * 2  # type: ignore[attr-defined]


def test_operations_use_the_client_property_of_a_subclass(client: Any) -> None:
    other = mock.MagicMock()
    other.sign_up.return_value = {}
    assigned: list[Any] = []

    class Own(srpcore.Cognito):
        @property
        def client(self) -> Any:
            return other

        @client.setter
        def client(self, client: Any) -> None:
            assigned.append(client)

    user = Own("pool", "cid", username="u", client_secret="s")
    user.register("u", "p")
    assert assigned == [client]
    assert other.sign_up.call_count == 1
    assert client.sign_up.call_count == 0


@pytest.mark.parametrize("transport", ["https", "botocore"])
def test_a_subclass_may_extend_the_property_client(client: Any, transport: str) -> None:
    read: list[Any] = []

    class Own(srpcore.Cognito):
        @property
        def client(self) -> Any:
            read.append(super().client)
            return read[-1]

        @client.setter
        def client(self, client: Any) -> None:
            srpcore.Cognito.client.__set__(self, client)  # type: ignore[attr-defined]

    with Own(POOL_ID, "cid", username="u", transport=transport) as user:
        assert user._owns_transport  # pyright: ignore[reportPrivateUsage]
        if transport == "botocore":
            user.register("u", "p")
            assert client.sign_up.call_count == 1
            assert read == [client] * len(read)
            assert read


def test_async_operations_use_the_client_property_of_a_subclass() -> None:
    with LocalUserPool() as pool:
        theirs = srpcore.AsyncCognito(pool.user_pool_id, pool.client_id, transport=pool).client

        class Own(srpcore.AsyncCognito):
            @property
            def client(self) -> Any:
                return theirs

            @client.setter
            def client(self, client: Any) -> None:
                pass

        async def register() -> None:
            async with Own(pool.user_pool_id, pool.client_id, endpoint_url="http://127.0.0.1:1") as user:
                user.set_base_attributes(email="alice@example.com")
                await user.register("alice", PASSWORD)

        asyncio.run(register())
        assert pool.outbox.latest("alice").code
