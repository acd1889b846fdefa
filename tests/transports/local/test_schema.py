"""What the schema of a pool and the attributes of an app client allow. The sources of the rules are in the probes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from srpcore.exceptions import ConfigurationError
from srpcore.tokens import unverified_claims
from srpcore_transports.local import LocalUserPool
from support.users import OTHER_PASSWORD, PASSWORD

from .client import Client, refused, temporary_user

Make = Callable[..., Client]

TENANT = {"Name": "tenant", "AttributeDataType": "String", "Mutable": False}
SIZE = {
    "Name": "size",
    "AttributeDataType": "Number",
    "NumberAttributeConstraints": {"MinValue": "-5", "MaxValue": "9"},
}
CODE = {
    "Name": "code",
    "AttributeDataType": "String",
    "StringAttributeConstraints": {"MinLength": "2", "MaxLength": "4"},
}
PLAN = {"Name": "plan", "AttributeDataType": "String", "DeveloperOnlyAttribute": True}
REQUIRED_NAME = {"Name": "name", "Required": True}


def pairs(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def client_of(make: Make, *schema: dict[str, Any], **client_settings: Any) -> Client:
    return make(pool_settings={"Schema": list(schema)} if schema else {}, client_settings=client_settings)


def stored(client: Client, username: str = "alice") -> dict[str, str]:
    found = client.admin("AdminGetUser", Username=username)["UserAttributes"]
    return {entry["Name"]: entry["Value"] for entry in found}


class TestDescription:
    def test_a_pool_has_20_standard_attributes(self, client: Client) -> None:
        described = client.admin("DescribeUserPool")["UserPool"]["SchemaAttributes"]
        assert len(described) == len({entry["Name"] for entry in described}) == 20

    def test_declared_attributes_replace_standard_ones_and_custom_ones_follow(self, make: Make) -> None:
        client = client_of(make, REQUIRED_NAME, SIZE, PLAN)
        described = client.admin("DescribeUserPool")["UserPool"]["SchemaAttributes"]
        by_name = {entry["Name"]: entry for entry in described}
        assert len(described) == len(by_name) == 22
        assert by_name["name"]["Required"] is True
        assert by_name["custom:size"]["NumberAttributeConstraints"] == {"MinValue": "-5", "MaxValue": "9"}
        assert by_name["dev:custom:plan"]["DeveloperOnlyAttribute"] is True

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            ({"Name": "tenant", "Required": True}, "Required custom attributes are not supported"),
            ({"Name": "email", "AttributeDataType": "Number"}, "You can not change AttributeDataType"),
            ({"Name": "email", "DeveloperOnlyAttribute": True}, "You can not change AttributeDataType"),
            ({"AttributeDataType": "String"}, "missing"),
            ({"Name": "tenant"}, "Invalid AttributeDataType input"),
            ({**SIZE, "NumberAttributeConstraints": {"MinValue": "5", "MaxValue": "-5"}}, "Max value cannot be less"),
            ({**SIZE, "NumberAttributeConstraints": {"MinValue": "few"}}, "Invalid NumberAttributeConstraints"),
            ({**CODE, "StringAttributeConstraints": {"MinLength": "5", "MaxLength": "4"}}, "Max length cannot be less"),
            ({**CODE, "StringAttributeConstraints": {"MaxLength": "2049"}}, "more than 2048"),
        ],
    )
    def test_a_contradictory_schema_is_refused(self, client: Client, entry: dict[str, Any], message: str) -> None:
        with refused("InvalidParameterException", message):
            client.call("CreateUserPool", PoolName="p", Schema=[entry])
        with refused("InvalidParameterException", "" if entry.get("Name") == "email" else message):
            client.admin("AddCustomAttributes", CustomAttributes=[{**entry, "Required": entry.get("Required", False)}])
        with pytest.raises(ConfigurationError, match=message):
            LocalUserPool(pool_settings={"Schema": [entry]})


class TestValues:
    @pytest.mark.parametrize(
        ("name", "right", "wrong"),
        [
            ("custom:size", ["-5", "9", "0"], ["-6", "10", "many", "1.5", "٣", ""]),
            ("custom:code", ["ab", "abcd"], ["a", "abcde"]),
            ("birthdate", ["2000-01-01"], ["1.1.2000"]),
            ("updated_at", ["0", "1700000000"], ["-1", "now"]),
            ("nickname", ["x" * 2048], []),
            ("email_verified", ["true", "false"], ["yes"]),
        ],
    )
    def test_a_value_conforms_to_the_schema(self, make: Make, name: str, right: list[str], wrong: list[str]) -> None:
        client = client_of(make, SIZE, CODE)
        client.user(email="alice@example.com")
        for value in right:
            client.admin("AdminUpdateUserAttributes", Username="alice", UserAttributes=pairs(**{name: value}))
            assert stored(client)[name] == value
        for value in filter(None, wrong):
            with refused("InvalidParameterException", name):
                client.admin("AdminUpdateUserAttributes", Username="alice", UserAttributes=pairs(**{name: value}))
            with refused("InvalidParameterException", name):
                client.admin("AdminCreateUser", Username="bob", UserAttributes=pairs(**{name: value}))
        assert stored(client)[name] == right[-1]

    def test_a_boolean_of_python_is_a_boolean(self, client: Client) -> None:
        client.user(email="alice@example.com", email_verified="True")
        assert stored(client)["email_verified"] == "true"
        assert unverified_claims(client.tokens()["IdToken"])["email_verified"] is True

    def test_an_immutable_attribute_is_set_at_creation_only(self, make: Make) -> None:
        client = client_of(make, TENANT)
        client.user(**{"custom:tenant": "acme"})
        client.user("bob")
        for username in ("alice", "bob"):
            token = client.tokens(username)["AccessToken"]
            changed = pairs(**{"custom:tenant": "other"})
            with refused("InvalidParameterException", "user.custom:tenant: Attribute cannot be updated."):
                client.admin("AdminUpdateUserAttributes", Username=username, UserAttributes=changed)
            with refused("InvalidParameterException", "cannot be updated"):
                client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=changed)
            with refused("InvalidParameterException", "cannot be updated"):
                client.call("DeleteUserAttributes", AccessToken=token, UserAttributeNames=["custom:tenant"])
        assert stored(client)["custom:tenant"] == "acme"
        assert "custom:tenant" not in stored(client, "bob")

    def test_a_new_user_can_set_an_immutable_attribute_with_the_new_password_once(self, make: Make) -> None:
        client = client_of(make, TENANT)
        for username, given in (("alice", {}), ("bob", {"custom:tenant": "acme"})):
            temporary_user(client, username, **given)
            challenge = client.log_in(username)
            answers = {"NEW_PASSWORD": OTHER_PASSWORD, "userAttributes.custom:tenant": "other"}
            if given:
                with refused("InvalidParameterException", "cannot be updated"):
                    client.answer(challenge, username, **answers)
            else:
                assert "AuthenticationResult" in client.answer(challenge, username, **answers)
        assert (stored(client)["custom:tenant"], stored(client, "bob")["custom:tenant"]) == ("other", "acme")

    def test_a_required_attribute_cannot_be_removed(self, make: Make) -> None:
        client = client_of(make, REQUIRED_NAME)
        client.user(name="Alice")
        token = client.tokens()["AccessToken"]
        with refused("InvalidParameterException", "The attribute name is required"):
            client.call("DeleteUserAttributes", AccessToken=token, UserAttributeNames=["name"])
        with refused("InvalidParameterException", "The attribute name is required"):
            client.admin("AdminUpdateUserAttributes", Username="alice", UserAttributes=pairs(name=""))
        assert stored(client)["name"] == "Alice"


class TestAttributesOfAClient:
    def test_only_write_attributes_are_written(self, make: Make) -> None:
        client = client_of(make, WriteAttributes=["name"])
        client.user()
        token = client.tokens()["AccessToken"]
        client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs(name="Alice"))
        unauthorized = ("NotAuthorizedException", "A client attempted to write unauthorized attribute")
        with refused(*unauthorized):
            client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs(name="A", nickname="al"))
        with refused(*unauthorized):
            client.call("DeleteUserAttributes", AccessToken=token, UserAttributeNames=["nickname"])
        with refused(*unauthorized):
            signed_up = {"Username": "bob", "Password": PASSWORD, "UserAttributes": pairs(nickname="al")}
            client.call("SignUp", ClientId=client.client_id, **signed_up)
        temporary_user(client, "carol")
        with refused(*unauthorized):
            client.answer(
                client.log_in("carol"), "carol", **{"NEW_PASSWORD": OTHER_PASSWORD, "userAttributes.nickname": "c"}
            )
        assert stored(client)["name"] == "Alice"
        client.admin("AdminUpdateUserAttributes", Username="alice", UserAttributes=pairs(nickname="al"))

    def test_an_address_that_is_the_user_name_need_not_be_writable(self, make: Make) -> None:
        settings = {"UsernameAttributes": ["email"]}
        client = make(pool_settings=settings, client_settings={"WriteAttributes": ["name"]})
        made = client.call("SignUp", ClientId=client.client_id, Username="a@example.com", Password=PASSWORD)
        assert stored(client, made["UserSub"])["email"] == "a@example.com"

    def test_only_read_attributes_are_shown_to_the_user(self, make: Make) -> None:
        client = client_of(make, ReadAttributes=["name"])
        client.user(name="Alice", nickname="al", email="alice@example.com")
        tokens = client.tokens()
        shown = client.call("GetUser", AccessToken=tokens["AccessToken"])["UserAttributes"]
        assert {entry["Name"] for entry in shown} == {"sub", "name"}
        claims = unverified_claims(tokens["IdToken"])
        assert claims["name"] == "Alice"
        assert claims.keys().isdisjoint({"nickname", "email"})
        assert stored(client)["nickname"] == "al"

    def test_a_user_does_not_write_a_developer_attribute(self, make: Make) -> None:
        client = client_of(make, PLAN)
        client.user(**{"dev:custom:plan": "gold"})
        token = client.tokens()["AccessToken"]
        with refused("NotAuthorizedException", "unauthorized attribute"):
            client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs(**{"dev:custom:plan": "free"}))
        assert stored(client)["dev:custom:plan"] == "gold"
