"""moto's mock_aws around the drop-in: botocore clients are made per object, and what it patches is what is asked."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Iterator
from importlib.resources import files
from typing import Any
from unittest import mock

import pytest

import srpcore
from srpcore import exceptions
from srpcore.utils import RequestsSrpAuth
from support.users import PASSWORD

boto3 = pytest.importorskip("boto3")
moto = pytest.importorskip("moto")
pytestmark = pytest.mark.counterpart

USERNAME = "bob@example.com"


@pytest.fixture
def mocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A pool of moto's with one user, and the botocore transport."""
    monkeypatch.setenv("SRPCORE_TRANSPORT", "botocore")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with moto.mock_aws(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = boto3.client("cognito-idp", region_name="us-east-1")
        pool_id = client.create_user_pool(PoolName="pool", UsernameAttributes=["email"])["UserPool"]["Id"]
        made = client.create_user_pool_client(UserPoolId=pool_id, ClientName="app")["UserPoolClient"]
        client.admin_create_user(UserPoolId=pool_id, Username=USERNAME, MessageAction="SUPPRESS")
        client.admin_set_user_password(UserPoolId=pool_id, Username=USERNAME, Password=PASSWORD, Permanent=True)
        yield pool_id, made["ClientId"]


def keys() -> bytes:
    """Return the key set that moto signs with, which newer versions have compressed."""
    folder = files("moto.cognitoidp") / "resources"
    packed = folder / "jwks-public.json.gz"
    return gzip.decompress(packed.read_bytes()) if packed.is_file() else (folder / "jwks-public.json").read_bytes()


def test_a_cognito_made_within_the_mock_asks_the_mock(mocked: tuple[str, str]) -> None:
    """Botocore clients are made per `Cognito` (moto patches them when they are made)."""
    user = srpcore.Cognito(*mocked, username=USERNAME)
    assert user.admin_get_user().email == USERNAME
    user.admin_update_profile({"given_name": "Bob"})
    assert [found.given_name for found in user.get_users()] == ["Bob"]
    with pytest.raises(user.client.exceptions.UserNotFoundException):
        srpcore.Cognito(*mocked, username="nobody").admin_get_user()


def test_a_group_and_a_registration(mocked: tuple[str, str]) -> None:
    user = srpcore.Cognito(*mocked)
    user.client.create_group(UserPoolId=mocked[0], GroupName="readers", Description="those who read")
    assert user.get_group("readers").description == "those who read"
    assert [group.group_name for group in user.get_groups()] == ["readers"]
    user.set_base_attributes(email="carol@example.com")
    assert user.register("carol@example.com", PASSWORD)["UserConfirmed"] is False
    user.admin_confirm_sign_up()
    user.admin_add_user_to_group("carol@example.com", "readers")
    assert user.admin_list_groups_for_user("carol@example.com") == ["readers"]


def test_the_auth_for_requests_logs_in_and_refreshes(mocked: tuple[str, str]) -> None:
    """The `Cognito` it makes fetches keys through requests: what intercepts requests sees it."""
    import requests
    import responses

    auth = RequestsSrpAuth(USERNAME, PASSWORD, mocked[0], "us-east-1", client_id=mocked[1])
    url = f"https://cognito-idp.us-east-1.amazonaws.com/{mocked[0]}/.well-known/jwks.json"
    with responses.RequestsMock() as there:
        there.get(url, body=keys())
        there.get("http://service.example/", body=b"yes")
        assert requests.get("http://service.example/", auth=auth, timeout=5).text == "yes"
        token = auth.cognito_client.access_token
        assert there.calls[-1].request.headers["Authorization"] == f"Bearer {token}"
        user = auth.cognito_client
        assert user.access_claims is not None
        expiry = user.access_claims["exp"]
        late = mock.patch.object(user, "_clock", return_value=expiry + 60)
        with late, mock.patch.object(user, "verify_token") as verify:
            requests.get("http://service.example/", auth=auth, timeout=5)
        assert [call.args[1:] for call in verify.call_args_list] == [("access_token", "access"), ("id_token", "id")]


def test_a_wrong_password_of_an_administrators_log_in(mocked: tuple[str, str]) -> None:
    user = srpcore.Cognito(*mocked, username=USERNAME)
    with pytest.raises(exceptions.NotAuthorizedException):
        user.admin_authenticate("Wrong-Horse-1")


def test_refresh_with_a_client_secret_works_without_get_tokens_from_refresh_token(mocked: tuple[str, str]) -> None:
    """moto has no such operation, and raises NotImplementedError in the program's process."""
    admin = srpcore.Cognito(*mocked).client
    app = admin.create_user_pool_client(UserPoolId=mocked[0], ClientName="b", GenerateSecret=True)["UserPoolClient"]
    user = srpcore.Cognito(mocked[0], app["ClientId"], username=USERNAME, client_secret=app["ClientSecret"])
    with mock.patch.object(user, "verify_token"):
        user.admin_authenticate(PASSWORD)
        user.renew_access_token()
    assert user.token_type == "Bearer"


def test_refresh_with_a_client_secret_works_on_moto_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto's server answers GetTokensFromRefreshToken with HTTP 500 and an HTML page."""
    from moto.server import ThreadedMotoServer

    monkeypatch.setenv("SRPCORE_TRANSPORT", "botocore")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        url = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
        keys: dict[str, Any] = {
            "access_key": "AKIDEXAMPLE",
            "secret_key": "a-secret-key-of-the-tests",
            "endpoint_url": url,
        }
        admin = srpcore.Cognito("us-east-1_any", "any", **keys).client
        pool_id = admin.create_user_pool(PoolName="pool")["UserPool"]["Id"]
        app = admin.create_user_pool_client(UserPoolId=pool_id, ClientName="b", GenerateSecret=True)["UserPoolClient"]
        admin.admin_create_user(UserPoolId=pool_id, Username="bob", MessageAction="SUPPRESS")
        admin.admin_set_user_password(UserPoolId=pool_id, Username="bob", Password=PASSWORD, Permanent=True)
        for transport in ("https", "botocore"):
            user = srpcore.Cognito(
                pool_id, app["ClientId"], username="bob", client_secret=app["ClientSecret"], transport=transport, **keys
            )
            with mock.patch.object(user, "verify_token"):
                user.admin_authenticate(PASSWORD)
                user.renew_access_token()
            assert user.token_type == "Bearer"
    finally:
        server.stop()
