"""Resource servers, tags, added attributes and identifiers of providers, with boto3 as the client."""

from __future__ import annotations

from typing import Any

import pytest

from .client import Client

pytestmark = pytest.mark.counterpart

READ = {"ScopeName": "read", "ScopeDescription": "Read orders"}
WRITE = {"ScopeName": "write", "ScopeDescription": "Write orders"}


class TestResourceServers:
    def test_a_server_is_created_described_changed_and_deleted(self, boto: Any, client: Client) -> None:
        named = {"UserPoolId": client.pool_id, "Identifier": "https://orders.example.com"}
        made = boto.create_resource_server(**named, Name="orders", Scopes=[READ])["ResourceServer"]
        assert made == {**named, "Name": "orders", "Scopes": [READ]}
        with pytest.raises(boto.exceptions.InvalidParameterException, match="already exists"):
            boto.create_resource_server(**named, Name="again")
        changed = boto.update_resource_server(**named, Name="Orders", Scopes=[READ, WRITE])["ResourceServer"]
        assert changed == boto.describe_resource_server(**named)["ResourceServer"]
        assert (changed["Name"], changed["Scopes"]) == ("Orders", [READ, WRITE])
        assert boto.update_resource_server(**named, Name="Orders")["ResourceServer"]["Scopes"] == []
        boto.delete_resource_server(**named)
        for operation in (boto.describe_resource_server, boto.delete_resource_server):
            with pytest.raises(boto.exceptions.ResourceNotFoundException):
                operation(**named)

    def test_at_most_25_servers_are_listed_in_pages(self, boto: Any, client: Client) -> None:
        names = [f"server{index}" for index in range(25)]
        for name in names:
            client.admin("CreateResourceServer", Identifier=name, Name="n")
        with pytest.raises(boto.exceptions.LimitExceededException):
            boto.create_resource_server(UserPoolId=client.pool_id, Identifier="more", Name="n")
        pages = boto.get_paginator("list_resource_servers").paginate(
            UserPoolId=client.pool_id, PaginationConfig={"PageSize": 10}
        )
        listed = [[server["Identifier"] for server in page["ResourceServers"]] for page in pages]
        assert listed == [names[:10], names[10:20], names[20:]]

    def test_two_scopes_of_one_name_are_refused(self, boto: Any, client: Client) -> None:
        with pytest.raises(boto.exceptions.InvalidParameterException, match="same name"):
            boto.create_resource_server(UserPoolId=client.pool_id, Identifier="x", Name="x", Scopes=[READ, READ])


class TestTags:
    def test_tags_are_set_replaced_and_removed(self, boto: Any, client: Client) -> None:
        pool = boto.describe_user_pool(UserPoolId=client.pool_id)["UserPool"]
        arn = {"ResourceArn": pool["Arn"]}
        assert boto.list_tags_for_resource(**arn)["Tags"] == {}
        boto.tag_resource(**arn, Tags={"team": "a", "stage": "test"})
        boto.tag_resource(**arn, Tags={"team": "b"})
        assert boto.list_tags_for_resource(**arn)["Tags"] == {"team": "b", "stage": "test"}
        boto.untag_resource(**arn, TagKeys=["team", "unknown"])
        assert boto.describe_user_pool(UserPoolId=client.pool_id)["UserPool"]["UserPoolTags"] == {"stage": "test"}

    def test_at_most_50_tags_of_a_known_pool(self, boto: Any, client: Client) -> None:
        arn = boto.describe_user_pool(UserPoolId=client.pool_id)["UserPool"]["Arn"]
        boto.tag_resource(ResourceArn=arn, Tags={f"k{index}": "v" for index in range(50)})
        with pytest.raises(boto.exceptions.InvalidParameterException, match="at most 50"):
            boto.tag_resource(ResourceArn=arn, Tags={"one": "more"})
        assert len(boto.list_tags_for_resource(ResourceArn=arn)["Tags"]) == 50
        with pytest.raises(boto.exceptions.ResourceNotFoundException):
            boto.list_tags_for_resource(ResourceArn=arn.rpartition("/")[0] + "/us-east-1_unknown00")
        with pytest.raises(boto.exceptions.ResourceNotFoundException):
            boto.list_tags_for_resource(ResourceArn=arn.replace(":us-east-1:", ":us-west-2:"))
        with pytest.raises(boto.exceptions.InvalidParameterException, match="not the ARN of a user pool"):
            boto.list_tags_for_resource(ResourceArn="arn:aws:s3:us-east-1:000000000000:bucket")


