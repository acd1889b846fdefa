"""What programs' own tests do with boto3: patches, moto and stubs, and the pytest setting that makes them work."""

from __future__ import annotations

import asyncio
import base64
import datetime
import importlib
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import moto
import pytest
from botocore.stub import Stubber

import srpcore
import srpcore_transports
from srpcore import exceptions
from support.users import PASSWORD

pytestmark = pytest.mark.counterpart

POOL_ID = "us-east-1_123456789"
ROOTS = os.pathsep.join(str(Path(package.__path__[0]).parent) for package in (srpcore, srpcore_transports))


@pytest.fixture(autouse=True)
def _as_in_a_test_run_of_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRPCORE_TRANSPORT", "botocore")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


# The patches that programs use


def test_patch_of_boto3_client_replaces_the_client() -> None:
    with mock.patch("boto3.client") as client:
        user = srpcore.Cognito(POOL_ID, "app", username="bob")
        client.return_value.admin_get_user.return_value = {"Username": "bob", "UserAttributes": []}
        assert user.admin_get_user().username == "bob"
        proof = srpcore.AWSSRP("bob", "password", POOL_ID, "app")
    assert client.call_args_list[0].args == ("cognito-idp",)
    assert client.call_args_list[0].kwargs["region_name"] == "us-east-1"
    client.return_value.admin_get_user.assert_called_once_with(UserPoolId=POOL_ID, Username="bob")
    assert user.client is client.return_value
    assert proof.client is client.return_value


def test_patch_of_make_api_call_receives_every_operation() -> None:
    answers: dict[str, dict[str, Any]] = {
        "AdminGetUser": {"Username": "bob", "UserAttributes": [{"Name": "email", "Value": "bob@example.com"}]},
        "ForgotPassword": {"CodeDeliveryDetails": {"Destination": "b***"}},
    }

    def call(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        calls.append(operation)
        return answers[operation]

    calls: list[str] = []
    with mock.patch("botocore.client.BaseClient._make_api_call", call):
        user = srpcore.Cognito(POOL_ID, "app", username="bob")
        assert user.admin_get_user().email == "bob@example.com"
        user.initiate_forgot_password()

        async def steps() -> str:
            async with srpcore.AsyncCognito(POOL_ID, "app", username="bob") as there:
                return str((await there.admin_get_user()).email)

        assert asyncio.run(steps()) == "bob@example.com"
    assert calls == ["AdminGetUser", "ForgotPassword", "AdminGetUser"]


def test_make_api_call_can_raise_botocores_error() -> None:
    from botocore.exceptions import ClientError

    refusal = ClientError({"Error": {"Code": "NotAuthorizedException", "Message": "no"}}, "AdminGetUser")
    with mock.patch("botocore.client.BaseClient._make_api_call", side_effect=refusal):
        user = srpcore.Cognito(POOL_ID, "app", username="bob")
        with pytest.raises(exceptions.NotAuthorizedException):
            user.admin_get_user()
        with pytest.raises(user.client.exceptions.ClientError, match=r"\(NotAuthorizedException\) when calling"):
            user.admin_get_user()


LIBRARIES = ["srpcore", "pycognito"]

OPERATIONS: dict[str, Callable[[Any], object]] = {
    "logout": lambda user: user.logout(),
    "initiate_forgot_password": lambda user: user.initiate_forgot_password(),
    "register": lambda user: user.register("bob", "password"),
    "confirm_sign_up": lambda user: user.confirm_sign_up("123456", "bob"),
    "update_profile": lambda user: user.update_profile({"name": "Bob"}),
    "delete_user": lambda user: user.delete_user(),
    "change_password": lambda user: user.change_password("old", "new"),
    "get_user": lambda user: user.get_user(),
    "get_group": lambda user: user.get_group("readers"),
    "admin_get_user": lambda user: user.admin_get_user(),
    "admin_list_groups_for_user": lambda user: user.admin_list_groups_for_user("bob"),
    "associate_software_token": lambda user: user.associate_software_token(),
    "verify_software_token": lambda user: user.verify_software_token("123456"),
}


def logged_in(library: str) -> Any:
    tokens = {"access_token": token(exp=32503680000), "id_token": "id", "refresh_token": "refresh"}
    return importlib.import_module(library).Cognito(POOL_ID, "app", username="bob", **tokens)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_mock_that_is_not_configured_succeeds(operation: str, library: str) -> None:
    with mock.patch("boto3.client"):
        OPERATIONS[operation](logged_in(library))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("result", [None, {}, {"ResponseMetadata": {"HTTPStatusCode": 200}}], ids=str)
def test_a_small_fake_client_succeeds(result: Any, library: str) -> None:
    fake = type("Fake", (), {"forgot_password": lambda self, **_: result})
    with mock.patch("boto3.client", return_value=fake()):
        logged_in(library).initiate_forgot_password()


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "response",
    [{}, {"ResponseMetadata": {}}, *({"Error": {"Code": code}} for code in ("404", 404, None))],
    ids=str,
)
def test_a_client_error_with_any_response_reaches_the_caller(response: Any, operation: str, library: str) -> None:
    from botocore.exceptions import ClientError

    def refuse(client: Any, name: str, parameters: Any) -> None:
        raise ClientError(response, name)

    with mock.patch("botocore.client.BaseClient._make_api_call", refuse):
        user = logged_in(library)
        with pytest.raises(ClientError) as caught:
            OPERATIONS[operation](user)
    assert library == "pycognito" or isinstance(caught.value, exceptions.ServiceError)
    assert getattr(user, "password", None) is None


