"""Rotate the secrets of an app client: two are valid at a time. boto3 is the client."""

from __future__ import annotations

from typing import Any

import pytest

from support.users import PASSWORD

from .client import Client, refused

pytestmark = pytest.mark.counterpart


@pytest.fixture
def client(make: Any) -> Client:
    client: Client = make(client_secret=True)
    client.user()
    return client


@pytest.fixture
def named(client: Client) -> dict[str, str]:
    return {"UserPoolId": client.pool_id, "ClientId": client.client_id}


def test_both_secrets_log_in_refresh_and_revoke(boto: Any, client: Client, named: dict[str, str]) -> None:
    first, rest = client.secret, {"ClientId": client.client_id}
    added = boto.add_user_pool_client_secret(**named)["ClientSecretDescriptor"]
    for secret in (first, added["ClientSecretValue"]):
        client.secret = secret
        token = client.tokens()["RefreshToken"]
        assert client.refresh(token)["AuthenticationResult"]["AccessToken"]
        assert boto.get_tokens_from_refresh_token(**rest, RefreshToken=token, ClientSecret=secret)
        boto.revoke_token(**rest, Token=token, ClientSecret=secret)
    assert boto.describe_user_pool_client(**named)["UserPoolClient"]["ClientSecret"] == first


def test_a_deleted_secret_is_refused_and_the_other_one_is_valid(
    boto: Any, client: Client, named: dict[str, str]
) -> None:
    first = client.secret
    client.clock.now += 5
    added = boto.add_user_pool_client_secret(**named)["ClientSecretDescriptor"]
    listed = boto.list_user_pool_client_secrets(**named)["ClientSecrets"]
    assert [secret["ClientSecretId"] for secret in listed][1] == added["ClientSecretId"]
    assert (listed[1]["ClientSecretCreateDate"] - listed[0]["ClientSecretCreateDate"]).total_seconds() == 5
    assert not any("ClientSecretValue" in secret for secret in listed)
    boto.delete_user_pool_client_secret(**named, ClientSecretId=listed[0]["ClientSecretId"])
    assert boto.list_user_pool_client_secrets(**named)["ClientSecrets"] == [listed[1]]
    with refused("NotAuthorizedException", "Unable to verify secret hash"):
        client.log_in()
    client.secret = added["ClientSecretValue"]
    client.tokens()
    assert first != client.secret
    assert boto.describe_user_pool_client(**named)["UserPoolClient"]["ClientSecret"] == client.secret
    with pytest.raises(boto.exceptions.InvalidParameterException, match="last secret"):
        boto.delete_user_pool_client_secret(**named, ClientSecretId=added["ClientSecretId"])


def test_a_client_has_at_most_two_secrets(boto: Any, client: Client, named: dict[str, str]) -> None:
    with pytest.raises(boto.exceptions.InvalidParameterException, match="already has this secret"):
        boto.add_user_pool_client_secret(**named, ClientSecret=client.secret)
    given = "my_own_secret_of_24_chars"
    added = boto.add_user_pool_client_secret(**named, ClientSecret=given)["ClientSecretDescriptor"]
    assert "ClientSecretValue" not in added
    listed = boto.list_user_pool_client_secrets(**named)["ClientSecrets"]
    assert len({secret["ClientSecretId"] for secret in listed}) == 2
    with pytest.raises(boto.exceptions.LimitExceededException):
        boto.add_user_pool_client_secret(**named)
    client.secret = given
    client.tokens(password=PASSWORD)
    with pytest.raises(boto.exceptions.ResourceNotFoundException):
        boto.delete_user_pool_client_secret(**named, ClientSecretId="other--1")


def test_a_public_client_gets_no_secret(boto: Any, client: Client) -> None:
    made = boto.create_user_pool_client(UserPoolId=client.pool_id, ClientName="public")["UserPoolClient"]
    named = {"UserPoolId": client.pool_id, "ClientId": made["ClientId"]}
    assert boto.list_user_pool_client_secrets(**named)["ClientSecrets"] == []
    with pytest.raises(boto.exceptions.InvalidParameterException, match="not configured for secret"):
        boto.add_user_pool_client_secret(**named)


def test_a_client_is_created_with_a_given_secret(boto: Any, client: Client) -> None:
    given = {"UserPoolId": client.pool_id, "ClientName": "mine", "ClientSecret": "my_own_secret_of_24_chars"}
    with pytest.raises(boto.exceptions.InvalidParameterException, match="GenerateSecret"):
        boto.create_user_pool_client(**given, GenerateSecret=True)
    made = boto.create_user_pool_client(**given)["UserPoolClient"]
    assert made["ClientSecret"] == given["ClientSecret"]
    client.use(made["ClientId"], given["ClientSecret"]).tokens()
