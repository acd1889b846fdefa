"""One server for all tests of the command line, and users in it."""

from __future__ import annotations

import io
import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from srpcore.cli import main
from srpcore.crypto.totp import totp
from support.cli_processes import Result, Server, environment, serving
from support.users import PASSWORD


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let each test have its own profiles and stored logins, and return the folder with them."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    return folder


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def admin(server: Server) -> Iterator[Any]:
    client = server.client()
    yield client
    client.close()


_numbers = itertools.count(1)


@pytest.fixture
def make_user(server: Server, admin: Any) -> Callable[..., str]:
    """Make a user by boto3, with signed calls, and return the name."""

    def make(*, permanent: bool = True, pool_id: str | None = None, **attributes: str) -> str:
        name = f"user-{next(_numbers)}"
        pool_id = pool_id or server.user_pool_id
        admin.admin_create_user(
            UserPoolId=pool_id,
            Username=name,
            TemporaryPassword=PASSWORD,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()],
        )
        if permanent:
            admin.admin_set_user_password(UserPoolId=pool_id, Username=name, Password=PASSWORD, Permanent=True)
        return name

    return make


@pytest.fixture
def user(make_user: Callable[..., str]) -> str:
    return make_user()


@pytest.fixture
def totp_user(server: Server, admin: Any, user: str) -> tuple[str, Callable[[], str]]:
    """A user with an authenticator app, and what reads the app's next code: each is good once."""
    tokens = admin.admin_initiate_auth(
        UserPoolId=server.user_pool_id,
        ClientId=server.client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user, "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    secret = admin.associate_software_token(AccessToken=tokens["AccessToken"])["SecretCode"]
    admin.verify_software_token(AccessToken=tokens["AccessToken"], UserCode=totp(secret, time.time()))
    admin.set_user_mfa_preference(
        AccessToken=tokens["AccessToken"], SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
    )
    return user, lambda: totp(secret, time.time() + 30)


@pytest.fixture
def sms_user(server: Server, admin: Any, make_user: Callable[..., str]) -> tuple[str, str]:
    """A user who gets codes by SMS, and the number."""
    number = f"+1555{next(_numbers):07d}"
    user = make_user(phone_number=number, phone_number_verified="true")
    admin.admin_set_user_mfa_preference(
        UserPoolId=server.user_pool_id, Username=user, SMSMfaSettings={"Enabled": True, "PreferredMfa": True}
    )
    return user, number


@pytest.fixture
def run_here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command line in this process: the many refusals need no process each."""

    def run_here(*arguments: str, stdin: str = "", **settings: str) -> Result:
        for name in os.environ.keys() - environment().keys():
            monkeypatch.delenv(name)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        status = main(arguments)
        return Result(status, *capsys.readouterr())

    return run_here
