"""Validation: the service checks each request by its model, and names every violation in one message."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

from ..probes import UNSURE, probe, refused
from ..stage import PASSWORD, Stage, pairs
from ..targets import HttpTarget

SEVERAL = "https://github.com/amazon-archives/amazon-cognito-identity-js/issues/388"
PATTERN = "https://github.com/anomalyco/guide/issues/127"
NULL = "https://github.com/amazon-archives/amazon-cognito-auth-js/issues/65"
NESTED = "https://github.com/aws/aws-cdk/pull/14699"
MODEL = "https://github.com/boto/botocore/blob/develop/botocore/data/cognito-idp/2016-04-18/service-2.json"
COMMON = "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/CommonErrors.html"
OWN = "https://github.com/boto/botocore/blob/develop/botocore/validate.py"


def _constraint(count: int, *violations: str) -> str:
    plural = "s" if count > 1 else ""
    return rf"^{count} validation error{plural} detected: " + "; ".join(violations) + "$"


def _at(path: str, rule: str, value: str = "") -> str:
    shown = f" {value}" if value else ""
    return (
        rf"Value{re.escape(shown)} at '{re.escape(path)}' failed to satisfy constraint: Member must {re.escape(rule)}"
    )


@probe(SEVERAL)
def all_violations_are_counted(s: Stage) -> None:
    with refused("InvalidParameterException", r"^[2-4] validation errors detected: "):
        s.pool.client.call("SignUp", Username="", Password="")
    rule = r"Value at 'username' failed to satisfy constraint: Member must have length greater than or equal to 1"
    with refused("InvalidParameterException", rule):
        s.pool.client.call("SignUp", Username="", Password=PASSWORD)


@probe(SEVERAL)
def secret_values_are_left_out(s: Stage) -> None:
    long = "Aa1-" * 80
    with refused("InvalidParameterException", _constraint(1, _at("password", "have length less than or equal to 256"))):
        s.pool.client.call("SignUp", Username=s.name(), Password=long)


@probe(PATTERN)
def pattern_of_a_pool_id(s: Stage) -> None:
    rule = r"satisfy regular expression pattern: [\w-]+_[0-9a-zA-Z]+"
    wanted = _constraint(1, _at("userPoolId", rule, "'YOUR USER POOL ID'"))
    with refused("InvalidParameterException", wanted):
        s.call("AdminConfirmSignUp", UserPoolId="YOUR USER POOL ID", Username="admin@example.com")


@probe("https://github.com/boto/boto3/issues/3581")
def pattern_of_a_client_id(s: Stage) -> None:
    # The service showed the value in 2023, although the model marks it as sensitive today: both forms are accepted.
    wanted = r"^1 validation error detected: Value( 'a_pool-id')? at 'clientId' failed to satisfy constraint: Member "
    with refused("InvalidParameterException", wanted + r"must satisfy regular expression pattern: \[\\w\+\]\+$"):
        s.call("InitiateAuth", ClientId="a_pool-id", AuthFlow="USER_PASSWORD_AUTH", AuthParameters={})


@probe(NULL)
def required_member(s: Stage) -> None:
    wanted = _constraint(1, r"Value( null)? at 'userPoolId' failed to satisfy constraint: Member must not be null")
    with refused("InvalidParameterException", wanted):
        s.call("DescribeUserPool")


@probe(NULL)
def required_member_of_a_list(s: Stage) -> None:
    wanted = r"at 'userAttributes\.1\.member\.name' failed to satisfy constraint: Member must not be null"
    with refused("InvalidParameterException", wanted):
        s.pool.admin("AdminUpdateUserAttributes", Username=s.pool.user(), UserAttributes=[{"Value": "x"}])


@probe(NESTED)
def length_in_a_list(s: Stage) -> None:
    name = "phone_number_verified"
    wanted = _constraint(1, _at("schema.1.member.name", "have length less than or equal to 20", f"'{name}'"))
    with refused("InvalidParameterException", wanted):
        s.create_pool(Schema=[{"Name": name, "AttributeDataType": "Boolean"}])


@probe(MODEL)
def value_of_an_enumeration(s: Stage) -> None:
    for operation, parameters, path in (
        ("InitiateAuth", {"ClientId": s.pool.client.id, "AuthFlow": "MAGIC"}, "authFlow"),
        ("AdminCreateUser", {"UserPoolId": s.pool.id, "Username": "x", "MessageAction": "MAGIC"}, "messageAction"),
    ):
        wanted = rf"^1 validation error detected: Value 'MAGIC' at '{path}' failed to satisfy constraint: Member must "
        with refused("InvalidParameterException", wanted + r"satisfy enum value set: \[[A-Z_]+(, [A-Z_]+)+\]$"):
            s.call(operation, **parameters)


@probe(MODEL)
def value_of_a_nested_enumeration(s: Stage) -> None:
    with refused("InvalidParameterException", "^1 validation error detected: .* satisfy enum value set: "):
        s.pool.new_client(TokenValidityUnits={"AccessToken": "weeks"})


@probe(MODEL)
def ranges_of_numbers(s: Stage) -> None:
    least = _constraint(1, _at("maxResults", "have value greater than or equal to 1", "'0'"))
    most = _constraint(1, _at("maxResults", "have value less than or equal to 60", "'61'"))
    for size, wanted in ((0, least), (61, most)):
        with refused("InvalidParameterException", wanted):
            s.call("ListUserPools", MaxResults=size)
    with refused(
        "InvalidParameterException", _constraint(1, _at("limit", "have value less than or equal to 60", "'61'"))
    ):
        s.pool.admin("ListUsers", Limit=61)


@probe(MODEL)
def ranges_of_other_lists(s: Stage) -> None:
    token = s.pool.client.tokens(s.pool.user())["AccessToken"]
    with refused("InvalidParameterException", "at 'maxResults' .* value less than or equal to 50$"):
        s.pool.admin("ListResourceServers", MaxResults=51)
    with refused("InvalidParameterException", "at 'maxResults' .* value less than or equal to 20$"):
        s.call("ListWebAuthnCredentials", AccessToken=token, MaxResults=21)


@probe(MODEL)
def range_of_a_nested_number(s: Stage) -> None:
    wanted = _at("policies.passwordPolicy.minimumLength", "have value greater than or equal to 6", "'5'")
    with refused("InvalidParameterException", wanted):
        s.create_pool(Policies={"PasswordPolicy": {"MinimumLength": 5}})


@probe(MODEL)
def length_of_a_name(s: Stage) -> None:
    with refused("InvalidParameterException", "at 'groupName' .* length less than or equal to 128"):
        s.pool.admin("CreateGroup", GroupName="g" * 129)
    with refused("InvalidParameterException", "at 'username' .* length less than or equal to 128"):
        s.pool.create("u" * 129)


@probe(MODEL)
def pattern_of_a_user_name(s: Stage) -> None:
    with refused("InvalidParameterException", "at 'username' .* satisfy regular expression pattern"):
        s.pool.create("a user")


@probe(MODEL)
def pattern_of_a_pool_name(s: Stage) -> None:
    with refused("InvalidParameterException", "at 'poolName' .* satisfy regular expression pattern"):
        s.call("CreateUserPool", PoolName="pool/name")


@probe(MODEL)
def code_of_an_authenticator_app_has_six_digits(s: Stage) -> None:
    pool = s.mfa_pool()
    token = pool.client.tokens(pool.user())["AccessToken"]
    s.call("AssociateSoftwareToken", AccessToken=token)
    with refused("InvalidParameterException", "at 'userCode' failed to satisfy constraint: Member must "):
        s.call("VerifySoftwareToken", AccessToken=token, UserCode="12345")


@probe("https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html")
def wrong_types(s: Stage) -> None:
    for parameters in (
        {"MaxResults": "ten"},
        {"MaxResults": [1]},
        {"MaxResults": 10, "NextToken": 5},
    ):
        with refused("SerializationException"):
            s.call("ListUserPools", **parameters)
    with refused("SerializationException"):
        s.pool.admin("AdminCreateUser", Username="x", UserAttributes={"Name": "email", "Value": "x"})


@probe(UNSURE, question="is a number accepted as a string, if the model has a string?")
def numbers_for_strings(s: Stage) -> None:
    with refused("SerializationException|UserNotFoundException"):
        s.pool.admin("AdminGetUser", Username=5)


@probe(MODEL)
def attribute_value_is_limited(s: Stage) -> None:
    with refused("InvalidParameterException", "length less than or equal to 2048|exceeded maximum allowed length|name"):
        s.pool.create(s.name(), name="x" * 2049)


@probe(OWN, own_rule=True)
def unknown_members_are_refused(s: Stage) -> None:
    with refused("InvalidParameterException", "ClientName"):
        s.call("CreateUserPool", PoolName="x", ClientName="x")
    with refused("InvalidParameterException", "MinimumLenght"):
        s.create_pool(Policies={"PasswordPolicy": {"MinimumLenght": 9}})
    with refused("InvalidParameterException", "ClientId"):
        s.pool.admin("AdminUpdateUserAttributes", ClientId="x", Username="x", UserAttributes=pairs({"name": "x"}))


@probe(OWN, own_rule=True)
def unknown_operation_is_named(s: Stage) -> None:
    with refused("UnknownOperationException", "MakeCoffee"):
        s.call("MakeCoffee")


@probe(
    "https://www.rfc-editor.org/rfc/rfc9112#section-6.3",
    about_http=True,
    unsuitable_for={"AWS": "would send malformed HTTP", "ministack": "is about HTTP, not about user pools"},
)
def two_lengths_of_a_body_are_refused(s: Stage) -> None:
    assert isinstance(s.target, HttpTarget)
    parts = urlsplit(s.target.url)
    request = (
        f"POST / HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/x-amz-json-1.1\r\n"
        "X-Amz-Target: AWSCognitoIdentityProviderService.GetUser\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} "
    )
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=10) as connection:
        connection.sendall(request.encode("ascii"))
        answer = connection.recv(4000)
    assert answer.startswith(b"HTTP/1.1 400"), answer.partition(b"\r\n")[0]
    # Not the operation's answer, which has the status 400 too.
    assert b"validation error" not in answer
    assert b"accessToken" not in answer


@probe(COMMON, about_http=True)
def administrators_sign_their_requests(s: Stage) -> None:
    assert isinstance(s.target, HttpTarget)
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AWSCognitoIdentityProviderService.ListUserPools",
    }
    status, answered, body = s.target.exchange("POST", "/", headers, b'{"MaxResults": 1}')
    assert status in (400, 403)
    code = answered.get("x-amzn-errortype", "") or body.decode()
    assert "MissingAuthenticationToken" in code


@probe("https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html", about_http=True)
def headers_of_an_answer(s: Stage) -> None:
    assert isinstance(s.target, HttpTarget)
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AWSCognitoIdentityProviderService.GetUser",
    }
    status, answered, _ = s.target.exchange("POST", "/", headers, b'{"AccessToken": "x"}')
    assert status == 400
    assert answered["content-type"] == "application/x-amz-json-1.1"
    assert answered["x-amzn-errortype"].partition(":")[0] == "NotAuthorizedException"
    assert answered["x-amzn-requestid"]
    assert answered["date"]
