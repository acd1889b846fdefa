"""Sessions: the logins that hold good, and their end; with boto3 as the client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from srpcore_transports.local import LocalUserPool
from support.clock import Clock

from .boto import KEYS, connected
from .client import Client, confirm_device, refused

pytestmark = pytest.mark.counterpart


@pytest.fixture
def pool(clock: Clock) -> LocalUserPool:
    return LocalUserPool(clock=clock, credentials=KEYS)


@pytest.fixture
def boto(pool: LocalUserPool) -> Iterator[Any]:
    with connected(pool) as client:
        yield client


@pytest.fixture
def client(pool: LocalUserPool, clock: Clock) -> Client:
    client = Client(pool, clock)
    client.user()
    return client


def sessions(boto: Any, tokens: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = boto.list_user_sessions(AccessToken=tokens["AccessToken"])["Sessions"]
    return found


def test_each_login_is_a_session_and_the_current_one_is_marked(boto: Any, client: Client) -> None:
    first = client.tokens()
    client.clock.now += 10
    second = client.tokens()
    client.user("bob")
    client.tokens("bob")
    shown = sessions(boto, second)
    assert [session["IsCurrentSession"] for session in shown] == [False, True]
    assert [session["IsCurrentSession"] for session in sessions(boto, first)] == [True, False]
    assert all(len(session["SessionId"]) == 28 and session["SessionId"].startswith("tkn") for session in shown)
    assert shown[0]["SessionId"] != shown[1]["SessionId"]
    assert (shown[0]["SessionType"], shown[0]["ClientId"]) == ("TOKEN", client.client_id)
    assert shown[1]["CreateDate"].timestamp() == client.clock.now


def test_a_refresh_updates_the_activity_of_its_session(boto: Any, client: Client) -> None:
    tokens = client.tokens()
    client.clock.now += 60
    client.refresh(tokens["RefreshToken"])
    (shown,) = sessions(boto, tokens)
    assert (shown["LastActiveDate"] - shown["CreateDate"]).total_seconds() == 60


def test_revoking_another_session_revokes_its_tokens(boto: Any, client: Client) -> None:
    mine, theirs = client.tokens(), client.tokens()
    (other,) = [session for session in sessions(boto, mine) if not session["IsCurrentSession"]]
    boto.revoke_user_session(
        AccessToken=mine["AccessToken"], SessionId=other["SessionId"], RevokeAssociatedSessions="LINKED"
    )
    with refused("NotAuthorizedException", "Access Token has been revoked"):
        client.call("GetUser", AccessToken=theirs["AccessToken"])
    with refused("NotAuthorizedException", "Refresh Token has been revoked"):
        client.refresh(theirs["RefreshToken"])
    assert len(sessions(boto, mine)) == 1
    client.refresh(mine["RefreshToken"])
    with pytest.raises(boto.exceptions.ResourceNotFoundException):
        boto.revoke_user_session(AccessToken=mine["AccessToken"], SessionId=other["SessionId"])


def test_the_current_session_cannot_be_revoked(boto: Any, client: Client) -> None:
    tokens = client.tokens()
    (own,) = sessions(boto, tokens)
    with pytest.raises(boto.exceptions.InvalidParameterException):
        boto.revoke_user_session(AccessToken=tokens["AccessToken"], SessionId=own["SessionId"])
    assert sessions(boto, tokens) == [own]


def test_a_session_of_another_user_is_not_found(boto: Any, client: Client) -> None:
    tokens = client.tokens()
    client.user("bob")
    (theirs,) = sessions(boto, client.tokens("bob"))
    with pytest.raises(boto.exceptions.ResourceNotFoundException):
        boto.revoke_user_session(AccessToken=tokens["AccessToken"], SessionId=theirs["SessionId"])


def test_an_administrator_lists_and_revokes_any_session(boto: Any, client: Client) -> None:
    tokens = client.tokens()
    named = {"UserPoolId": client.pool_id, "Username": "alice"}
    (shown,) = boto.admin_list_user_sessions(**named)["Sessions"]
    assert shown["IsCurrentSession"] is False
    with pytest.raises(boto.exceptions.InvalidParameterException):
        boto.admin_revoke_user_session(**named, SessionId=shown["SessionId"], RevokeAssociatedSessions="ALL")
    boto.admin_revoke_user_session(**named, SessionId=shown["SessionId"])
    with refused("NotAuthorizedException", "revoked"):
        client.refresh(tokens["RefreshToken"])
    assert boto.admin_list_user_sessions(**named)["Sessions"] == []
    for operation, more in (
        (boto.admin_list_user_sessions, {}),
        (boto.admin_revoke_user_session, {"SessionId": "tkn" + "x" * 25}),
    ):
        with pytest.raises(boto.exceptions.UserNotFoundException):
            operation(UserPoolId=client.pool_id, Username="nobody", **more)


def test_sessions_end_by_sign_out_and_by_expiry(boto: Any, client: Client) -> None:
    tokens = client.tokens()
    named = {"UserPoolId": client.pool_id, "Username": "alice"}
    client.clock.now += 30 * 86400 - 1
    assert len(boto.admin_list_user_sessions(**named)["Sessions"]) == 1
    client.clock.now += 1
    assert boto.admin_list_user_sessions(**named)["Sessions"] == []
    with refused("NotAuthorizedException", "Refresh Token has expired"):
        client.refresh(tokens["RefreshToken"])
    tokens = client.tokens()
    boto.global_sign_out(AccessToken=tokens["AccessToken"])
    assert boto.admin_list_user_sessions(**named)["Sessions"] == []


def test_rotation_keeps_the_session(boto: Any, client: Client) -> None:
    made = boto.create_user_pool_client(
        UserPoolId=client.pool_id,
        ClientName="rotating",
        ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH"],
        RefreshTokenRotation={"Feature": "ENABLED", "RetryGracePeriodSeconds": 0},
    )["UserPoolClient"]
    tokens = client.use(made["ClientId"]).tokens()
    boto.get_tokens_from_refresh_token(ClientId=made["ClientId"], RefreshToken=tokens["RefreshToken"])
    assert len(sessions(boto, tokens)) == 1


def test_sessions_are_listed_in_pages(boto: Any, client: Client) -> None:
    for _ in range(61):
        reply = client.call(
            "InitiateAuth",
            ClientId=client.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "alice", "PASSWORD": "Correct-Horse-1"},
        )
    token = reply["AuthenticationResult"]["AccessToken"]
    first = boto.list_user_sessions(AccessToken=token)
    rest = boto.list_user_sessions(AccessToken=token, NextToken=first["NextToken"])
    assert (len(first["Sessions"]), len(rest["Sessions"])) == (60, 1)
    assert rest["Sessions"][0]["IsCurrentSession"] is True
    with pytest.raises(boto.exceptions.InvalidParameterException):
        boto.list_user_sessions(AccessToken=token, NextToken="made up")


def test_devices_are_listed_in_pages(clock: Clock) -> None:
    pool = LocalUserPool(clock=clock, credentials=KEYS, remember_devices=True)
    client = Client(pool, clock)
    client.user()
    keys = []
    for _ in range(3):
        tokens = client.tokens()
        device, _ = confirm_device(client, tokens)
        keys.append(device.key)
    with connected(pool) as boto:
        named: dict[str, Any] = {"AccessToken": tokens["AccessToken"], "Limit": 2}
        first = boto.list_devices(**named)
        rest = boto.list_devices(**named, PaginationToken=first["PaginationToken"])
        assert [device["DeviceKey"] for page in (first, rest) for device in page["Devices"]] == keys
        assert "PaginationToken" not in rest
        with pytest.raises(boto.exceptions.InvalidParameterException):
            boto.list_devices(AccessToken=tokens["AccessToken"], Limit=61)


def test_administrators_act_on_a_user_s_devices(clock: Clock) -> None:
    pool = LocalUserPool(clock=clock, credentials=KEYS, remember_devices=True)
    client = Client(pool, clock)
    client.user()
    device, _ = confirm_device(client, client.tokens())
    named = {"UserPoolId": pool.user_pool_id, "Username": "alice", "DeviceKey": device.key}
    with connected(pool) as boto:
        boto.admin_update_device_status(**named, DeviceRememberedStatus="not_remembered")
        shown = boto.admin_get_device(**named)["Device"]
        status = {"Name": "dev:device_remembered_status", "Value": "not_remembered"}
        assert (shown["DeviceKey"], status in shown["DeviceAttributes"]) == (device.key, True)
        assert "AuthenticationResult" in client.log_in(device_key=device.key)
        boto.admin_forget_device(**named)
        for operation in (boto.admin_get_device, boto.admin_forget_device, boto.admin_update_device_status):
            with pytest.raises(boto.exceptions.ResourceNotFoundException, match="Device does not exist"):
                operation(**named)
            unknown = "ResourceNotFound" if operation == boto.admin_get_device else "UserNotFound"
            with pytest.raises(getattr(boto.exceptions, f"{unknown}Exception"), match="User does not exist"):
                operation(**{**named, "Username": "nobody"})


class TestReasons:
    """NotAuthorizedException has many reasons, and says which."""

    def test_a_disabled_user_has_its_reason(self, boto: Any, client: Client) -> None:
        tokens = client.tokens()
        boto.admin_disable_user(UserPoolId=client.pool_id, Username="alice")
        for parameters in (
            {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "alice", "PASSWORD": "Correct-Horse-1"}},
            {"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": tokens["RefreshToken"]}},
        ):
            with pytest.raises(boto.exceptions.NotAuthorizedException) as caught:
                boto.initiate_auth(ClientId=client.client_id, **parameters)
            assert caught.value.response["Error"]["Message"] == "User is disabled."

    def test_too_many_attempts_have_their_reason(self, boto: Any, client: Client) -> None:
        wrong = {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "alice", "PASSWORD": "Wrong-Horse-1"}}
        messages = []
        for _ in range(6):
            with pytest.raises(boto.exceptions.NotAuthorizedException) as caught:
                boto.initiate_auth(ClientId=client.client_id, **wrong)
            messages.append(caught.value.response["Error"]["Message"])
        assert messages == ["Incorrect username or password."] * 5 + ["Password attempts exceeded"]
