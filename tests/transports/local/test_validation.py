"""What the local pool says to requests that break the service model.

The messages with an address were written by the service: a report there quotes them. Where a report quotes a constraint
that has changed since, the constraint is today's. The values of an enumeration are in the model's order here; the service
prints them in an order of its own.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from srpcore.exceptions import ConfigurationError
from srpcore.service_model import ENUMS
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.api.errors import Refusal
from srpcore_transports.local.api.validation import check

from .client import Client, refused

POOL = "eu-west-1_aBcDeFgHi"
CLIENT = "3n4b5urk1ft4fl3mg5e62d9ado"
LAMBDA_ARN = r"arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?"
VISIBLE = r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+"
FLOWS = ", ".join(ENUMS["ExplicitAuthFlowsType"])


def answer(operation: str, **document: Any) -> str:
    """Return the exception and message with which a request is refused."""
    with pytest.raises(Refusal) as caught:
        check(operation, document)
    return f"{caught.value.code}: {caught.value.message}"


def violations(*texts: str) -> str:
    errors = "1 validation error" if len(texts) == 1 else f"{len(texts)} validation errors"
    return f"InvalidParameterException: {errors} detected: {'; '.join(texts)}"


def broken(place: str, rule: str, value: str | None = None) -> str:
    shown = "Value" if value is None else f"Value {value}"
    return f"{shown} at '{place}' failed to satisfy constraint: Member must {rule}"


@pytest.mark.parametrize(
    ("operation", "document", "expected"),
    [
        # https://github.com/aws/aws-sdk-js/issues/3344
        (
            "ListGroups",
            {"UserPoolId": " ap-northeast-1_xxx"},
            [
                "Value ' ap-northeast-1_xxx' at 'userPoolId' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: [\w-]+_[0-9a-zA-Z]+"
            ],
        ),
        # https://github.com/hashicorp/terraform-provider-aws/issues/38167
        (
            "DescribeUserPoolClient",
            {"UserPoolId": POOL, "ClientId": ""},
            [
                "Value '' at 'clientId' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1",
                "Value '' at 'clientId' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: [\w+]+",
            ],
        ),
        # https://github.com/boto/boto3/issues/3581
        (
            "InitiateAuth",
            {"ClientId": "ap-northeast-1_xxxxxxxxx", "AuthFlow": "USER_PASSWORD_AUTH"},
            [
                "Value 'ap-northeast-1_xxxxxxxxx' at 'clientId' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: [\w+]+"
            ],
        ),
        # https://github.com/boto/boto3/issues/1356
        (
            "ListUsers",
            {"UserPoolId": POOL, "Limit": 100},
            ["Value '100' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 60"],
        ),
        # https://github.com/aws/aws-sdk-js/issues/2193
        (
            "AdminListGroupsForUser",
            {"UserPoolId": POOL, "Username": "alice", "Limit": -1},
            ["Value '-1' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 0"],
        ),
        # https://github.com/aws/aws-cli/issues/5843
        (
            "ListResourceServers",
            {"UserPoolId": POOL, "MaxResults": 0},
            [
                "Value '0' at 'maxResults' failed to satisfy constraint: "
                "Member must have value greater than or equal to 1"
            ],
        ),
        # https://github.com/ks888/LambStatus/issues/6: the value of a username is not shown.
        (
            "AdminCreateUser",
            {"UserPoolId": POOL, "Username": ""},
            [
                "Value at 'username' failed to satisfy constraint: Member must have length greater than or equal to 1",
                "Value at 'username' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+",
            ],
        ),
        # https://github.com/amazon-archives/amazon-cognito-identity-js/issues/551
        (
            "ConfirmSignUp",
            {"ClientId": CLIENT, "Username": "test test@test.com", "ConfirmationCode": "123456"},
            [
                "Value at 'username' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+"
            ],
        ),
        # https://github.com/aws-amplify/amplify-js/issues/869; the pattern was [\S]+ then.
        (
            "SignUp",
            {"ClientId": CLIENT, "Username": "alice", "Password": " blank at an end"},
            [
                "Value at 'password' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: ^[\S]+.*[\S]+$"
            ],
        ),
        # https://github.com/rosberglinhares/CloudFormationCognitoCustomResources/issues/1
        (
            "CreateUserPool",
            {"PoolName": "x", "MfaConfiguration": "false"},
            [
                "Value 'false' at 'mfaConfiguration' failed to satisfy constraint: "
                "Member must satisfy enum value set: [OFF, ON, OPTIONAL]"
            ],
        ),
        # https://github.com/aws-amplify/amplify-js/issues/3731
        (
            "CreateUserPool",
            {"PoolName": "x", "LambdaConfig": {"CustomMessage": "functionvdp3dcf8667CustomMessageArn"}},
            [
                "Value 'functionvdp3dcf8667CustomMessageArn' at 'lambdaConfig.customMessage' failed to satisfy "
                f"constraint: Member must satisfy regular expression pattern: {LAMBDA_ARN}"
            ],
        ),
        # https://github.com/aws/aws-cdk/pull/14699
        (
            "CreateUserPool",
            {"PoolName": "x", "Schema": [{"Name": "phone_number_verified"}]},
            [
                "Value 'phone_number_verified' at 'schema.1.member.name' failed to satisfy constraint: "
                "Member must have length less than or equal to 20"
            ],
        ),
        # https://github.com/aws-cloudformation/cfn-lint/issues/237; it was smsConfiguration.externalId, optional today.
        (
            "CreateUserPool",
            {"PoolName": "x", "UserPoolAddOns": {}},
            [
                "Value null at 'userPoolAddOns.advancedSecurityMode' failed to satisfy constraint: Member must not be null"
            ],
        ),
        # https://github.com/aws-amplify/amplify-js/issues/6460
        (
            "ConfirmSignUp",
            {"ClientId": CLIENT, "Username": "alice"},
            ["Value null at 'confirmationCode' failed to satisfy constraint: Member must not be null"],
        ),
        # https://github.com/aws/aws-sdk-java-v2/issues/5528: a list of strings is judged as a whole.
        (
            "UpdateUserPoolClient",
            {"UserPoolId": POOL, "ClientId": CLIENT, "LogoutURLs": [""]},
            [
                "Value '[]' at 'logoutURLs' failed to satisfy constraint: Member must satisfy constraint: "
                "[Member must have length less than or equal to 1024, "
                "Member must have length greater than or equal to 1, "
                r"Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+]"
            ],
        ),
        # https://github.com/aws-solutions/media-insights-on-aws/pull/199
        (
            "CreateUserPoolClient",
            {"UserPoolId": POOL, "ClientName": "x", "ExplicitAuthFlows": ["ADMIN_USER_PASSWORD_AUTH"]},
            [
                "Value '[ADMIN_USER_PASSWORD_AUTH]' at 'explicitAuthFlows' failed to satisfy constraint: "
                f"Member must satisfy constraint: [Member must satisfy enum value set: [{FLOWS}]]"
            ],
        ),
        # https://github.com/aws-amplify/amplify-flutter/issues/3125
        (
            "SignUp",
            {
                "ClientId": CLIENT,
                "Username": "alice",
                "UserAttributes": [{"Name": 'MapEntry(CognitoUserAttributeKey "custom:center")', "Value": "x"}],
            },
            [
                "Value 'MapEntry(CognitoUserAttributeKey \"custom:center\")' at 'userAttributes.1.member.name' failed "
                "to satisfy constraint: Member must have length less than or equal to 32"
            ],
        ),
    ],
)
def test_the_answer_is_the_one_that_the_service_gave(
    operation: str, document: dict[str, Any], expected: list[str]
) -> None:
    assert answer(operation, **document) == violations(*expected)


@pytest.mark.parametrize(
    ("operation", "document", "expected"),
    [
        (
            "InitiateAuth",
            {},
            [
                broken("authFlow", "not be null", "null"),
                broken("clientId", "not be null", "null"),
            ],
        ),
        (
            "AdminSetUserPassword",
            {"UserPoolId": POOL},
            [
                broken("username", "not be null"),
                broken("password", "not be null"),
            ],
        ),
        (
            "InitiateAuth",
            {"ClientId": CLIENT, "AuthFlow": "USER_SRP_AUTH", "AuthParameters": {"USERNAME": "x" * 131_073}},
            [
                "Value at 'authParameters' failed to satisfy constraint: Map value must satisfy constraint: "
                "[Member must have length less than or equal to 131072]",
            ],
        ),
        (
            "RespondToAuthChallenge",
            {"ClientId": CLIENT, "ChallengeName": "SMS_MFA", "Session": "short"},
            [
                broken("session", "have length greater than or equal to 20"),
            ],
        ),
        ("VerifySoftwareToken", {"UserCode": "12345"}, [broken("userCode", "have length greater than or equal to 6")]),
        ("VerifySoftwareToken", {"UserCode": "1234567"}, [broken("userCode", "have length less than or equal to 6")]),
        (
            "VerifySoftwareToken",
            {"UserCode": "12345x"},
            [
                broken("userCode", "satisfy regular expression pattern: [0-9]+"),
            ],
        ),
        (
            "GetUser",
            {"AccessToken": "a b"},
            [
                broken("accessToken", "satisfy regular expression pattern: [A-Za-z0-9-_=.]+"),
            ],
        ),
        (
            "SignUp",
            {"ClientId": CLIENT, "Username": "alice", "SecretHash": "ab-c"},
            [
                broken("secretHash", r"satisfy regular expression pattern: [\w+=/]+"),
            ],
        ),
        (
            "SignUp",
            {"ClientId": CLIENT, "Username": "alice", "Password": "x" * 257},
            [
                broken("password", "have length less than or equal to 256"),
            ],
        ),
        (
            "SignUp",
            {"ClientId": CLIENT, "Username": "a", "UserAttributes": [{"Name": "a"}, {"Value": "é" * 2049}]},
            [
                broken("userAttributes.2.member.name", "not be null", "null"),
                broken("userAttributes.2.member.value", "have length less than or equal to 2048"),
            ],
        ),
        (
            "SignUp",
            {"ClientId": CLIENT, "Username": "a", "UserAttributes": [None]},
            [
                broken("userAttributes.1.member", "not be null", "null"),
            ],
        ),
        (
            "GetDevice",
            {"DeviceKey": "nope"},
            [
                broken("deviceKey", r"satisfy regular expression pattern: [\w-]+_[0-9a-f-]+", "'nope'"),
            ],
        ),
        (
            "AddCustomAttributes",
            {"UserPoolId": POOL, "CustomAttributes": []},
            [
                broken("customAttributes", "have length greater than or equal to 1", "'[]'"),
            ],
        ),
        (
            "CreateUserPoolClient",
            {"UserPoolId": POOL, "ClientName": "x", "AllowedOAuthFlows": ["code"] * 4},
            [
                broken("allowedOAuthFlows", "have length less than or equal to 3", "'[code, code, code, code]'"),
            ],
        ),
        (
            "CreateUserPoolClient",
            {"UserPoolId": POOL, "ClientName": "x", "CallbackURLs": ["https://a", None]},
            [
                broken("callbackURLs", "satisfy constraint: [Member must not be null]", "'[https://a, null]'"),
            ],
        ),
        (
            "CreateUserPoolClient",
            {"UserPoolId": POOL, "ClientName": "x/y", "IdTokenValidity": 0},
            [
                broken("clientName", r"satisfy regular expression pattern: [\w\s+=,.@-]+", "'x/y'"),
                broken("idTokenValidity", "have value greater than or equal to 1", "'0'"),
            ],
        ),
        (
            "CreateUserPool",
            {"PoolName": "x", "Policies": {"PasswordPolicy": {"MinimumLength": 100}}},
            [
                broken("policies.passwordPolicy.minimumLength", "have value less than or equal to 99", "'100'"),
            ],
        ),
        (
            "CreateUserPool",
            {"PoolName": "x", "Policies": {"PasswordPolicy": {"MinimumLength": 5}}},
            [
                broken("policies.passwordPolicy.minimumLength", "have value greater than or equal to 6", "'5'"),
            ],
        ),
        (
            "CreateTerms",
            {"Links": {}},
            [
                broken("userPoolId", "not be null", "null"),
                broken("clientId", "not be null", "null"),
                broken("termsName", "not be null", "null"),
                broken("termsSource", "not be null", "null"),
                broken("enforcement", "not be null", "null"),
                broken("links", "have length greater than or equal to 1", "'{}'"),
            ],
        ),
        (
            "CreateUserPool",
            {"PoolName": "x", "AcrConfiguration": {"Level1": {}, "Level2": None}},
            [
                broken("acrConfiguration.Level1.member.acrValue", "not be null", "null"),
            ],
        ),
        # The words for keys and values of a map: https://github.com/boto/boto3/issues/2601,
        # https://github.com/aws/aws-cdk/issues/31795 (of other services).
        (
            "TagResource",
            {"ResourceArn": "arn:aws:cognito-idp:eu-west-1:1:userpool/x", "Tags": {"": "a", "b": "x" * 257}},
            [
                f"Value '{{=a, b={'x' * 257}}}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: "
                "[Member must have length less than or equal to 128, Member must have length greater than or equal to 1]",
                f"Value '{{=a, b={'x' * 257}}}' at 'tags' failed to satisfy constraint: Map value must satisfy constraint: "
                "[Member must have length less than or equal to 256]",
            ],
        ),
        (
            "SetUICustomization",
            {"UserPoolId": POOL, "ImageFile": base64.b64encode(bytes(131_073)).decode()},
            [
                broken(
                    "imageFile",
                    "have length less than or equal to 131072",
                    "'java.nio.HeapByteBuffer[pos=0 lim=131073 cap=131073]'",
                ),
            ],
        ),
        (
            "CreateGroup",
            {"UserPoolId": POOL, "GroupName": "a b", "Precedence": -1},
            [
                broken("groupName", f"satisfy regular expression pattern: {VISIBLE}", "'a b'"),
                broken("precedence", "have value greater than or equal to 0", "'-1'"),
            ],
        ),
    ],
)
def test_every_broken_constraint_is_named(operation: str, document: dict[str, Any], expected: list[str]) -> None:
    assert answer(operation, **document) == violations(*expected)


def test_a_value_within_a_sensitive_structure_is_not_shown() -> None:
    context = {"IpAddress": "1.2.3.4", "EncodedData": 7}
    with pytest.raises(Refusal):
        check("InitiateAuth", {"ClientId": CLIENT, "AuthFlow": "USER_AUTH", "UserContextData": context})
    refusal = answer(
        "InitiateAuth", ClientId=CLIENT, AuthFlow="USER_AUTH", AuthParameters={"PASSWORD": "hunter2" * 20_000}
    )
    assert "hunter2" not in refusal


def test_constraints_are_named_in_the_model_s_order_not_the_request_s() -> None:
    forward = answer("InitiateAuth", AuthFlow="A", ClientId="")
    assert forward == answer("InitiateAuth", ClientId="", AuthFlow="A")
    assert forward.index("authFlow") < forward.index("clientId")


NUMBER = "NUMBER_VALUE can not be converted to a String"


@pytest.mark.parametrize(
    ("operation", "document", "message"),
    [
        # https://github.com/aarondfrancis/sidecar/issues/148, and in older words https://github.com/pmill/aws-cognito/issues/10
        ("SignUp", {"UserAttributes": [{"Name": "a", "Value": 1}]}, f"{NUMBER} (at 'userAttributes.1.member.value')"),
        ("SignUp", {"Username": 1.5}, f"{NUMBER} (at 'username')"),
        ("SignUp", {"Username": True}, "TRUE_VALUE can not be converted to a String (at 'username')"),
        ("SignUp", {"Username": False}, "FALSE_VALUE can not be converted to a String (at 'username')"),
        # https://github.com/aws-amplify/amplify-js/issues/5165
        (
            "ConfirmForgotPassword",
            {"ConfirmationCode": {"verificationCode": "172476"}},
            "Start of structure or map found where not expected. (at 'confirmationCode')",
        ),
        # https://github.com/mpyw/cloudwatch-front-logger/issues/9 (of another service)
        ("SignUp", {"Username": ["alice"]}, "Start of list found where not expected. (at 'username')"),
        # https://github.com/floci-io/floci/pull/2869
        (
            "CreateManagedLoginBranding",
            {"UserPoolId": POOL, "ClientId": CLIENT, "Assets": "nope"},
            "Unexpected field type (at 'assets')",
        ),
        ("InitiateAuth", {"AuthParameters": "USERNAME=alice"}, "Unexpected field type (at 'authParameters')"),
        ("InitiateAuth", {"AuthParameters": []}, "Start of list found where not expected. (at 'authParameters')"),
        ("InitiateAuth", {"AuthParameters": {"USERNAME": 7}}, f"{NUMBER} (at 'authParameters')"),
        ("InitiateAuth", {"AnalyticsMetadata": 7}, "Unexpected field type (at 'analyticsMetadata')"),
        ("ListUsers", {"Limit": "10"}, "STRING_VALUE can not be converted to an Integer (at 'limit')"),
        ("ListUsers", {"Limit": 1.0}, "NUMBER_VALUE can not be converted to an Integer (at 'limit')"),
        ("ListUsers", {"Limit": True}, "TRUE_VALUE can not be converted to an Integer (at 'limit')"),
        ("ListUsers", {"Limit": 2**31}, "NUMBER_VALUE can not be converted to an Integer (at 'limit')"),
        (
            "AdminSetUserPassword",
            {"Permanent": "yes"},
            "STRING_VALUE can not be converted to a Boolean (at 'permanent')",
        ),
        ("AdminSetUserPassword", {"Permanent": 1}, "NUMBER_VALUE can not be converted to a Boolean (at 'permanent')"),
        ("SetUICustomization", {"ImageFile": "not base64!"}, "'imageFile' is not base64"),
        ("ListUsers", {"AttributesToGet": ["email", 7]}, f"{NUMBER} (at 'attributesToGet')"),
    ],
)
def test_a_wrong_type_is_refused_before_anything_else(operation: str, document: dict[str, Any], message: str) -> None:
    # The requests lack required members, too, and one is not known.
    assert answer(operation, Nonsense=1, **document) == f"SerializationException: {message}"


def test_a_null_counts_as_absent() -> None:
    check(
        "InitiateAuth",
        {"ClientId": CLIENT, "AuthFlow": "USER_AUTH", "UserContextData": None, "AuthParameters": {"A": None}},
    )
    assert "'clientId'" in answer("InitiateAuth", ClientId=None, AuthFlow="USER_AUTH")


@pytest.mark.parametrize(
    ("operation", "document", "message"),
    [
        ("InitiateAuth", {"ClientID": "x"}, "Unknown parameter 'ClientID' of InitiateAuth: did you mean 'ClientId'?"),
        ("GetUser", {"ACCESSTOKEN": "x"}, "Unknown parameter 'ACCESSTOKEN' of GetUser: did you mean 'AccessToken'?"),
        (
            "AdminCreateUser",
            {"UserName": "x"},
            "Unknown parameter 'UserName' of AdminCreateUser: did you mean 'Username'?",
        ),
        (
            "CreateUserPool",
            {"Id": POOL},
            "Unknown parameter 'Id' of CreateUserPool: the service model has no member of this name.",
        ),
        (
            "SignUp",
            {"UserAttributes": [{"Name": "a"}, {"Names": "email"}]},
            "Unknown parameter 'Names' in 'userAttributes.2.member' of SignUp: did you mean 'Name'?",
        ),
        (
            "CreateUserPool",
            {"Policies": {"PasswordPolicy": {"MinLength": 8}}},
            "Unknown parameter 'MinLength' in 'policies.passwordPolicy' of CreateUserPool: did you mean 'MinimumLength'?",
        ),
        (
            "GetUser",
            {"accessToken": "x", "b": None},
            "Unknown parameter 'accessToken' of GetUser: did you mean 'AccessToken'?; "
            "Unknown parameter 'b' of GetUser: the service model has no member of this name.",
        ),
    ],
)
def test_an_unknown_member_is_refused_with_a_similar_name(
    operation: str, document: dict[str, Any], message: str
) -> None:
    assert answer(operation, **document) == f"InvalidParameterException: {message}"


def test_names_in_a_map_are_the_client_s_own() -> None:
    check(
        "InitiateAuth", {"ClientId": CLIENT, "AuthFlow": "CUSTOM_AUTH", "ClientMetadata": {"anything": "x", "é ": ""}}
    )


def test_a_document_may_hold_any_json() -> None:
    settings = {"a": [1, None, {"b": True}], "": 1.5}
    check("CreateManagedLoginBranding", {"UserPoolId": POOL, "ClientId": CLIENT, "Settings": settings})


def test_an_integer_of_thirty_two_bits_is_accepted() -> None:
    check("CreateGroup", {"UserPoolId": POOL, "GroupName": "g", "Precedence": 2**31 - 1})


def test_a_long_value_is_not_compared_with_a_slow_pattern() -> None:
    # It would take hours: the time grows with the cube of the length.
    only = broken("password", "have length less than or equal to 256")
    document = {"ClientId": CLIENT, "Username": "alice", "Password": "x" * 100_000 + " "}
    assert answer("SignUp", **document) == violations(only)


def test_a_custom_domain_is_accepted() -> None:
    check("CreateUserPoolDomain", {"UserPoolId": POOL, "Domain": "auth.example.com"})


def test_a_blank_within_a_password_is_accepted() -> None:
    check("SignUp", {"ClientId": CLIENT, "Username": "alice", "Password": "correct horse"})


def test_a_request_is_validated_before_its_operation_is_called(client: Client) -> None:
    with refused("InvalidParameterException", "Unknown parameter 'Id' of CreateUserPool"):
        client.call("CreateUserPool", PoolName="x", Id="us-east-1_chosen")
    assert len(client.call("ListUserPools", MaxResults=60)["UserPools"]) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pool_settings": {"Policies": {"PasswordPolicy": {"MinLength": 8}}}}, "did you mean 'MinimumLength'"),
        ({"pool_settings": {"PoolName": "a/b"}}, "'a/b' at 'poolName'"),
        ({"pool_settings": {"WebAuthnConfiguration": {"RelyingPartyID": "x"}}}, "did you mean 'RelyingPartyId'"),
        ({"pool_settings": {"DeletionProtection": True}}, "TRUE_VALUE can not be converted to a String"),
        ({"client_settings": {"ClientName": "a/b"}}, "'a/b' at 'clientName'"),
        ({"client_settings": {"ExplicitAuthFlow": []}}, "did you mean 'ExplicitAuthFlows'"),
    ],
)
def test_the_settings_of_the_constructor_are_validated_too(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        LocalUserPool(**settings)
