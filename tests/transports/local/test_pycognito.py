"""pycognito and boto3, unmodified, against the pool over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from srpcore.crypto.totp import totp
from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalServer, LocalUserPool
from support.clock import Clock
from support.users import OTHER_PASSWORD, PASSWORD

from .client import Client

pycognito = pytest.importorskip("pycognito")
boto3 = pytest.importorskip("boto3")

pytestmark = pytest.mark.counterpart

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


class Setting:
    """A served pool, with a client of our own for what the test prepares."""

    def __init__(self, server: LocalServer, pool: LocalUserPool, clock: Clock) -> None:
        self.url, self.pool, self.client = server.url, pool, Client(pool, clock)
        self.clock = clock
        self.boto = boto3.client("cognito-idp", **self.arguments(), region_name="us-east-1")

    def arguments(self) -> dict[str, str]:
        return {
            "endpoint_url": self.url,
            "aws_access_key_id": KEYS.access_key_id,
            "aws_secret_access_key": KEYS.secret_access_key,
        }

    def cognito(self, username: str = "alice") -> Any:
        return pycognito.Cognito(
            self.pool.user_pool_id,
            self.pool.client_id,
            username=username,
            client_secret=self.pool.client_secret,
            boto3_client_kwargs=self.arguments(),
        )

    def srp(self, password: str = PASSWORD, **device: str) -> Any:
        return pycognito.aws_srp.AWSSRP(
            username="alice",
            password=password,
            pool_id=self.pool.user_pool_id,
            client_id=self.pool.client_id,
            client=self.boto,
            client_secret=self.pool.client_secret,
            **device,
        )


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Setting]]:
    monkeypatch.delenv("COGNITO_JWKS", raising=False)
    # Its fetch of the keys goes to the loopback address, past whatever proxy the environment names.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    before = {*threading.enumerate()}
    servers: list[LocalServer] = []
    clients: list[Any] = []

    def start(**settings: Any) -> Setting:
        # pycognito takes the time from the system, so the pool does too, in whole seconds that a test can move.
        clock = Clock(time.time())
        pool = LocalUserPool(credentials=KEYS, clock=clock, **settings)
        servers.append(pool.serve())
        setting = Setting(servers[-1], pool, clock)
        clients.append(setting.boto)
        return setting

    yield start
    for client in clients:
        client.close()
    for server in servers:
        server.close()
    assert {*threading.enumerate()} <= before


@pytest.mark.parametrize("client_secret", [False, True])
def test_the_right_password_logs_in_and_its_tokens_verify(serve: Callable[..., Setting], client_secret: bool) -> None:
    setting = serve(client_secret=client_secret)
    setting.client.user(email="alice@example.com")
    user = setting.cognito()
    user.authenticate(PASSWORD)
    assert user.access_claims["username"] == "alice"
    assert user.id_claims["email"] == "alice@example.com"
    assert user.get_user().email == "alice@example.com"
    user.client.close()


@pytest.mark.parametrize("client_secret", [False, True])
def test_a_wrong_password_is_refused(serve: Callable[..., Setting], client_secret: bool) -> None:
    setting = serve(client_secret=client_secret)
    setting.client.user()
    user = setting.cognito()
    with pytest.raises(user.client.exceptions.NotAuthorizedException, match="Incorrect username or password"):
        user.authenticate(OTHER_PASSWORD)
    user.client.close()


def test_a_client_secret_is_required(serve: Callable[..., Setting]) -> None:
    setting = serve(client_secret=True)
    setting.client.user()
    user = setting.cognito()
    for secret in (None, "another"):
        user.client_secret = secret
        with pytest.raises(user.client.exceptions.NotAuthorizedException):
            user.authenticate(PASSWORD)
    user.client.close()


def test_many_salts_and_values_of_b_agree(serve: Callable[..., Setting]) -> None:
    setting = serve()
    setting.client.user()
    for _ in range(8):
        # A new password has a new salt; one in sixteen has a leading zero digit.
        setting.client.admin("AdminSetUserPassword", Username="alice", Password=PASSWORD, Permanent=True)
        assert "AuthenticationResult" in setting.srp().authenticate_user()


@pytest.mark.parametrize("client_secret", [False, True])
def test_a_new_password_is_set(serve: Callable[..., Setting], client_secret: bool) -> None:
    setting = serve(client_secret=client_secret)
    setting.client.admin("AdminCreateUser", Username="alice", TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    user = setting.cognito()
    with pytest.raises(pycognito.exceptions.ForceChangePasswordException):
        user.authenticate(PASSWORD)
    user.new_password_challenge(PASSWORD, OTHER_PASSWORD)
    assert user.access_claims["username"] == "alice"
    user.authenticate(OTHER_PASSWORD)
    user.client.close()


@pytest.mark.parametrize("client_secret", [False, True])
def test_a_totp_code_is_asked_for_and_checked(serve: Callable[..., Setting], client_secret: bool) -> None:
    setting = serve(client_secret=client_secret)
    setting.client.user()
    user = setting.cognito()
    user.authenticate(PASSWORD)
    secret = user.associate_software_token()
    assert user.verify_software_token(totp(secret, setting.clock.now - 30), "phone")
    user.set_user_mfa_preference(sms_mfa=False, software_token_mfa=True, preferred="SOFTWARE_TOKEN")
    with pytest.raises(pycognito.exceptions.SoftwareTokenMFAChallengeException):
        user.authenticate(PASSWORD)
    with pytest.raises(user.client.exceptions.CodeMismatchException):
        user.respond_to_software_token_mfa_challenge(totp(secret, setting.clock.now + 3600))
    user.respond_to_software_token_mfa_challenge(totp(secret, setting.clock.now))
    assert user.access_claims["username"] == "alice"
    user.client.close()


@pytest.mark.parametrize("client_secret", [False, True])
def test_pycognito_refreshes(serve: Callable[..., Setting], client_secret: bool) -> None:
    setting = serve(client_secret=client_secret)
    setting.client.user()
    user = setting.cognito()
    user.authenticate(PASSWORD)
    before = user.access_token
    user.renew_access_token()
    assert user.access_token != before
    user.logout()
    user.client.close()


def test_pycognito_signs_up_and_uses_admin_operations(serve: Callable[..., Setting]) -> None:
    setting = serve()
    user = setting.cognito()
    user.set_base_attributes(email="alice@example.com")
    user.register("alice", PASSWORD)
    user.confirm_sign_up(setting.pool.outbox.latest("alice").code)
    user.admin_authenticate(PASSWORD)
    assert [u.username for u in user.get_users()] == ["alice"]
    user.initiate_forgot_password()
    user.confirm_forgot_password(setting.pool.outbox.latest("alice").code, OTHER_PASSWORD)
    user.authenticate(OTHER_PASSWORD)
    user.client.close()


class TestDevice:
    def confirmed(self, setting: Setting) -> dict[str, str]:
        setting.client.user()
        result = setting.srp().authenticate_user()["AuthenticationResult"]
        metadata = result["NewDeviceMetadata"]
        password, verifier = pycognito.aws_srp.generate_hash_device(metadata["DeviceGroupKey"], metadata["DeviceKey"])
        confirmed = setting.boto.confirm_device(
            AccessToken=result["AccessToken"],
            DeviceKey=metadata["DeviceKey"],
            DeviceSecretVerifierConfig=verifier,
            DeviceName="tests",
        )
        assert confirmed["UserConfirmationNecessary"] is False
        return {
            "device_key": metadata["DeviceKey"],
            "device_group_key": metadata["DeviceGroupKey"],
            "device_password": password,
        }

    def test_a_confirmed_device_logs_in(self, serve: Callable[..., Setting]) -> None:
        setting = serve(remember_devices=True)
        device = self.confirmed(setting)
        for _ in range(3):
            result = setting.srp(**device).authenticate_user()["AuthenticationResult"]
            assert "NewDeviceMetadata" not in result
        refreshed = setting.boto.initiate_auth(
            ClientId=setting.pool.client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": result["RefreshToken"], "DEVICE_KEY": device["device_key"]},
        )
        assert refreshed["AuthenticationResult"]["AccessToken"]

    def test_wrong_device_values_are_refused(self, serve: Callable[..., Setting]) -> None:
        setting = serve(remember_devices=True)
        device = self.confirmed(setting)
        wrong = {"device_password": "wrong", "device_group_key": "-wrong"}
        for name, value in wrong.items():
            with pytest.raises(setting.boto.exceptions.NotAuthorizedException):
                setting.srp(**{**device, name: value}).authenticate_user()
        with pytest.raises(setting.boto.exceptions.ResourceNotFoundException, match=r"Device does not exist\."):
            setting.srp(**{**device, "device_key": "us-east-1_made-up"}).authenticate_user()
        with pytest.raises(setting.boto.exceptions.NotAuthorizedException):
            setting.srp(OTHER_PASSWORD, **device).authenticate_user()
