"""Pages of an operation, side by side with botocore's paginators over the same pool."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

import srpcore
from srpcore.exceptions import ConfigurationError
from srpcore.protocol import Operation
from srpcore_transports.https import HttpsTransport
from srpcore_transports.local import LocalUserPool

USERS = [f"user{number}" for number in range(7)]


@pytest.fixture(scope="module")
def clients() -> Iterator[tuple[Any, Any, str]]:
    """Yield our client, botocore's, and the id of the pool that both reach."""
    from srpcore_transports.credentials import Credentials

    keys = Credentials("AKIDLOCAL", "secret-of-the-test")
    with LocalUserPool(credentials=keys) as pool, pool.serve() as server:
        for name in USERS:
            pool.call(Operation("AdminCreateUser", {"UserPoolId": pool.user_pool_id, "Username": name}))
        boto = boto3.client(
            "cognito-idp",
            "us-east-1",
            endpoint_url=server.url,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
        )
        ours = srpcore.Cognito(pool.user_pool_id, pool.client_id, transport=pool).client
        yield ours, boto, pool.user_pool_id
        boto.close()


def names(pages: Any) -> list[list[str]]:
    return [[user["Username"] for user in page["Users"]] for page in pages]


@pytest.mark.parametrize("size", [None, 2, "3", 7, 60])
@pytest.mark.parametrize("limit", [None, 0, 1, 2, 3, "4", 6, 7, 8])
def test_pages_are_cut_and_continued_as_by_botocore(clients: tuple[Any, Any, str], size: Any, limit: Any) -> None:
    config = {"PageSize": size, "MaxItems": limit}
    results = []
    for client in clients[:2]:
        paginator = client.get_paginator("list_users")
        pages = paginator.paginate(UserPoolId=clients[2], PaginationConfig=config)
        first = names(pages)
        seen = [first, pages.resume_token is None]
        token = pages.resume_token
        while token is not None and limit != 0 and len(seen) < 20:
            pages = paginator.paginate(UserPoolId=clients[2], PaginationConfig={**config, "StartingToken": token})
            seen.append(names(pages))
            token = pages.resume_token
        results.append(seen)
    assert results[0] == results[1]


def test_a_token_of_botocore_continues_here_and_the_other_way_round(clients: tuple[Any, Any, str]) -> None:
    for first, second in (clients[:2], clients[1::-1]):
        config = {"PageSize": 3, "MaxItems": 4}
        token = (
            first.get_paginator("list_users")
            .paginate(UserPoolId=clients[2], PaginationConfig=config)
            .build_full_result()["NextToken"]
        )
        config = {"StartingToken": token}
        rest = second.get_paginator("list_users").paginate(UserPoolId=clients[2], PaginationConfig=config)
        assert len(rest.build_full_result()["Users"]) == 3


def test_the_full_result_is_botocores(clients: tuple[Any, Any, str]) -> None:
    for config in ({}, {"PageSize": 2}, {"PageSize": 2, "MaxItems": 4}):
        ours, botocores = (
            client.get_paginator("list_users")
            .paginate(UserPoolId=clients[2], PaginationConfig=config)
            .build_full_result()
            for client in clients[:2]
        )
        assert ours.keys() == botocores.keys()
        assert ours["Users"] == botocores["Users"]


@pytest.mark.parametrize("expression", ["Users[].Username", "Users[?Enabled].Username", "length(Users)", "Nothing"])
def test_search_finds_what_botocores_finds(clients: tuple[Any, Any, str], expression: str) -> None:
    ours, botocores = (
        list(
            client.get_paginator("list_users")
            .paginate(UserPoolId=clients[2], PaginationConfig={"PageSize": 3})
            .search(expression)
        )
        for client in clients[:2]
    )
    assert ours == botocores
    assert ours


def test_results_can_be_iterated_over_without_pages(clients: tuple[Any, Any, str]) -> None:
    ours, botocores = (
        [
            user["Username"]
            for users in client.get_paginator("list_users").paginate(UserPoolId=clients[2]).result_key_iters()
            for user in users
        ]
        for client in clients[:2]
    )
    assert ours == botocores