def made_by_moto() -> tuple[str, str]:
    """Return the ids of a pool and an app client of moto's, with the user bob@example.com."""
    client = boto3.client("cognito-idp")
    pool_id = client.create_user_pool(PoolName="pool", UsernameAttributes=["email"])["UserPool"]["Id"]
    app = client.create_user_pool_client(UserPoolId=pool_id, ClientName="app")["UserPoolClient"]["ClientId"]
    client.admin_create_user(UserPoolId=pool_id, Username="bob@example.com", MessageAction="SUPPRESS")
    client.admin_set_user_password(UserPoolId=pool_id, Username="bob@example.com", Password=PASSWORD, Permanent=True)
    return pool_id, app


def test_mock_aws_answers_the_log_in_and_the_fetch_of_keys() -> None:
    with moto.mock_aws(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ids = made_by_moto()
        user = srpcore.Cognito(*ids, username="bob@example.com")
        user.authenticate(PASSWORD)
        user.verify_tokens()
        assert user.access_claims is not None
        assert user.access_claims["iss"] == f"https://cognito-idp.us-east-1.amazonaws.com/{ids[0]}"
        before = user.access_token
        user.renew_access_token()
        assert user.access_token != before

        async def steps() -> None:
            async with srpcore.AsyncCognito(*ids, username="bob@example.com") as there:
                await there.authenticate(PASSWORD)
                assert there.access_claims is not None

        asyncio.run(steps())


# pycognito's own tests, by what they show


def token(**claims: Any) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts), "c2ln"])


def test_users_and_groups_are_made_of_plain_data() -> None:
    cognito = srpcore.Cognito(POOL_ID, "app", username="bob")
    attributes = [{"Name": "name", "Value": "Bob"}, {"Name": "birthdate", "Value": "12/7/1980"}]
    user = srpcore.UserObj("bob", attributes, cognito, {"user_status": "CONFIRMED", "username": "bob"})
    group = srpcore.GroupObj(group_data={"GroupName": "readers", "Precedence": 1}, cognito_obj=cognito)
    assert (user.username, user.name, user.user_status) == ("bob", "Bob", "CONFIRMED")
    assert (group.group_name, group.precedence) == ("readers", 1)


def test_a_token_far_in_the_future_is_not_expired() -> None:
    user = srpcore.Cognito(POOL_ID, "app", username="bob")
    user.access_token = token(sub="1234567890", exp=32503680000)
    assert user.check_token() is False


def test_a_replaced_verification_can_refuse_a_token() -> None:
    def verify(self: Any, value: str, id_name: str, token_use: str) -> None:
        if "wrong" in value:
            raise srpcore.TokenVerificationException
        setattr(self, id_name, value)

    tokens = {"TokenType": "admin", "IdToken": "id", "AccessToken": "access", "RefreshToken": "refresh"}
    reply = {"AuthenticationResult": tokens}
    with (
        mock.patch("srpcore.Cognito.verify_token", verify),
        mock.patch("srpcore.aws_srp.AWSSRP.authenticate_user", return_value=reply),
    ):
        user = srpcore.Cognito(POOL_ID, "app", username="bob")
        user.authenticate("password")
        assert (user.access_token, user.id_token, user.refresh_token) == ("access", "id", "refresh")
        with pytest.raises(srpcore.TokenVerificationException):
            user.verify_token("access-wrong", "access_token", "access")


def test_attributes_are_set_from_a_plain_reply() -> None:
    user = srpcore.Cognito(POOL_ID, "app")
    user._set_attributes({"ResponseMetadata": {"HTTPStatusCode": 200}}, {"somerandom": "attribute"})
    assert vars(user)["somerandom"] == "attribute"


def test_an_awssrp_with_replaced_helpers_sends_what_a_stub_expects() -> None:
    proof = srpcore.AWSSRP(
        username="bob", password="password", pool_region="us-east-1", pool_id=POOL_ID, client_id="app"
    )
    parameters = {"USERNAME": "bob", "SRP_A": "srp"}
    tokens = {"IdToken": "id", "AccessToken": "access", "RefreshToken": "refresh"}
    with (
        mock.patch("srpcore.aws_srp.AWSSRP.get_auth_params", return_value=parameters),
        mock.patch("srpcore.aws_srp.AWSSRP.process_challenge", return_value={}),
        Stubber(proof.client) as stub,
    ):
        stub.add_response(
            "initiate_auth",
            {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": {}},
            {"AuthFlow": "USER_SRP_AUTH", "AuthParameters": parameters, "ClientId": "app"},
        )
        stub.add_response(
            "respond_to_auth_challenge",
            {"AuthenticationResult": tokens},
            {"ClientId": "app", "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": {}},
        )
        assert proof.authenticate_user()["AuthenticationResult"] == tokens
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("moment", "formatted"),
    [
        ("2022-01-01T00:00:00", "Sat Jan 1 00:00:00 UTC 2022"),
        ("2022-01-02T12:00:00", "Sun Jan 2 12:00:00 UTC 2022"),
        ("2022-12-31T23:59:59", "Sat Dec 31 23:59:59 UTC 2022"),
    ],
)
def test_the_timestamp_has_cognitos_form(moment: str, formatted: str) -> None:
    proof = srpcore.AWSSRP("bob", "password", POOL_ID, "app")
    assert proof.get_cognito_formatted_timestamp(datetime.datetime.fromisoformat(moment)) == formatted


