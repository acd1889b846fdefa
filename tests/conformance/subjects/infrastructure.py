"""Terraform and CloudFormation: their call sequences for the resources of a user pool, without drift.

A provider creates a resource, reads it, and compares what it reads with what it sent. A difference is drift: the next
run wants to change the resource again, or to replace it. Each story creates, reads and compares, updates, reads and
compares, and destroys, with the calls and the normalisation of the provider's source.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..probes import probe, refused
from ..stage import Stage
from .schema import STRINGS

PROVIDER = "https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/cognitoidp"
CLOUD_FORMATION = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cognito-userpool.html"

RENAMED = {"PoolName": "Name", "Schema": "SchemaAttributes"}


def _schema(described: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    # As flattenSchemaAttributeTypes of the provider: standard attributes with their default properties are dropped, the
    # prefix is removed from the others.
    standard = {*STRINGS, "sub", "email_verified", "phone_number_verified", "updated_at", "identities"}
    kept = [dict(entry) for entry in described if entry["Name"] not in standard or entry["Required"]]
    for entry in kept:
        entry["Name"] = entry["Name"].removeprefix("dev:").removeprefix("custom:")
    return sorted((entry for entry in kept if entry["Name"] != "sub"), key=lambda entry: str(entry["Name"]))


def _unordered(items: list[Any]) -> list[str]:
    return sorted(json.dumps(item, sort_keys=True) for item in items)


def _differences(sent: Mapping[str, Any], described: Mapping[str, Any], path: str = "") -> list[str]:
    """Return the members of *sent* that *described* shows differently. Other members of *described* are defaults, and not drift."""
    found: list[str] = []
    for name, value in sent.items():
        shown = described.get(RENAMED.get(name, name))
        if name == "Schema":
            shown = _schema(list(shown or []))
        if isinstance(value, Mapping) and isinstance(shown, Mapping):
            found += _differences(value, shown, f"{path}{name}.")
        elif isinstance(value, list) and isinstance(shown, list) and name != "Schema":
            if _unordered(value) != _unordered(shown):
                found.append(f"{path}{name}: sent {value}, described {shown}")
        elif shown != value:
            found.append(f"{path}{name}: sent {value}, described {shown}")
    return found


def _no_drift(sent: Mapping[str, Any], described: Mapping[str, Any]) -> None:
    found = _differences(sent, described)
    assert not found, "; ".join(found)


POLICY = {
    "MinimumLength": 10,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": False,
    "RequireUppercase": True,
    "TemporaryPasswordValidityDays": 3,
}
SCHEMA = [
    {
        "Name": "email",
        "AttributeDataType": "String",
        "DeveloperOnlyAttribute": False,
        "Mutable": True,
        "Required": True,
        "StringAttributeConstraints": {"MinLength": "0", "MaxLength": "2048"},
    },
    {
        "Name": "tenant",
        "AttributeDataType": "String",
        "DeveloperOnlyAttribute": False,
        "Mutable": True,
        "Required": False,
        "StringAttributeConstraints": {"MinLength": "1", "MaxLength": "64"},
    },
]
SETTINGS: dict[str, Any] = {
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]},
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    "AutoVerifiedAttributes": ["email"],
    "DeletionProtection": "INACTIVE",
    "DeviceConfiguration": {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False},
    "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"},
    "Policies": {"PasswordPolicy": POLICY},
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
    "VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_CODE"},
}


@probe(PROVIDER)
def terraform_plain_pool(s: Stage) -> None:
    # resource "aws_cognito_user_pool" with a name only: what the provider stores of the answer must be complete.
    made = s.create_pool()
    described = s.call("DescribeUserPool", UserPoolId=made["Id"])["UserPool"]
    for name in ("Arn", "CreationDate", "LastModifiedDate", "EmailConfiguration", "AdminCreateUserConfig"):
        assert name in described, name
    assert "PasswordPolicy" in described["Policies"]
    assert _schema(described["SchemaAttributes"]) == []
    assert s.call("GetUserPoolMfaConfig", UserPoolId=made["Id"])["MfaConfiguration"] == "OFF"


@probe(PROVIDER)
def terraform_pool(s: Stage) -> None:
    sent = {**SETTINGS, "UsernameAttributes": ["email"], "Schema": SCHEMA, "UserPoolTags": {"team": "login"}}
    made = s.create_pool(**sent)
    _no_drift(sent, s.call("DescribeUserPool", UserPoolId=made["Id"])["UserPool"])


@probe(PROVIDER)
def terraform_pool_update(s: Stage) -> None:
    made = s.create_pool(**SETTINGS)
    changed = {
        **SETTINGS,
        "MfaConfiguration": "OFF",
        "Policies": {"PasswordPolicy": {**POLICY, "MinimumLength": 12}},
        "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": []},
    }
    s.call("UpdateUserPool", UserPoolId=made["Id"], **changed)
    _no_drift(changed, s.call("DescribeUserPool", UserPoolId=made["Id"])["UserPool"])
    s.call("DeleteUserPool", UserPoolId=made["Id"])
    with refused("ResourceNotFoundException"):
        s.call("DescribeUserPool", UserPoolId=made["Id"])


@probe(PROVIDER)
def terraform_pool_with_mfa(s: Stage) -> None:
    made = s.create_pool()
    configured = {"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": True}}
    s.call("SetUserPoolMfaConfig", UserPoolId=made["Id"], **configured)
    described = s.call("GetUserPoolMfaConfig", UserPoolId=made["Id"])
    _no_drift(configured, described)
    assert "SmsMfaConfiguration" not in described
    assert "EmailMfaConfiguration" not in described
    # An update of anything else sends MfaConfiguration too, and keeps the factor.
    s.call(
        "UpdateUserPool", UserPoolId=made["Id"], MfaConfiguration="OPTIONAL", **{"AutoVerifiedAttributes": ["email"]}
    )
    _no_drift(configured, s.call("GetUserPoolMfaConfig", UserPoolId=made["Id"]))


@probe(PROVIDER)
def terraform_pool_with_passkeys(s: Stage) -> None:
    # Without MFA the provider sends the settings of passkeys alone.
    policies = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}, "PasswordPolicy": POLICY}
    made = s.create_pool(Policies=policies)
    passkeys = {"WebAuthnConfiguration": {"RelyingPartyId": "example.com", "UserVerification": "required"}}
    s.call("SetUserPoolMfaConfig", UserPoolId=made["Id"], **passkeys)
    described = s.call("GetUserPoolMfaConfig", UserPoolId=made["Id"])
    _no_drift({"MfaConfiguration": "OFF", **passkeys}, described)
    assert "SoftwareTokenMfaConfiguration" not in described or not described["SoftwareTokenMfaConfiguration"]["Enabled"]
    _no_drift({"Policies": policies}, s.call("DescribeUserPool", UserPoolId=made["Id"])["UserPool"])


@probe(PROVIDER, unsuitable_for={"AWS": "needs a Lambda function in the account"})
def terraform_pool_with_triggers(s: Stage) -> None:
    arn = f"arn:aws:lambda:{s.target.region}:123456789012:function:x"
    version = {"LambdaArn": arn, "LambdaVersion": "V2_0"}
    triggers = {"PreSignUp": arn, "PreTokenGeneration": arn, "PreTokenGenerationConfig": version}
    made = s.create_pool(LambdaConfig=triggers)
    _no_drift({"LambdaConfig": triggers}, s.call("DescribeUserPool", UserPoolId=made["Id"])["UserPool"])
    s.call("UpdateUserPool", UserPoolId=made["Id"], LambdaConfig={"PreSignUp": arn})
    described = s.call("DescribeUserPool", UserPoolId=made["Id"])["UserPool"]
    assert described["LambdaConfig"] == {"PreSignUp": arn}


@probe(PROVIDER)
def terraform_user_in_group(s: Stage) -> None:
    group, user = s.name("admins"), s.pool.user()
    s.pool.admin("CreateGroup", GroupName=group)
    s.pool.admin("AdminAddUserToGroup", GroupName=group, Username=user)
    listed = s.pool.admin("AdminListGroupsForUser", Username=user)["Groups"]
    assert [entry["GroupName"] for entry in listed] == [group]
    s.pool.admin("AdminRemoveUserFromGroup", GroupName=group, Username=user)
    assert s.pool.admin("AdminListGroupsForUser", Username=user)["Groups"] == []


@probe(PROVIDER)
def terraform_new_attribute(s: Stage) -> None:
    made = s.create_pool(Schema=SCHEMA)
    added = {
        "Name": "plan",
        "AttributeDataType": "Number",
        "DeveloperOnlyAttribute": False,
        "Mutable": True,
        "Required": False,
        "NumberAttributeConstraints": {"MinValue": "0", "MaxValue": "9"},
    }
    s.call("AddCustomAttributes", UserPoolId=made["Id"], CustomAttributes=[added])
    described = s.call("DescribeUserPool", UserPoolId=made["Id"])["UserPool"]
    assert _schema(described["SchemaAttributes"]) == [SCHEMA[0], added, SCHEMA[1]]


@probe(PROVIDER)
def terraform_tags(s: Stage) -> None:
    made = s.create_pool(UserPoolTags={"a": "1", "b": "2"})
    s.call("UntagResource", ResourceArn=made["Arn"], TagKeys=["b"])
    s.call("TagResource", ResourceArn=made["Arn"], Tags={"a": "3"})
    assert s.call("DescribeUserPool", UserPoolId=made["Id"])["UserPool"]["UserPoolTags"] == {"a": "3"}


CLIENT: dict[str, Any] = {
    "AccessTokenValidity": 30,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthScopes": ["email", "openid"],
    "AuthSessionValidity": 5,
    "CallbackURLs": ["https://example.com/callback"],
    "DefaultRedirectURI": "https://example.com/callback",
    "EnablePropagateAdditionalUserContextData": False,
    "EnableTokenRevocation": True,
    "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"],
    "IdTokenValidity": 30,
    "LogoutURLs": ["https://example.com/logout"],
    "PreventUserExistenceErrors": "ENABLED",
    "ReadAttributes": ["email", "name"],
    "RefreshTokenValidity": 7,
    "SupportedIdentityProviders": ["COGNITO"],
    "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"},
    "WriteAttributes": ["name"],
}


@probe(PROVIDER)
def terraform_client(s: Stage) -> None:
    made = s.pool.admin("CreateUserPoolClient", ClientName="web", **CLIENT)["UserPoolClient"]
    ids = {"ClientId": made["ClientId"]}
    described = s.pool.admin("DescribeUserPoolClient", **ids)["UserPoolClient"]
    _no_drift({"ClientName": "web", **CLIENT}, described)
    changed = {**CLIENT, "AccessTokenValidity": 60, "CallbackURLs": ["https://example.com/callback", "myapp://x"]}
    updated = s.pool.admin("UpdateUserPoolClient", ClientName="web", **ids, **changed)["UserPoolClient"]
    _no_drift({"ClientName": "web", **changed}, updated)
    _no_drift(updated, s.pool.admin("DescribeUserPoolClient", **ids)["UserPoolClient"])
    s.pool.admin("DeleteUserPoolClient", **ids)
    with refused("ResourceNotFoundException"):
        s.pool.admin("DescribeUserPoolClient", **ids)


@probe(PROVIDER)
def terraform_plain_client(s: Stage) -> None:
    # The provider sends what is computed back at the next update: a second read must show the same.
    made = s.pool.admin("CreateUserPoolClient", ClientName="plain")["UserPoolClient"]
    described = s.pool.admin("DescribeUserPoolClient", ClientId=made["ClientId"])["UserPoolClient"]
    computed = ("AuthSessionValidity", "EnableTokenRevocation", "EnablePropagateAdditionalUserContextData",
                "RefreshTokenValidity", "AllowedOAuthFlowsUserPoolClient")  # fmt: skip
    sent = {name: described[name] for name in computed}
    s.pool.admin("UpdateUserPoolClient", ClientId=made["ClientId"], ClientName="plain", **sent)
    again = s.pool.admin("DescribeUserPoolClient", ClientId=made["ClientId"])["UserPoolClient"]
    assert {**again, "LastModifiedDate": 0} == {**described, "LastModifiedDate": 0}


@probe(PROVIDER)
def terraform_group(s: Stage) -> None:
    name = s.name("admins")
    sent = {"GroupName": name, "Description": "people", "Precedence": 0}
    s.pool.admin("CreateGroup", **sent)
    _no_drift(sent, s.pool.admin("GetGroup", GroupName=name)["Group"])
    changed = {"GroupName": name, "Description": "others", "Precedence": 4}
    s.pool.admin("UpdateGroup", **changed)
    _no_drift(changed, s.pool.admin("GetGroup", GroupName=name)["Group"])
    s.pool.admin("DeleteGroup", GroupName=name)
    with refused("ResourceNotFoundException"):
        s.pool.admin("GetGroup", GroupName=name)


@probe(PROVIDER)
def terraform_domain(s: Stage) -> None:
    pool = s.new_pool()
    name = f"srpcore-{pool.id.partition('_')[2].lower()}"
    pool.admin("CreateUserPoolDomain", Domain=name)
    described = s.call("DescribeUserPoolDomain", Domain=name)["DomainDescription"]
    # waitUserPoolDomainCreated waits for this status; the provider stores the other members.
    assert described["Status"] == "ACTIVE"
    for member in ("AWSAccountId", "CloudFrontDistribution", "S3Bucket", "Version"):
        assert isinstance(described[member], str), member
    pool.admin("DeleteUserPoolDomain", Domain=name)
    # FindUserPoolDomain treats a description without a Status as "not found".
    assert "Status" not in s.call("DescribeUserPoolDomain", Domain=name)["DomainDescription"]


@probe(PROVIDER)
def terraform_resource_server(s: Stage) -> None:
    pool = s.new_pool()
    sent = {"Identifier": "https://api.example.com", "Name": "api",
            "Scopes": [{"ScopeName": "read", "ScopeDescription": "Read"}]}  # fmt: skip
    pool.admin("CreateResourceServer", **sent)
    ids = {"Identifier": sent["Identifier"]}
    _no_drift({**sent, "UserPoolId": pool.id}, pool.admin("DescribeResourceServer", **ids)["ResourceServer"])
    changed = {**sent, "Name": "API", "Scopes": [{"ScopeName": "write", "ScopeDescription": "Write"}]}
    pool.admin("UpdateResourceServer", **changed)
    _no_drift(changed, pool.admin("DescribeResourceServer", **ids)["ResourceServer"])
    pool.admin("DeleteResourceServer", **ids)
    with refused("ResourceNotFoundException"):
        pool.admin("DescribeResourceServer", **ids)


@probe(PROVIDER)
def terraform_user(s: Stage) -> None:
    # resource "aws_cognito_user": AdminCreateUser, AdminGetUser, AdminUpdateUserAttributes, AdminDisableUser.
    name, email = s.name(), s.email()
    s.pool.create(name, email=email, email_verified="true")
    found = s.pool.get(name)
    shown = {entry["Name"]: entry["Value"] for entry in found["UserAttributes"]}
    shown.pop("sub")
    assert shown == {"email": email, "email_verified": "true"}
    assert (found["Enabled"], found["UserStatus"]) == (True, "FORCE_CHANGE_PASSWORD")
    s.pool.admin("AdminDisableUser", Username=name)
    assert s.pool.get(name)["Enabled"] is False
    s.pool.admin("AdminDeleteUser", Username=name)


CDK: dict[str, Any] = {
    # What `new cognito.UserPool(stack, "Pool", { selfSignUpEnabled: true, signInAliases: { email: true } })` synthesizes.
    "AccountRecoverySetting": {
        "RecoveryMechanisms": [
            {"Name": "verified_phone_number", "Priority": 1},
            {"Name": "verified_email", "Priority": 2},
        ]
    },
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False},
    "AutoVerifiedAttributes": ["email"],
    "EmailVerificationMessage": "The verification code to your new account is {####}",
    "EmailVerificationSubject": "Verify your new account",
    "SmsVerificationMessage": "The verification code to your new account is {####}",
    "UsernameAttributes": ["email"],
    "VerificationMessageTemplate": {
        "DefaultEmailOption": "CONFIRM_WITH_CODE",
        "EmailMessage": "The verification code to your new account is {####}",
        "EmailSubject": "Verify your new account",
        "SmsMessage": "The verification code to your new account is {####}",
    },
}


@probe(CLOUD_FORMATION)
def cdk_pool(s: Stage) -> None:
    made = s.create_pool(**CDK)
    described = s.call("DescribeUserPool", UserPoolId=made["Id"])["UserPool"]
    _no_drift(CDK, described)
    assert described["EmailVerificationMessage"] == described["VerificationMessageTemplate"]["EmailMessage"]


@probe(CLOUD_FORMATION)
def cdk_pool_update(s: Stage) -> None:
    made = s.create_pool(**CDK)
    changed = {**{k: v for k, v in CDK.items() if k != "UsernameAttributes"}, "DeletionProtection": "ACTIVE"}
    s.call("UpdateUserPool", UserPoolId=made["Id"], **changed)
    described = s.call("DescribeUserPool", UserPoolId=made["Id"])["UserPool"]
    _no_drift({**CDK, **changed}, described)
    with refused("InvalidParameterException", "deletion protection"):
        s.call("DeleteUserPool", UserPoolId=made["Id"])


@probe("https://github.com/aws-amplify/amplify-backend/issues/3299")
def cdk_required_attribute(s: Stage) -> None:
    # standardAttributes: { email: { required: true, mutable: true } } sends no data type.
    made = s.create_pool(Schema=[{"Name": "email", "Required": True, "Mutable": True}])
    (entry,) = _schema(made["SchemaAttributes"])
    assert (entry["Name"], entry["AttributeDataType"], entry["Required"]) == ("email", "String", True)


@probe(CLOUD_FORMATION)
def cdk_client(s: Stage) -> None:
    sent = {
        "AllowedOAuthFlows": ["implicit", "code"],
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthScopes": ["profile", "phone", "email", "openid", "aws.cognito.signin.user.admin"],
        "CallbackURLs": ["https://example.com"],
        "SupportedIdentityProviders": ["COGNITO"],
    }
    made = s.pool.admin("CreateUserPoolClient", ClientName="cdk", **sent)["UserPoolClient"]
    described = s.pool.admin("DescribeUserPoolClient", ClientId=made["ClientId"])["UserPoolClient"]
    _no_drift(sent, described)
    s.pool.admin("DeleteUserPoolClient", ClientId=made["ClientId"])
