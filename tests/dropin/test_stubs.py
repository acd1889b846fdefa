"""Programs' own tests, as they are written for pycognito: botocore's Stubber, autospecs and patches by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

import srpcore

boto3 = pytest.importorskip("boto3")
stubs = pytest.importorskip("botocore.stub")
pytestmark = pytest.mark.counterpart

POOL_ID = "us-east-1_123456789"
TOKENS = {"TokenType": "Bearer", "IdToken": "id", "AccessToken": "access", "RefreshToken": "refresh"}


def accept(self: Any, token: str, id_name: str, token_use: str) -> None:
    """Take any token, in place of ``verify_token``; return nothing."""
    setattr(self, id_name, token)


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> Iterator[srpcore.Cognito]:
    monkeypatch.setenv("SRPCORE_TRANSPORT", "botocore")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-key-of-the-tests")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with mock.patch("srpcore.Cognito.verify_token", accept), srpcore.Cognito(POOL_ID, "app", username="bob") as made:
        yield made


def log_in(user: srpcore.Cognito) -> None:
    with mock.patch("srpcore.aws_srp.AWSSRP.authenticate_user", return_value={"AuthenticationResult": TOKENS}):
        user.authenticate("password")


def test_log_in_with_patches_by_name(user: srpcore.Cognito) -> None:
    log_in(user)
    assert (user.id_token, user.access_token, user.refresh_token) == ("id", "access", "refresh")


def test_refresh_sends_what_a_stub_expects(user: srpcore.Cognito) -> None:
    log_in(user)
    with mock.patch("srpcore.Cognito._add_secret_hash", return_value=None), stubs.Stubber(user.client) as stub:
        stub.add_response(
            "initiate_auth",
            {"AuthenticationResult": {**TOKENS, "AccessToken": "newer"}},
            {
                "ClientId": "app",
                "AuthFlow": "REFRESH_TOKEN_AUTH",
                "AuthParameters": {"REFRESH_TOKEN": "refresh"},
            },
        )
        user.renew_access_token()
        stub.assert_no_pending_responses()
    assert user.access_token == "newer"


def test_administrators_methods_send_what_a_stub_expects(user: srpcore.Cognito) -> None:
    with stubs.Stubber(user.client) as stub:
        stub.add_response(
            "admin_get_user",
            {"Username": "bob", "UserAttributes": [], "UserStatus": "CONFIRMED", "Enabled": True},
            {"UserPoolId": POOL_ID, "Username": "bob"},
        )
        stub.add_response(
            "admin_initiate_auth",
            {"AuthenticationResult": TOKENS},
            {
                "UserPoolId": POOL_ID,
                "ClientId": "app",
                "AuthFlow": "ADMIN_NO_SRP_AUTH",
                "AuthParameters": {"USERNAME": "bob", "PASSWORD": "password"},
            },
        )
        assert user.admin_get_user().user_status == "CONFIRMED"
        user.admin_authenticate("password")
        stub.assert_no_pending_responses()
    assert user.access_token == "access"


def test_change_of_password_sends_what_a_stub_expects_and_botocore_refuses_none(user: srpcore.Cognito) -> None:
    from botocore.exceptions import ParamValidationError

    log_in(user)
    with mock.patch("srpcore.Cognito.check_token", return_value=True):
        with stubs.Stubber(user.client) as stub:
            stub.add_response(
                "change_password",
                {},
                {"PreviousPassword": "password", "ProposedPassword": "another", "AccessToken": "access"},
            )
            user.change_password("password", "another")
            stub.assert_no_pending_responses()
        nothing: Any = None
        with pytest.raises(ParamValidationError):
            user.change_password("password", nothing)
    assert vars(user)["password"] == "another"


def test_the_class_is_autospecced(user: srpcore.Cognito) -> None:
    with mock.patch("srpcore.Cognito", autospec=True) as double:
        one = double(POOL_ID, "app", username="bob")
        one.set_base_attributes(given_name="Bob")
        one.register("bob", "password")
        one.validate_verification("4321")
        one.confirm_forgot_password("4553", "password")
        with pytest.raises(TypeError):
            one.confirm_forgot_password("password")
    assert one.register.call_args == mock.call("bob", "password")


def test_a_device_reply_is_taken(user: srpcore.Cognito) -> None:
    metadata = {"DeviceKey": "us-east-1_de20abce", "DeviceGroupKey": "group"}
    reply = {"AuthenticationResult": {**TOKENS, "NewDeviceMetadata": metadata}}
    with mock.patch("srpcore.aws_srp.AWSSRP.authenticate_user", return_value=reply):
        user.authenticate("password")
    assert user.new_device_metadata == metadata


@pytest.mark.parametrize("kind", [mock.Mock, mock.MagicMock])
def test_refresh_with_a_client_secret_works_with_a_mock_that_prepares_only_initiate_auth(kind: type[mock.Mock]) -> None:
    client = kind()
    client.initiate_auth.return_value = {"AuthenticationResult": TOKENS}
    with mock.patch("boto3.client", return_value=client), mock.patch("srpcore.Cognito.verify_token", accept):
        user = srpcore.Cognito(
            POOL_ID, "app", username="bob", client_secret="s", refresh_token="refresh", transport="botocore"
        )
        user.renew_access_token()
    assert client.initiate_auth.call_args.kwargs["AuthFlow"] == "REFRESH_TOKEN_AUTH"
    assert user.access_token == "access"
