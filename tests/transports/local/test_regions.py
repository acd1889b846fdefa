"""Pools of several regions in one server: the signature of a request decides for which region it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from srpcore import Cognito
from srpcore.service_client import ServiceClient
from srpcore_transports.local import LocalServer, LocalUserPool
from support.users import PASSWORD

from .client import KEYS

pytestmark = pytest.mark.slow

Connect = Callable[[str], Any]


@pytest.fixture
def pool() -> LocalUserPool:
    return LocalUserPool(credentials=KEYS)


@pytest.fixture
def server(pool: LocalUserPool) -> Any:
    with pool.serve() as server:
        yield server


@pytest.fixture
def connect(server: LocalServer) -> Any:
    clients = []

    def connect_to(region: str) -> Any:
        client = boto3.client(
            "cognito-idp",
            region_name=region,
            endpoint_url=server.url,
            aws_access_key_id=KEYS.access_key_id,
            aws_secret_access_key=KEYS.secret_access_key,
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )
        clients.append(client)
        return client

    yield connect_to
    for client in clients:
        client.close()


def ids(client: Any) -> list[str]:
    return [pool["Id"] for pool in client.list_user_pools(MaxResults=60)["UserPools"]]


def test_a_pool_is_made_in_the_region_of_the_signature_and_exists_only_there(
    pool: LocalUserPool, connect: Connect
) -> None:
    here, there = connect("us-east-1"), connect("eu-central-2")
    made = there.create_user_pool(PoolName="there")["UserPool"]
    assert made["Id"].startswith("eu-central-2_")
    assert made["Arn"].startswith("arn:aws:cognito-idp:eu-central-2:")
    assert ids(there) == [made["Id"]]
    assert ids(here) == [pool.user_pool_id]
    for client, pool_id in ((here, made["Id"]), (there, pool.user_pool_id)):
        with pytest.raises(ClientError, match=f"User pool {pool_id} does not exist."):
            client.describe_user_pool(UserPoolId=pool_id)
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            client.delete_user_pool(UserPoolId=pool_id)
    # A call in the same process has no region.
    assert ids(ServiceClient(pool, pool.region)) == [pool.user_pool_id, made["Id"]]


def test_users_of_all_regions_log_in(server: LocalServer, connect: Connect) -> None:
    for region in ("us-east-1", "ap-southeast-1"):
        client = connect(region)
        pool_id = client.create_user_pool(PoolName="p")["UserPool"]["Id"]
        made = client.create_user_pool_client(UserPoolId=pool_id, ClientName="c")["UserPoolClient"]
        client.admin_create_user(UserPoolId=pool_id, Username="alice", MessageAction="SUPPRESS")
        client.admin_set_user_password(UserPoolId=pool_id, Username="alice", Password=PASSWORD, Permanent=True)
        with Cognito(pool_id, made["ClientId"], username="alice", endpoint_url=server.url) as user:
            user.authenticate(PASSWORD)
