"""App clients: what CreateUserPoolClient and its relatives answer, and what they refuse."""

from __future__ import annotations

import re

from ..probes import UNSURE, api, guide, members, probe, refused
from ..stage import PASSWORD, Stage, attributes, claims, pairs
from .user_pools import NUMBER

SECRET_HASH = guide("signing-up-users-in-your-app")
UNAUTHORIZED = "https://github.com/aws/aws-sdk-js/issues/1319"
WRITE_ATTRIBUTES = "https://github.com/aws/aws-sdk-java/issues/1395"


@probe(api("UserPoolClientType"))
def defaults(s: Stage) -> None:
    made = s.pool.admin("CreateUserPoolClient", ClientName="plain")["UserPoolClient"]
    members(
        made,
        UserPoolId=s.pool.id,
        ClientName="plain",
        ClientId=re.compile("[0-9a-z]{25,26}"),
        CreationDate=NUMBER,
        LastModifiedDate=made["CreationDate"],
        RefreshTokenValidity=30,
        AllowedOAuthFlowsUserPoolClient=False,
        EnableTokenRevocation=True,
        EnablePropagateAdditionalUserContextData=False,
        AuthSessionValidity=3,
    )
    assert "ClientSecret" not in made


@probe(api("DescribeUserPoolClient"))
def creation_answers_what_describe_answers(s: Stage) -> None:
    made = s.pool.admin("CreateUserPoolClient", ClientName="plain")["UserPoolClient"]
    described = s.pool.admin("DescribeUserPoolClient", ClientId=made["ClientId"])["UserPoolClient"]
    assert made == described


@probe(UNSURE, question="what do ExplicitAuthFlows and TokenValidityUnits of a client say that was created without?")
def flows_and_units_that_were_not_given(s: Stage) -> None:
    made = s.pool.admin("CreateUserPoolClient", ClientName="plain")["UserPoolClient"]
    assert isinstance(made.get("ExplicitAuthFlows", []), list)
    assert isinstance(made.get("TokenValidityUnits", {}), dict)


@probe(api("CreateUserPoolClient"))
def default_flows(s: Stage) -> None:
    client, user = s.pool.new_client(ExplicitAuthFlows=None), s.pool.user()
    assert "AuthenticationResult" in client.srp(user)
    with refused("InvalidParameterException", "^USER_PASSWORD_AUTH flow not enabled for this client$"):
        client.log_in(user)


@probe(api("CreateUserPoolClient"))
def old_and_new_names_of_flows_do_not_mix(s: Stage) -> None:
    with refused("InvalidParameterException"):
        s.pool.new_client(ExplicitAuthFlows=["USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"])


@probe(SECRET_HASH)
def secret_is_generated_and_needed(s: Stage) -> None:
    client, user = s.pool.new_client(GenerateSecret=True), s.pool.user()
    assert client.secret is not None
    assert 1 <= len(client.secret) <= 64
    assert "AuthenticationResult" in client.log_in(user)
    with refused("NotAuthorizedException", f"^Client {client.id} is configured with secret but SECRET_HASH was not"):
        client.initiate("USER_PASSWORD_AUTH", USERNAME=user, PASSWORD=PASSWORD)
    with refused("NotAuthorizedException", f"^Unable to verify secret hash for client {client.id}$"):
        client.log_in(user, SECRET_HASH="AAAA")


@probe(api("UpdateUserPoolClient"))
def update_resets_what_is_left_out(s: Stage) -> None:
    client = s.pool.new_client(RefreshTokenValidity=5, EnableTokenRevocation=False)
    updated = s.pool.admin("UpdateUserPoolClient", ClientId=client.id, AuthSessionValidity=5)["UserPoolClient"]
    members(updated, RefreshTokenValidity=30, AuthSessionValidity=5, ClientName="conformance")


@probe(api("UpdateUserPoolClient"))
def update_changes_the_date(s: Stage) -> None:
    client = s.pool.new_client()
    updated = s.pool.admin("UpdateUserPoolClient", ClientId=client.id)["UserPoolClient"]
    assert updated["LastModifiedDate"] >= updated["CreationDate"]
    assert updated == s.pool.admin("DescribeUserPoolClient", ClientId=client.id)["UserPoolClient"]


@probe(api("ResourceNotFoundException"))
def client_of_another_pool_is_not_found(s: Stage) -> None:
    other = s.new_pool()
    for operation in ("DescribeUserPoolClient", "UpdateUserPoolClient", "DeleteUserPoolClient"):
        with refused("ResourceNotFoundException", f"^User pool client {other.client.id} does not exist.$"):
            s.pool.admin(operation, ClientId=other.client.id)


@probe(api("ListUserPoolClients"))
def list_describes_in_short(s: Stage) -> None:
    pool = s.new_pool()
    listed = pool.admin("ListUserPoolClients", MaxResults=60)["UserPoolClients"]
    assert listed == [{"ClientId": pool.client.id, "UserPoolId": pool.id, "ClientName": "conformance"}]


@probe(api("DeleteUserPoolClient"))
def deleted_client_is_gone(s: Stage) -> None:
    client, user = s.pool.new_client(), s.pool.user()
    s.pool.admin("DeleteUserPoolClient", ClientId=client.id)
    with refused("ResourceNotFoundException", f"^User pool client {client.id} does not exist.$"):
        client.log_in(user)