class TestCustomAttributes:
    def test_an_added_attribute_can_be_written(self, boto: Any, client: Client) -> None:
        pool = {"UserPoolId": client.pool_id}
        client.user()
        tenant = {"Name": "alice", "UserAttributes": [{"Name": "custom:tenant", "Value": "acme"}]}
        with pytest.raises(boto.exceptions.InvalidParameterException, match="does not exist in the schema"):
            boto.admin_update_user_attributes(
                **pool, Username="alice", UserAttributes=[{"Name": "custom:tenant", "Value": "acme"}]
            )
        boto.add_custom_attributes(**pool, CustomAttributes=[{"Name": "tenant", "AttributeDataType": "String"}])
        boto.admin_update_user_attributes(**pool, Username="alice", UserAttributes=tenant["UserAttributes"])
        shown = boto.admin_get_user(**pool, Username="alice")["UserAttributes"]
        assert {"Name": "custom:tenant", "Value": "acme"} in shown

    @pytest.mark.parametrize(
        ("added", "message"),
        [
            ([{"Name": "a"}, {"Name": "a"}], "already has name custom:a"),
            ([{"Name": "a", "Required": True}], "Required custom attributes"),
            ([{"AttributeDataType": "String"}], "missing"),
            ([{"Name": "a"}], "Invalid AttributeDataType input"),
        ],
    )
    def test_an_attribute_is_refused(
        self, boto: Any, client: Client, added: list[dict[str, Any]], message: str
    ) -> None:
        before = boto.describe_user_pool(UserPoolId=client.pool_id)["UserPool"]
        with pytest.raises(boto.exceptions.InvalidParameterException, match=message):
            boto.add_custom_attributes(UserPoolId=client.pool_id, CustomAttributes=added)
        assert boto.describe_user_pool(UserPoolId=client.pool_id)["UserPool"] == before

    def test_the_name_of_a_developer_attribute_is_taken(self, boto: Any, client: Client) -> None:
        plan = {"Name": "plan", "AttributeDataType": "String", "DeveloperOnlyAttribute": True}
        pool = boto.create_user_pool(PoolName="p", Schema=[plan])["UserPool"]
        with pytest.raises(
            boto.exceptions.InvalidParameterException,
            match=r"custom:plan: Existing attribute already has name dev:custom:plan\.",
        ):
            boto.add_custom_attributes(UserPoolId=pool["Id"], CustomAttributes=[plan])

    def test_a_pool_has_at_most_50(self, boto: Any, client: Client) -> None:
        for start in (0, 25):
            added = [{"Name": f"a{index}", "AttributeDataType": "String"} for index in range(start, start + 25)]
            boto.add_custom_attributes(UserPoolId=client.pool_id, CustomAttributes=added)
        with pytest.raises(boto.exceptions.InvalidParameterException, match="at most 50"):
            boto.add_custom_attributes(
                UserPoolId=client.pool_id, CustomAttributes=[{"Name": "more", "AttributeDataType": "String"}]
            )


def test_a_provider_is_found_by_an_identifier(boto: Any, client: Client) -> None:
    pool = {"UserPoolId": client.pool_id}
    details = {"client_id": "x", "authorize_scopes": "openid"}
    for name in ("one", "two"):
        boto.create_identity_provider(
            **pool, ProviderName=name, ProviderType="OIDC", ProviderDetails=details, IdpIdentifiers=[f"{name}.org"]
        )
    found = boto.get_identity_provider_by_identifier(**pool, IdpIdentifier="two.org")["IdentityProvider"]
    assert found["ProviderName"] == "two"
    with pytest.raises(boto.exceptions.ResourceNotFoundException):
        boto.get_identity_provider_by_identifier(**pool, IdpIdentifier="three.org")


def test_a_deleted_pool_takes_its_resources_along(boto: Any, client: Client) -> None:
    boto.create_resource_server(UserPoolId=client.pool_id, Identifier="x", Name="x")
    boto.delete_user_pool(UserPoolId=client.pool_id)
    rows = client.pool._service.database.connection.execute("SELECT kind, name FROM record").fetchall()
    assert rows == []
