"""The same stories against the embedded pool, ministack and moto, over every transport, and equal results from each.

ministack's and moto's halves are nobody's here. What moto does not support it is not asked: it takes any password at
SRP's second step, has no GetTokensFromRefreshToken, and its RevokeToken answers 500.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import srpcore
from counterparts import ministack, moto
from srpcore import exceptions
from srpcore.crypto.totp import totp
from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalUserPool
from support.users import PASSWORD

pytestmark = pytest.mark.counterpart


@dataclass
class Client:
    """An app client of a pool in one of the servers."""

    server: str
    url: str
    admin: Any
    pool_id: str
    client_id: str
    client_secret: str | None
    transport: Any
    code_ahead: int
    """Seconds ahead of now whose code of an authenticator app is good: the embedded pool takes each code once."""

    def user(self, username: str, **arguments: Any) -> srpcore.Cognito:
        return srpcore.Cognito(
            self.pool_id,
            self.client_id,
            username=username,
            client_secret=self.client_secret,
            endpoint_url=self.url,
            transport=self.transport,
            access_key="test",
            secret_key="test",
            **arguments,
        )

    def create(self, username: str, *, permanent: bool = True) -> str:
        self.admin.admin_create_user(
            UserPoolId=self.pool_id, Username=username, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
        )
        if permanent:
            self.admin.admin_set_user_password(
                UserPoolId=self.pool_id, Username=username, Password=PASSWORD, Permanent=True
            )
        return username


TRANSPORTS = ("https", "botocore")
LOCAL = [("local", transport, secret) for transport in ("in process", *TRANSPORTS) for secret in (False, True)]
MINISTACK = [("ministack", transport, secret) for transport in TRANSPORTS for secret in (False, True)]
MOTO = [("moto", transport, False) for transport in TRANSPORTS]


def named(param: tuple[str, str, bool]) -> str:
    return f"{param[0]}, {param[1]}, {'confidential' if param[2] else 'public'}"


everywhere = pytest.mark.parametrize("client", LOCAL + MINISTACK + MOTO, ids=named, indirect=True)
but_not_moto = pytest.mark.parametrize("client", LOCAL + MINISTACK, ids=named, indirect=True)


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[str], Any]]:
    """Start each server when it is first asked for; yield what says where it is."""
    with contextlib.ExitStack() as stack:
        started: dict[str, Any] = {}

        def server(name: str) -> Any:
            if name not in started:
                if name == "local":
                    pool = stack.enter_context(LocalUserPool(credentials=Credentials("test", "test")))
                    started[name] = (stack.enter_context(pool.serve()).url, pool)
                else:
                    run = ministack.running if name == "ministack" else moto.running
                    started[name] = (stack.enter_context(run()), None)
            return started[name]

        yield server


@pytest.fixture
def client(request: pytest.FixtureRequest, servers: Callable[[str], Any]) -> Iterator[Client]:
    name, transport, secret = request.param
    url, pool = servers(name)
    admin = ministack.admin(url)
    pool_id = admin.create_user_pool(PoolName="srpcore")["UserPool"]["Id"]
    admin.set_user_pool_mfa_config(
        UserPoolId=pool_id, MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True}
    )
    made = admin.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="srpcore",
        GenerateSecret=secret,
        ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"],
    )["UserPoolClient"]
    over = pool if transport == "in process" else transport
    yield Client(
        name, url, admin, pool_id, made["ClientId"], made.get("ClientSecret"), over, 30 if name == "local" else 0
    )
    admin.close()


@everywhere
def test_log_in_and_verified_tokens(client: Client) -> None:
    with client.user(client.create("alice")) as user:
        user.authenticate(PASSWORD)
        assert user.access_claims is not None
        assert user.access_claims["username"] == "alice"
        assert user.client.get_user(AccessToken=user.access_token)["Username"] == "alice"


@but_not_moto
def test_wrong_password_is_refused_and_sets_nothing(client: Client) -> None:
    with client.user(client.create("bob")) as user:
        with pytest.raises(exceptions.NotAuthorizedException) as caught:
            user.authenticate(PASSWORD + "x")
        assert PASSWORD not in repr(caught.value)
        assert (user.access_token, user.id_token, user.refresh_token) == (None, None, None)


@but_not_moto
def test_new_password(client: Client) -> None:
    with client.user(client.create("carol", permanent=False)) as user:
        with pytest.raises(exceptions.ForceChangePasswordException):
            user.authenticate(PASSWORD)
        user.new_password_challenge(PASSWORD, "Another-Horse-2")
        user.verify_tokens()
        user.authenticate("Another-Horse-2")
        with pytest.raises(exceptions.NotAuthorizedException):
            user.authenticate(PASSWORD)


@but_not_moto
def test_totp(client: Client) -> None:
    with client.user(client.create("dave")) as user:
        user.authenticate(PASSWORD)
        secret = user.associate_software_token()
        assert user.verify_software_token(totp(secret, time.time()))
        user.set_user_mfa_preference(False, True, "SOFTWARE_TOKEN")
        with pytest.raises(exceptions.SoftwareTokenMFAChallengeException) as caught:
            user.authenticate(PASSWORD)
    with client.user("dave") as elsewhere:
        code = totp(secret, time.time() + client.code_ahead)
        with pytest.raises(exceptions.CodeMismatchException):
            elsewhere.respond_to_software_token_mfa_challenge(
                f"{(int(code) + 1) % 10**6:06d}", caught.value.get_tokens()
            )
        with pytest.raises(exceptions.SoftwareTokenMFAChallengeException) as again:
            elsewhere.authenticate(PASSWORD)
        elsewhere.respond_to_software_token_mfa_challenge(
            totp(secret, time.time() + client.code_ahead), again.value.get_tokens()
        )
        elsewhere.verify_tokens()


@but_not_moto
def test_refresh_and_logout(client: Client) -> None:
    with client.user(client.create("erin")) as user:
        user.authenticate(PASSWORD)
        before = user.access_token
        if client.server == "ministack":
            time.sleep(1.1)  # it makes equal tokens within one second
        user.renew_access_token()
        assert user.access_token != before
        user.verify_tokens()
        user.logout()
        assert user.access_token is None


@but_not_moto
def test_revoked_refresh_token_is_refused(client: Client) -> None:
    with client.user(client.create("frank")) as user:
        user.authenticate(PASSWORD)
        refresh_token = user.refresh_token
        user.revoke_token()
        assert user.refresh_token is None
        user.refresh_token = refresh_token
        with pytest.raises(exceptions.NotAuthorizedException):
            user.renew_access_token()


@everywhere
def test_administration(client: Client) -> None:
    with client.user(client.create("grace")) as user:
        user.admin_update_profile({"name": "Grace"})
        assert user.admin_get_user().name == "Grace"
        assert "grace" in {found.username for found in user.get_users()}
        assert "grace" in {found.username for found in user.iter_users(filter='username = "grace"')}
        user.client.create_group(UserPoolId=client.pool_id, GroupName="staff")
        user.admin_add_user_to_group("grace", "staff")
        assert user.admin_list_groups_for_user("grace") == ["staff"]
        assert [group.group_name for group in user.get_groups()] == ["staff"]
        user.admin_remove_user_from_group("grace", "staff")
        assert user.admin_list_groups_for_user("grace") == []
        user.admin_disable_user("grace")
        with pytest.raises(exceptions.ServiceError):
            user.authenticate(PASSWORD)
        user.admin_enable_user("grace")
        user.authenticate(PASSWORD)
        user.admin_delete_user()
        with pytest.raises(exceptions.UserNotFoundException):
            user.admin_get_user()
        user.client.delete_group(UserPoolId=client.pool_id, GroupName="staff")


@but_not_moto
def test_profile_and_passwords(client: Client) -> None:
    with client.user(client.create("heidi")) as user:
        user.authenticate(PASSWORD)
        user.update_profile({"name": "Heidi"})
        assert user.get_user().name == "Heidi"
        user.change_password(PASSWORD, "Another-Horse-2")
        with pytest.raises(exceptions.NotAuthorizedException):
            user.authenticate(PASSWORD)
        user.authenticate("Another-Horse-2")
        user.delete_user()


@but_not_moto
def test_log_in_by_an_administrator(client: Client) -> None:
    with client.user(client.create("ivan")) as user:
        with pytest.raises(exceptions.NotAuthorizedException):
            user.admin_authenticate("wrong")
        assert user.sign_in(PASSWORD, auth_flow="ADMIN_USER_PASSWORD_AUTH").done
        user.verify_tokens()


@pytest.mark.parametrize("name", ["local", "ministack", "moto"])
def test_results_of_the_transports_are_equal(servers: Callable[[str], Any], name: str) -> None:
    url, _ = servers(name)
    admin = ministack.admin(url)
    pool_id = admin.create_user_pool(PoolName="srpcore")["UserPool"]["Id"]
    client_id = admin.create_user_pool_client(UserPoolId=pool_id, ClientName="c")["UserPoolClient"]["ClientId"]
    of_pool = {"UserPoolId": pool_id}
    admin.create_group(**of_pool, GroupName="staff", Description="all of us")
    email = [{"Name": "email", "Value": "alice@example.com"}]
    admin.admin_create_user(**of_pool, Username="alice", UserAttributes=email, MessageAction="SUPPRESS")
    admin.admin_add_user_to_group(**of_pool, Username="alice", GroupName="staff")
    admin.close()
    asked: list[tuple[str, dict[str, Any]]] = [
        ("admin_get_user", {**of_pool, "Username": "alice"}),
        ("admin_get_user", {**of_pool, "Username": "nobody"}),
        ("list_users", of_pool),
        ("list_groups", of_pool),
        ("get_group", {**of_pool, "GroupName": "staff"}),
        ("list_users_in_group", {**of_pool, "GroupName": "staff"}),
        ("admin_list_groups_for_user", {**of_pool, "Username": "alice"}),
        ("describe_user_pool_client", {**of_pool, "ClientId": client_id}),
        ("list_user_pool_clients", {**of_pool, "MaxResults": 10}),
    ]
    results: list[list[dict[str, Any]]] = []
    for transport in TRANSPORTS:
        with srpcore.Cognito(
            pool_id, client_id, endpoint_url=url, transport=transport, access_key="test", secret_key="test"
        ) as user:
            results.append([answer_of(user, method, parameters) for method, parameters in asked])
    for (method, _), over_https, over_botocore in zip(asked, *results, strict=True):
        assert over_https == over_botocore, method


def answer_of(user: srpcore.Cognito, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
    try:
        document: dict[str, Any] = getattr(user.client, method)(**parameters)
    except Exception as error:  # noqa: BLE001 - botocore's own client raises botocore's own error
        document = vars(error)["response"]
    return {name: value for name, value in document.items() if name != "ResponseMetadata"}