# The pytest plugin


TESTS = """
import os
import srpcore
from srpcore_transports.botocore import BotocoreTransport

AT_IMPORT = os.environ.get("SRPCORE_TRANSPORT")

def made():
    return type(srpcore.Cognito("us-east-1_123456789", "app")._transport).__name__

def test_at_import():
    print("at import:", AT_IMPORT, made())

def test_with_the_fixture(srpcore_botocore):
    print("fixture:", made())
"""


def run_pytest(folder: Path, setting: str | None, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\n{setting or ''}\n", encoding="utf-8")
    plugin = ["-p", "srpcore_transports.pytest_plugin", "-p", "no:cacheprovider", "-s", "-q"]
    inherited = {name: value for name, value in os.environ.items() if name != "SRPCORE_TRANSPORT"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, str(folder)],
        env={**inherited, "PYTHONPATH": ROOTS, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "environment", "at_import"),
    [
        ("srpcore_transport = botocore", {}, "botocore BotocoreTransport"),
        (None, {}, "None HttpsTransport"),
        ("srpcore_transport = botocore", {"SRPCORE_TRANSPORT": "https"}, "https HttpsTransport"),
        ('srpcore_transport = "botocore"', {}, "botocore BotocoreTransport"),
    ],
)
def test_the_setting_and_the_fixture_choose_the_transport(
    tmp_path: Path, setting: str | None, environment: dict[str, str], at_import: str
) -> None:
    ended = run_pytest(tmp_path, setting, **environment)
    assert ended.returncode == 0, ended.stdout
    assert f"at import: {at_import}\n" in ended.stdout
    assert "fixture: BotocoreTransport\n" in ended.stdout


@pytest.mark.slow
def test_an_unknown_name_in_the_setting_is_refused(tmp_path: Path) -> None:
    ended = run_pytest(tmp_path, "srpcore_transport = boto")
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert "srpcore_transport is 'boto': use https, httpx, botocore" in ended.stderr


def test_the_setting_ends_with_the_test_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from srpcore_transports import pytest_plugin

    monkeypatch.delenv("SRPCORE_TRANSPORT")
    config = mock.Mock(stash=pytest.Stash(), getini=lambda name: "botocore")
    pytest_plugin.pytest_configure(config)
    assert os.environ["SRPCORE_TRANSPORT"] == "botocore"
    pytest_plugin.pytest_unconfigure(config)
    assert "SRPCORE_TRANSPORT" not in os.environ


# Names that pycognito has because it imports other packages


def test_srpcore_boto3_is_boto3_and_can_be_replaced() -> None:
    assert vars(srpcore).get("boto3") is None
    assert srpcore.__getattr__("boto3") is boto3
    with mock.patch("srpcore.boto3") as double:
        user = srpcore.Cognito(POOL_ID, "app", username="bob")
        assert user.client is double.client.return_value
    with mock.patch("srpcore.boto3.client") as client:
        assert srpcore.Cognito(POOL_ID, "app").client is client.return_value
    assert srpcore.__getattr__("boto3") is boto3


PROGRAM = """
import sys
sys.modules["boto3"] = None
import srpcore
print(hasattr(srpcore, "boto3"))
{first}
from srpcore.utils import RequestsSrpAuth
class Own(RequestsSrpAuth):
    pass
import requests.auth
auth = Own("alice", "password", "us-east-1_123456789", "us-east-1", "app")
print(isinstance(auth, requests.auth.AuthBase), issubclass(RequestsSrpAuth, requests.auth.AuthBase))
"""


@pytest.mark.slow
@pytest.mark.parametrize("first", ["", "import requests"])
def test_the_auth_for_requests_is_an_auth_base_while_requests_is_loaded(first: str) -> None:
    environment = {**os.environ, "PYTHONPATH": ROOTS, "SRPCORE_TRANSPORT": "https"}
    command = [sys.executable, "-c", PROGRAM.format(first=first)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout == "False\nTrue True\n"


def test_a_class_with_both_bases_works_in_either_order() -> None:
    from requests.auth import AuthBase

    from srpcore.utils import RequestsSrpAuth

    own = type("Own", (RequestsSrpAuth, AuthBase), {})
    auth = own("alice", "password", POOL_ID, "us-east-1", "app")
    assert isinstance(auth, AuthBase)