def test_a_token_of_the_service_begins_the_pages_too(clients: tuple[Any, Any, str]) -> None:
    ours, boto, pool_id = clients
    token = ours.list_users(UserPoolId=pool_id, Limit=5)["PaginationToken"]
    for client in (ours, boto):
        config = {"StartingToken": token}
        assert (
            sum(
                map(
                    len, names(client.get_paginator("list_users").paginate(UserPoolId=pool_id, PaginationConfig=config))
                )
            )
            == 2
        )


@pytest.mark.parametrize(
    "text", ["e30=", b64encode(b"[1]").decode(), b64encode(json.dumps({"Other": "x"}).encode()).decode()]
)
def test_a_starting_token_of_another_form_is_sent_to_the_service(clients: tuple[Any, Any, str], text: str) -> None:
    with pytest.raises(srpcore.ServiceError):
        list(
            clients[0]
            .get_paginator("list_users")
            .paginate(UserPoolId=clients[2], PaginationConfig={"StartingToken": text})
        )


def test_a_page_size_that_the_operation_does_not_have_is_refused(clients: tuple[Any, Any, str]) -> None:
    with pytest.raises(srpcore.ConfigurationError, match="PageSize is not supported by this operation"):
        clients[0].get_paginator("list_user_sessions").paginate(PaginationConfig={"PageSize": 1})


def test_pages_can_be_iterated_over_again(clients: tuple[Any, Any, str]) -> None:
    pages = clients[0].get_paginator("list_users").paginate(UserPoolId=clients[2], PaginationConfig={"PageSize": 3})
    assert names(pages) == names(pages)


# client.meta


def test_meta_has_botocores_service_model_and_the_methods(clients: tuple[Any, Any, str]) -> None:
    ours, boto, _ = clients
    assert ours.meta.service_model.operation_names == boto.meta.service_model.operation_names
    assert ours.meta.method_to_api_mapping["list_users"] == boto.meta.method_to_api_mapping["list_users"]


def test_meta_names_the_endpoint() -> None:
    ids = "eu-west-1_AbCd12345", "client"
    aws, other = "https://cognito-idp.eu-west-1.amazonaws.com", "https://emulator.example"
    fips = HttpsTransport("eu-west-1", use_fips=True)
    assert srpcore.Cognito(*ids).client.meta.endpoint_url == aws
    assert srpcore.Cognito(*ids, transport=fips).client.meta.endpoint_url == fips.endpoint_url
    assert srpcore.Cognito(*ids, endpoint_url=other).client.meta.endpoint_url == other
    assert srpcore.Cognito(*ids, transport=LocalUserPool()).client.meta.endpoint_url == aws
    assert srpcore.AsyncCognito(*ids).client.meta.endpoint_url == aws
    user = srpcore.AsyncCognito(*ids, endpoint_url=other)
    assert user.client.meta.endpoint_url == other
    asyncio.run(user.close())


def test_without_botocore_meta_has_no_service_model_and_search_names_what_is_missing() -> None:
    program = """
import sys
sys.modules["botocore"] = sys.modules["jmespath"] = None
import srpcore
client = srpcore.Cognito("eu-west-1_AbCd12345", "client").client
assert not hasattr(client.meta, "service_model")
try:
    list(client.get_paginator("list_users").paginate(UserPoolId="x").search("Users"))
except srpcore.ConfigurationError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout == "jmespath is not installed: pip install 'srpcore[botocore]'\n"


@pytest.mark.parametrize("name", ["MaxItems", "PageSize"])
def test_a_limit_that_is_not_a_whole_number_is_a_configuration_error(clients: tuple[Any, Any, str], name: str) -> None:
    paginator = clients[0].get_paginator("list_users")
    with pytest.raises(ConfigurationError, match=f"{name} must be a whole number, not 'x'"):
        paginator.paginate(UserPoolId=clients[2], PaginationConfig={name: "x"})


def test_a_second_iteration_resets_the_resume_token(clients: tuple[Any, Any, str]) -> None:
    pages = (
        clients[0]
        .get_paginator("list_users")
        .paginate(UserPoolId=clients[2], PaginationConfig={"PageSize": 2, "MaxItems": 3})
    )
    assert pages.resume_token is None
    list(pages)
    assert pages.resume_token is not None
    next(iter(pages))
    assert pages.resume_token is None