@probe(api("CreateUserPoolClient"))
def validity_of_tokens_has_limits(s: Stage) -> None:
    for settings in (
        {"AccessTokenValidity": 1, "TokenValidityUnits": {"AccessToken": "minutes"}},
        {"IdTokenValidity": 2, "TokenValidityUnits": {"IdToken": "days"}},
        {"RefreshTokenValidity": 30, "TokenValidityUnits": {"RefreshToken": "minutes"}},
    ):
        with refused("InvalidParameterException"):
            s.pool.new_client(**settings)


@probe(api("CreateUserPoolClient"))
def validity_of_tokens_counts_in_units(s: Stage) -> None:
    units = {"AccessToken": "minutes", "IdToken": "hours", "RefreshToken": "days"}
    client = s.pool.new_client(AccessTokenValidity=10, IdTokenValidity=2, TokenValidityUnits=units)
    result = client.tokens(s.pool.user())
    assert result["ExpiresIn"] == 600
    for token, seconds in ((result["AccessToken"], 600), (result["IdToken"], 7200)):
        assert claims(token)["exp"] - claims(token)["iat"] == seconds


@probe(api("CreateUserPoolClient"))
def existence_of_users_is_not_hidden_by_default(s: Stage) -> None:
    client = s.pool.new_client(PreventUserExistenceErrors=None)
    with refused("UserNotFoundException", "^User does not exist.$"):
        client.log_in(s.name("nobody"))


@probe(UNAUTHORIZED)
def attribute_that_the_client_may_not_write(s: Stage) -> None:
    client, user = s.pool.new_client(WriteAttributes=["name"]), s.pool.user()
    token = client.tokens(user)["AccessToken"]
    s.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs({"name": "Alice"}))
    with refused("NotAuthorizedException", "^A client attempted to write unauthorized attribute$"):
        s.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs({"nickname": "al"}))
    with refused("NotAuthorizedException", "^A client attempted to write unauthorized attribute$"):
        client.call("SignUp", Username=s.name(), Password=PASSWORD, UserAttributes=pairs({"nickname": "al"}))


@probe(api("CreateUserPoolClient"))
def attribute_that_the_client_may_not_read(s: Stage) -> None:
    client, user = s.pool.new_client(ReadAttributes=["name"]), s.pool.user(name="Alice", nickname="al")
    result = client.tokens(user)
    shown = attributes(s.call("GetUser", AccessToken=result["AccessToken"]))
    assert shown["name"] == "Alice"
    assert "nickname" not in shown
    assert "nickname" not in claims(result["IdToken"])


@probe(WRITE_ATTRIBUTES)
def unknown_write_attributes_are_refused(s: Stage) -> None:
    with refused("InvalidParameterException", "^Invalid write attributes specified while (creating|updating) a client"):
        s.pool.new_client(WriteAttributes=["custom:nope"])


@probe(api("AddUserPoolClientSecret"))
def second_secret(s: Stage) -> None:
    client, user = s.pool.new_client(GenerateSecret=True), s.pool.user()
    first = client.secret
    added = s.pool.admin("AddUserPoolClientSecret", ClientId=client.id)["ClientSecretDescriptor"]
    for client.secret in (first, added["ClientSecretValue"]):
        assert "AuthenticationResult" in client.log_in(user)
    listed = s.pool.admin("ListUserPoolClientSecrets", ClientId=client.id)["ClientSecrets"]
    assert len(listed) == 2
    assert all("ClientSecretValue" not in secret for secret in listed)
    with refused("LimitExceededException|InvalidParameterException"):
        s.pool.admin("AddUserPoolClientSecret", ClientId=client.id)
    removed = next(each["ClientSecretId"] for each in listed if each["ClientSecretId"] != added["ClientSecretId"])
    s.pool.admin("DeleteUserPoolClientSecret", ClientId=client.id, ClientSecretId=removed)
    client.secret = first
    with refused("NotAuthorizedException"):
        client.log_in(user)


@probe(api("CreateUserPoolClient"))
def client_credentials_and_code_grant_exclude_each_other(s: Stage) -> None:
    pool = s.new_pool()
    with refused("InvalidOAuthFlowException"):
        pool.new_client(
            GenerateSecret=True,
            AllowedOAuthFlows=["client_credentials", "code"],
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthScopes=["openid"],
            CallbackURLs=["https://example.com/"],
            SupportedIdentityProviders=["COGNITO"],
        )


@probe(UNSURE, question="which exception answers RevokeToken if EnableTokenRevocation is false?")
def revocation_that_is_off(s: Stage) -> None:
    client, user = s.pool.new_client(EnableTokenRevocation=False), s.pool.user()
    result = client.tokens(user)
    with refused("UnsupportedOperationException|OperationNotEnabledException|InvalidParameterException"):
        client.call("RevokeToken", Token=result["RefreshToken"])


@probe(guide("token-revocation"))
def tokens_without_revocation_have_no_origin(s: Stage) -> None:
    client, user = s.pool.new_client(EnableTokenRevocation=False), s.pool.user()
    assert "origin_jti" not in claims(client.tokens(user)["AccessToken"])
    assert "origin_jti" in claims(s.pool.client.tokens(user)["AccessToken"])
