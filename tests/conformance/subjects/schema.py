"""The schema of a pool: standard and custom attributes as DescribeUserPool lists them, and what is refused."""

from __future__ import annotations

from typing import Any

from ..probes import UNSURE, Refused, api, guide, members, probe, refused, tried
from ..stage import Stage, attributes, pairs
from .user_pools import CAPTURED

ATTRIBUTES = guide("user-pool-settings-attributes")
MOTO = "https://github.com/getmoto/moto/blob/master/moto/cognitoidp/models.py"
READ_ONLY = "https://github.com/aws-amplify/amplify-js/issues/3526"

STRINGS = """
name given_name family_name middle_name nickname preferred_username profile picture website email gender birthdate
zoneinfo locale phone_number address
""".split()


def _entry(s: Stage, name: str, schema: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    pool = s.pool if schema is None else s.new_pool(Schema=schema)
    found: list[dict[str, Any]] = [entry for entry in pool.describe()["SchemaAttributes"] if entry["Name"] == name]
    assert len(found) == 1, f"{name} is described {len(found)} times"
    return found[0]


@probe(CAPTURED)
def standard_attributes_are_described(s: Stage) -> None:
    described = {entry["Name"] for entry in s.pool.describe()["SchemaAttributes"]}
    assert {*STRINGS, "sub", "email_verified", "phone_number_verified", "updated_at"} <= described


@probe(CAPTURED)
def standard_strings(s: Stage) -> None:
    described = {entry["Name"]: entry for entry in s.pool.describe()["SchemaAttributes"]}
    for name in STRINGS:
        lengths = ("10", "10") if name == "birthdate" else ("0", "2048")
        assert described[name] == {
            "Name": name,
            "AttributeDataType": "String",
            "DeveloperOnlyAttribute": False,
            "Mutable": True,
            "Required": False,
            "StringAttributeConstraints": {"MinLength": lengths[0], "MaxLength": lengths[1]},
        }


@probe(CAPTURED)
def sub_is_required_and_immutable(s: Stage) -> None:
    constraints = {"MinLength": "1", "MaxLength": "2048"}
    members(_entry(s, "sub"), Mutable=False, Required=True, StringAttributeConstraints=constraints)


@probe(CAPTURED)
def standard_booleans_and_numbers(s: Stage) -> None:
    assert "StringAttributeConstraints" not in _entry(s, "email_verified")
    members(_entry(s, "email_verified"), AttributeDataType="Boolean", Mutable=True, Required=False)
    members(_entry(s, "updated_at"), AttributeDataType="Number", NumberAttributeConstraints={"MinValue": "0"})


@probe(CAPTURED)
def required_standard_attribute(s: Stage) -> None:
    schema: list[dict[str, Any]] = [{"Name": "email", "AttributeDataType": "String", "Required": True, "Mutable": True}]
    entry = _entry(s, "email", schema)
    members(entry, Required=True, StringAttributeConstraints={"MinLength": "0", "MaxLength": "2048"})


@probe(ATTRIBUTES)
def custom_attribute_has_a_prefix(s: Stage) -> None:
    entry = _entry(s, "custom:tenant", [{"Name": "tenant", "AttributeDataType": "String", "Mutable": True}])
    members(
        entry, AttributeDataType="String", DeveloperOnlyAttribute=False, Mutable=True, Required=False,
        StringAttributeConstraints=dict,
    )  # fmt: skip


@probe(UNSURE, question="is a custom attribute mutable if Mutable is left out?")
def custom_attribute_without_mutable(s: Stage) -> None:
    entry = _entry(s, "custom:tenant", [{"Name": "tenant", "AttributeDataType": "String"}])
    members(entry, Mutable=bool)


@probe(api("SchemaAttributeType"))
def constraints_are_described(s: Stage) -> None:
    text = {"MinLength": "2", "MaxLength": "4"}
    schema = [{"Name": "code", "AttributeDataType": "String", "StringAttributeConstraints": text}]
    assert _entry(s, "custom:code", schema)["StringAttributeConstraints"] == text
    number = {"MinValue": "1", "MaxValue": "9"}
    schema = [{"Name": "size", "AttributeDataType": "Number", "NumberAttributeConstraints": number}]
    assert _entry(s, "custom:size", schema)["NumberAttributeConstraints"] == number


@probe(MOTO)
def developer_attribute_has_its_prefix(s: Stage) -> None:
    schema = [{"Name": "plan", "AttributeDataType": "String", "DeveloperOnlyAttribute": True, "Mutable": True}]
    described = [entry["Name"] for entry in s.new_pool(Schema=schema).describe()["SchemaAttributes"]]
    assert "dev:custom:plan" in described or "dev:plan" in described


@probe(MOTO)
def required_custom_attribute_is_refused(s: Stage) -> None:
    with refused("InvalidParameterException", "^Required custom attributes are not supported currently.$"):
        s.create_pool(Schema=[{"Name": "tenant", "AttributeDataType": "String", "Required": True}])


@probe(MOTO)
def redefined_standard_attribute_is_refused(s: Stage) -> None:
    with refused("InvalidParameterException", "You can not change AttributeDataType .* attribute email"):
        s.create_pool(Schema=[{"Name": "email", "AttributeDataType": "Number"}])


@probe(MOTO)
def maximum_below_minimum_is_refused(s: Stage) -> None:
    for kind, limits in (
        ("String", {"StringAttributeConstraints": {"MinLength": "5", "MaxLength": "2"}}),
        ("Number", {"NumberAttributeConstraints": {"MinValue": "5", "MaxValue": "2"}}),
    ):
        with refused("InvalidParameterException", "cannot be less than"):
            s.create_pool(Schema=[{"Name": "x", "AttributeDataType": kind, **limits}])


@probe(api("AddCustomAttributes"))
def attributes_can_be_added(s: Stage) -> None:
    pool = s.new_pool()
    pool.admin("AddCustomAttributes", CustomAttributes=[{"Name": "tenant", "AttributeDataType": "String"}])
    assert "custom:tenant" in [entry["Name"] for entry in pool.describe()["SchemaAttributes"]]
    with refused("InvalidParameterException", "custom:tenant"):
        pool.admin("AddCustomAttributes", CustomAttributes=[{"Name": "tenant", "AttributeDataType": "String"}])


@probe(READ_ONLY)
def immutable_attribute_is_set_at_creation_only(s: Stage) -> None:
    pool = s.new_pool(Schema=[{"Name": "tenant", "AttributeDataType": "String", "Mutable": False}])
    user = pool.user(**{"custom:tenant": "acme"})
    token = pool.client.tokens(user)["AccessToken"]
    changed = pairs({"custom:tenant": "other"})
    with refused("InvalidParameterException", "user.custom:tenant: Attribute cannot be updated"):
        pool.admin("AdminUpdateUserAttributes", Username=user, UserAttributes=changed)
    with refused("InvalidParameterException", "user.custom:tenant: Attribute cannot be updated"):
        s.call("UpdateUserAttributes", AccessToken=token, UserAttributes=changed)
    assert attributes(pool.get(user))["custom:tenant"] == "acme"


@probe(api("NumberAttributeConstraintsType"))
def number_constraints_are_enforced(s: Stage) -> None:
    number = {"MinValue": "1", "MaxValue": "9"}
    pool = s.new_pool(
        Schema=[{"Name": "size", "AttributeDataType": "Number", "Mutable": True, "NumberAttributeConstraints": number}]
    )
    assert attributes(pool.create(s.name(), **{"custom:size": "9"}))["custom:size"] == "9"
    for wrong in ("0", "10", "many"):
        with refused("InvalidParameterException", "custom:size"):
            pool.create(s.name(), **{"custom:size": wrong})


@probe(api("StringAttributeConstraintsType"))
def length_constraints_are_enforced(s: Stage) -> None:
    text = {"MinLength": "2", "MaxLength": "4"}
    pool = s.new_pool(
        Schema=[{"Name": "code", "AttributeDataType": "String", "Mutable": True, "StringAttributeConstraints": text}]
    )
    assert attributes(pool.create(s.name(), **{"custom:code": "abcd"}))["custom:code"] == "abcd"
    for wrong in ("a", "abcde"):
        with refused("InvalidParameterException", "custom:code"):
            pool.create(s.name(), **{"custom:code": wrong})


@probe(ATTRIBUTES)
def birthdate_has_ten_characters(s: Stage) -> None:
    with refused("InvalidParameterException", "birthdate"):
        s.pool.create(s.name(), birthdate="1.1.2000")


@probe(ATTRIBUTES)
def email_verified_is_a_boolean(s: Stage) -> None:
    user = tried(lambda: s.pool.user(email=s.email(), email_verified="True"))
    if isinstance(user, Refused):
        assert user.code == "InvalidParameterException"
    else:
        assert attributes(s.pool.get(user))["email_verified"] == "true", "stored in a form that means nothing"


@probe("https://github.com/aws-amplify/amplify-flutter/issues/509")
def unknown_attribute_is_refused(s: Stage) -> None:
    with refused(
        "InvalidParameterException",
        "^Attributes did not conform to the schema: custom:nope: Attribute does not exist in the schema.\\n",
    ):
        s.pool.create(s.name(), **{"custom:nope": "x"})
