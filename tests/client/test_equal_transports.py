"""The same calls over every transport give equal results, field by field: only the request's own traces differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from srpcore import exceptions
from srpcore_transports.botocore import BotocoreTransport
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import HttpxTransport
from support.users import PASSWORD
from support.world import KINDS, World


def of_request(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with what every answer has of its own taken out of ResponseMetadata."""
    metadata = document.get("ResponseMetadata", {})
    assert metadata["HTTPStatusCode"] in (200, 400)
    assert metadata["RequestId"]
    return {key: value for key, value in document.items() if key != "ResponseMetadata"}


def test_results_are_equal_over_all_transports(make_world: Callable[..., World]) -> None:
    world = make_world(kind="https", remember_devices=True)
    world.create("alice", email="alice@example.com", email_verified="true")
    world.create("bob", permanent=False)
    user = world.user()
    user.authenticate(PASSWORD)
    device = user.confirm_device("laptop")
    pool = {"UserPoolId": world.pool.user_pool_id}
    alice, token = {**pool, "Username": "alice"}, {"AccessToken": user.access_token}
    client = user.client
    client.create_group(**pool, GroupName="staff", Description="all of us", Precedence=1)
    user.admin_add_user_to_group("alice", "staff")
    details = {"client_id": "x", "client_secret": "y", "authorize_scopes": "email"}
    user.admin_create_identity_provider(world.pool.user_pool_id, "Google", "Google", details)
    asked: list[tuple[str, dict[str, Any]]] = [
        ("get_user", token),
        ("admin_get_user", alice),
        ("list_users", pool),
        ("list_users", {**pool, "Limit": 1}),
        ("list_users", {**pool, "Filter": 'username = "alice"', "AttributesToGet": ["email"]}),
        ("get_group", {**pool, "GroupName": "staff"}),
        ("list_groups", pool),
        ("list_users_in_group", {**pool, "GroupName": "staff"}),
        ("admin_list_groups_for_user", alice),
        ("list_devices", token),
        ("get_device", {**token, "DeviceKey": device.key}),
        ("admin_list_devices", alice),
        ("list_user_sessions", token),
        ("admin_list_user_sessions", alice),
        ("get_user_auth_factors", token),
        ("list_web_authn_credentials", token),
        ("describe_user_pool", pool),
        ("list_user_pools", {"MaxResults": 10}),
        ("get_user_pool_mfa_config", pool),
        ("describe_user_pool_client", {**pool, "ClientId": world.pool.client_id}),
        ("list_user_pool_clients", pool),
        ("describe_identity_provider", {**pool, "ProviderName": "Google"}),
        ("list_identity_providers", pool),
        # Errors are results, too.
        ("admin_get_user", {**pool, "Username": "nobody"}),
        ("get_group", {**pool, "GroupName": "nothing"}),
        ("get_user", {"AccessToken": "no token"}),
        ("describe_identity_provider", {**pool, "ProviderName": "nothing"}),
    ]
    others = [world.transport_of(kind) for kind in KINDS]
    assert [type(other) for other in others[1:]] == [HttpsTransport, BotocoreTransport, HttpxTransport]
    clients = [world.user(transport=other).client for other in others]
    for name, parameters in asked:
        results = []
        for asking in clients:
            try:
                results.append(of_request(getattr(asking, name)(**parameters)))
            except exceptions.ServiceError as error:
                results.append(of_request(error.response))
            except Exception as error:  # noqa: BLE001 - botocore's own client raises botocore's own error
                response: dict[str, Any] = getattr(error, "response", {})
                results.append(of_request(response))
        assert results[0] == results[1] == results[2], name
    for other in others[1:]:
        other.close()


@pytest.mark.parametrize("method", ["get_user", "admin_get_user", "get_users", "get_groups"])
def test_objects_are_equal_over_all_transports(make_world: Callable[..., World], method: str) -> None:
    world = make_world(kind="https")
    world.create("alice", email="alice@example.com")
    user = world.user()
    user.authenticate(PASSWORD)
    user.client.create_group(UserPoolId=world.pool.user_pool_id, GroupName="staff")
    results = []
    for kind in KINDS:
        transport = world.transport_of(kind)
        found = getattr(world.user(transport=transport, access_token=user.access_token), method)()
        results.append([shown(item) for item in (found if isinstance(found, list) else [found])])
        if kind != "in process":
            transport.close()
    assert results[0] == results[1] == results[2]
    assert results[0]


def shown(item: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(item).items() if name != "_cognito"}
