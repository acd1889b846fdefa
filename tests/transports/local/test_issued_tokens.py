"""Tokens that do not come from a login: of app clients (GetClientToken), and derived ones (GetDerivedToken)."""

from __future__ import annotations

from typing import Any

import boto3
import jwt
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from srpcore_transports.local import Triggers

from .client import Client, refused

pytestmark = pytest.mark.counterpart

FLOW = "ALLOW_CLIENT_TOKEN_AUTH"
SCOPES = [{"ScopeName": "read", "ScopeDescription": "r"}, {"ScopeName": "write", "ScopeDescription": "w"}]
USER_SCOPE = "aws.cognito.signin.user.admin"


def app_client(boto: Any, client: Client, **settings: Any) -> dict[str, Any]:
    made: dict[str, Any] = boto.create_user_pool_client(UserPoolId=client.pool_id, ClientName="app", **settings)[
        "UserPoolClient"
    ]
    return made


def machine(boto: Any, client: Client, *scopes: str) -> dict[str, str]:
    """Return the parameters of GetClientToken for a new app client."""
    allowed = {"AllowedOAuthScopes": [*scopes]} if scopes else {}
    made = app_client(boto, client, GenerateSecret=True, ExplicitAuthFlows=[FLOW], **allowed)
    return {"ClientId": made["ClientId"], "Secret": made["ClientSecret"]}


def claims_of(client: Client, token: str, audience: str | None = None) -> dict[str, Any]:
    """Verify the signature with the published key, and return the claims."""
    key = jwt.PyJWKSet.from_json(client.pool.fetch(f"/{client.pool_id}/.well-known/jwks.json").decode()).keys[0]
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": audience is not None}
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], audience=audience, options=options)
    return claims


def token_of_another_pool(client: Client) -> str:
    """Return an access token of another pool of the same server."""
    pool_id = client.call("CreateUserPool", PoolName="other")["UserPool"]["Id"]
    app = client.call("CreateUserPoolClient", UserPoolId=pool_id, ClientName="other")["UserPoolClient"]["ClientId"]
    other = client.use(app)
    other.pool_id = pool_id
    other.user()
    return other.tokens()["AccessToken"]


@pytest.fixture
def orders(boto: Any, client: Client) -> None:
    """Add a resource server to the pool."""
    boto.create_resource_server(UserPoolId=client.pool_id, Identifier="orders", Name="orders", Scopes=SCOPES)


@pytest.mark.usefixtures("orders")
class TestClientTokens:
    def test_a_token_has_the_scopes_of_the_client_or_those_requested(self, boto: Any, client: Client) -> None:
        given = machine(boto, client, "orders/read", "orders/write")
        result = boto.get_client_token(**given)["ClientAuthenticationResult"]
        assert (result["ExpiresIn"], result["TokenType"]) == (3600, "Bearer")
        claims = claims_of(client, result["AccessToken"])
        assert claims["sub"] == claims["client_id"] == given["ClientId"]
        assert (claims["token_use"], claims["scope"]) == ("access", "orders/read orders/write")
        assert claims["exp"] - claims["iat"] == 3600
        one = boto.get_client_token(**given, Scopes=["orders/write"])["ClientAuthenticationResult"]
        assert claims_of(client, one["AccessToken"])["scope"] == "orders/write"

    def test_it_has_the_issuer_of_the_pool_whose_operations_refuse_it(self, boto: Any, client: Client) -> None:
        given = machine(boto, client, "orders/read")
        token = boto.get_client_token(**given)["ClientAuthenticationResult"]["AccessToken"]
        with pytest.raises(boto.exceptions.NotAuthorizedException, match="Invalid Access Token"):
            boto.get_user(AccessToken=token)
        issuer = claims_of(client, token)["iss"]
        assert issuer.endswith(client.pool_id)

    def test_both_secrets_are_accepted_and_others_refused(self, boto: Any, client: Client) -> None:
        given = machine(boto, client)
        added = boto.add_user_pool_client_secret(UserPoolId=client.pool_id, ClientId=given["ClientId"])
        second = added["ClientSecretDescriptor"]["ClientSecretValue"]
        assert "scope" not in claims_of(
            client, boto.get_client_token(**{**given, "Secret": second})["ClientAuthenticationResult"]["AccessToken"]
        )
        assert boto.get_client_token(**given)
        with pytest.raises(boto.exceptions.NotAuthorizedException, match="Unable to verify secret"):
            boto.get_client_token(**{**given, "Secret": "x" * 51})

    def test_scopes_must_exist_and_be_allowed(self, boto: Any, client: Client) -> None:
        given = machine(boto, client, "orders/read")
        with pytest.raises(boto.exceptions.InvalidParameterException, match="not allowed"):
            boto.get_client_token(**given, Scopes=["orders/write"])
        with pytest.raises(boto.exceptions.InvalidParameterException, match="does not belong"):
            boto.get_client_token(**given, Scopes=["orders/delete"])
        with pytest.raises(boto.exceptions.ScopeDoesNotExistException, match="orders/delete"):
            machine(boto, client, "orders/delete")
        with pytest.raises(boto.exceptions.ScopeDoesNotExistException):
            boto.update_user_pool_client(
                UserPoolId=client.pool_id, ClientId=client.client_id, AllowedOAuthScopes=["unknown"]
            )

    def test_the_flow_excludes_others_and_needs_a_secret(self, boto: Any, client: Client) -> None:
        for settings in (
            {"ExplicitAuthFlows": [FLOW]},
            {"ExplicitAuthFlows": [FLOW, "ALLOW_USER_SRP_AUTH"], "GenerateSecret": True},
        ):
            with pytest.raises(boto.exceptions.InvalidParameterException, match="only flow"):
                app_client(boto, client, **settings)
        with pytest.raises(boto.exceptions.InvalidParameterException, match="only flow"):
            boto.update_user_pool_client(UserPoolId=client.pool_id, ClientId=client.client_id, ExplicitAuthFlows=[FLOW])
        other = app_client(boto, client, GenerateSecret=True)
        with pytest.raises(boto.exceptions.InvalidParameterException, match="not enabled"):
            boto.get_client_token(ClientId=other["ClientId"], Secret=other["ClientSecret"])
        client.user()
        given = machine(boto, client)
        with refused("InvalidParameterException", "not enabled"):
            client.use(given["ClientId"], given["Secret"]).log_in()


def test_the_trigger_adds_scopes_and_claims_to_the_token_of_a_client(make: Any) -> None:
    def pre_token_generation(event: Any, _context: object = None) -> Any:
        assert event["triggerSource"] == "TokenGeneration_ClientCredentials"
        added = {"claimsToAddOrOverride": {"tenant": event["request"]["clientMetadata"]["tenant"]}}
        event["response"]["claimsAndScopeOverrideDetails"] = {"accessTokenGeneration": added}
        return event

    triggers = Triggers(pre_token_generation=pre_token_generation, pre_token_generation_version="V3_0")
    client = make(triggers=triggers)
    made = client.admin("CreateUserPoolClient", ClientName="m", GenerateSecret=True, ExplicitAuthFlows=[FLOW])
    app = made["UserPoolClient"]
    reply = client.call(
        "GetClientToken",
        ClientId=app["ClientId"],
        Secret=app["ClientSecret"],
        ClientMetadata={"tenant": "acme"},
    )
    assert claims_of(client, reply["ClientAuthenticationResult"]["AccessToken"])["tenant"] == "acme"


@pytest.mark.usefixtures("orders")
class TestDerivedTokens:
    @pytest.fixture
    def subject(self, client: Client) -> dict[str, str]:
        client.user(email="alice@example.com")
        return {"SubjectToken": client.tokens()["AccessToken"], "SubjectTokenType": "ACCESS_TOKEN"}

    @pytest.fixture
    def exchanger(self, boto: Any, client: Client) -> str:
        flows = ["ALLOW_TOKEN_EXCHANGE_IMPERSONATION", "ALLOW_TOKEN_EXCHANGE_DELEGATION"]
        return str(app_client(boto, client, ExplicitAuthFlows=flows)["ClientId"])

    def test_a_token_for_another_service_represents_the_user(
        self, boto: Any, client: Client, subject: dict[str, str], exchanger: str
    ) -> None:
        reply = boto.get_derived_token(ClientId=exchanger, **subject, Audiences=["billing"])
        assert (reply["IssuedTokenType"], reply["TokenType"], reply["Scopes"]) == (
            "ACCESS_TOKEN", "Bearer", [USER_SCOPE],
        )  # fmt: skip
        claims = claims_of(client, reply["IssuedToken"], "billing")
        assert (claims["username"], claims["client_id"], claims["aud"]) == ("alice", exchanger, "billing")
        assert "act" not in claims
        with pytest.raises(boto.exceptions.NotAuthorizedException, match="Invalid Access Token"):
            boto.get_user(AccessToken=reply["IssuedToken"])
        resource = boto.get_derived_token(ClientId=exchanger, **subject, Resources=["orders"], Scopes=["orders/read"])
        assert (resource["Scopes"], claims_of(client, resource["IssuedToken"], "orders")["aud"]) == ([], "orders")

    def test_actors_are_named_in_a_chain(
        self, boto: Any, client: Client, subject: dict[str, str], exchanger: str
    ) -> None:
        actors = [machine(boto, client, "orders/read") for _ in range(2)]
        token = subject["SubjectToken"]
        for actor in actors:
            acting = boto.get_client_token(**actor)["ClientAuthenticationResult"]["AccessToken"]
            reply = boto.get_derived_token(
                ClientId=exchanger,
                **{**subject, "SubjectToken": token},
                ActorToken=acting,
                ActorTokenType="ACCESS_TOKEN",
            )
            token = reply["IssuedToken"]
        first, second = (actor["ClientId"] for actor in actors)
        assert claims_of(client, token)["act"] == {"sub": second, "act": {"sub": first}}

    def test_an_id_token_is_exchanged_for_an_id_token(self, boto: Any, client: Client, exchanger: str) -> None:
        client.user(email="alice@example.com")
        identity = client.tokens()["IdToken"]
        reply = boto.get_derived_token(
            ClientId=exchanger, SubjectToken=identity, SubjectTokenType="ID_TOKEN", RequestedTokenType="ID_TOKEN"
        )
        assert (reply["IssuedTokenType"], reply["TokenType"]) == ("ID_TOKEN", "N_A")
        claims = claims_of(client, reply["IssuedToken"], exchanger)
        assert (claims["cognito:username"], claims["email"], claims["token_use"]) == (
            "alice", "alice@example.com", "id",
        )  # fmt: skip

    def test_other_tokens_are_refused(self, boto: Any, client: Client, subject: dict[str, str], exchanger: str) -> None:
        def refuse(code: str, message: str, **changes: Any) -> None:
            with pytest.raises(getattr(boto.exceptions, code), match=message):
                boto.get_derived_token(**{"ClientId": exchanger, **subject, **changes})

        other = Client(type(client.pool)(clock=client.clock), client.clock)
        other.user()
        token = subject["SubjectToken"]
        refuse("NotAuthorizedException", "Invalid", SubjectToken=other.tokens()["AccessToken"])
        refuse("NotAuthorizedException", "Invalid", SubjectToken=token_of_another_pool(client))
        refuse("NotAuthorizedException", "Invalid", SubjectToken=token[:-4] + "AAAA")
        refuse("NotAuthorizedException", "Invalid", SubjectTokenType="ID_TOKEN")
        refuse("InvalidParameterException", "user pool itself", SubjectTokenType="SAML2")
        refuse("InvalidParameterException", "user pool itself", SubjectTokenProviderName="okta")
        refuse("InvalidParameterException", "user pool itself", ActorToken=token)
        refuse("InvalidParameterException", "same request", Audiences=["a"], Resources=["orders"])
        refuse("ResourceNotFoundException", "does not exist", Resources=["unknown"])
        refuse("InvalidParameterException", "not enabled", ClientId=client.client_id)
        machine_token = boto.get_client_token(**machine(boto, client))["ClientAuthenticationResult"]["AccessToken"]
        refuse("UserNotFoundException", "does not exist", SubjectToken=machine_token)
        client.clock.now += 3600
        refuse("NotAuthorizedException", "expired")

    def test_tokens_of_a_revoked_login_or_a_disabled_user_are_refused(
        self, boto: Any, client: Client, subject: dict[str, str], exchanger: str
    ) -> None:
        derived = boto.get_derived_token(ClientId=exchanger, **subject)["IssuedToken"]
        boto.global_sign_out(AccessToken=subject["SubjectToken"])
        with pytest.raises(boto.exceptions.NotAuthorizedException, match="revoked"):
            boto.get_derived_token(ClientId=exchanger, **subject)
        boto.admin_disable_user(UserPoolId=client.pool_id, Username="alice")
        with pytest.raises(boto.exceptions.NotAuthorizedException, match="disabled"):
            boto.get_derived_token(ClientId=exchanger, **{**subject, "SubjectToken": derived})

    def test_a_token_without_origin_jti_is_refused_after_its_login_has_ended(
        self, boto: Any, client: Client, exchanger: str
    ) -> None:
        flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"]
        app = app_client(boto, client, ExplicitAuthFlows=flows, EnableTokenRevocation=False)
        client.user(email="alice@example.com")
        token = client.use(app["ClientId"]).tokens()["AccessToken"]
        boto.get_derived_token(ClientId=exchanger, SubjectToken=token, SubjectTokenType="ACCESS_TOKEN")
        boto.global_sign_out(AccessToken=token)
        with pytest.raises(boto.exceptions.NotAuthorizedException, match="revoked"):
            boto.get_derived_token(ClientId=exchanger, SubjectToken=token, SubjectTokenType="ACCESS_TOKEN")

    def test_a_request_without_a_signature_needs_the_secret(
        self, boto: Any, client: Client, subject: dict[str, str]
    ) -> None:
        app = app_client(
            boto, client, ExplicitAuthFlows=["ALLOW_TOKEN_EXCHANGE_IMPERSONATION"], GenerateSecret=True
        )  # fmt: skip
        unsigned: Any = boto3.client(
            "cognito-idp",
            region_name="us-east-1",
            endpoint_url=boto.meta.endpoint_url,
            config=Config(signature_version=UNSIGNED),
        )
        given = {"ClientId": app["ClientId"], **subject}
        with pytest.raises(boto.exceptions.NotAuthorizedException, match="ClientSecret was not received"):
            unsigned.get_derived_token(**given)
        assert unsigned.get_derived_token(**given, ClientSecret=app["ClientSecret"])["IssuedToken"]
        assert boto.get_derived_token(**given)["IssuedToken"]
        with pytest.raises(ClientError, match="Missing Authentication Token"):
            unsigned.describe_user_pool(UserPoolId=client.pool_id)
        unsigned.close()

    def test_a_wrong_secret_is_refused(self, boto: Any, client: Client, subject: dict[str, str]) -> None:
        flows = ["ALLOW_TOKEN_EXCHANGE_IMPERSONATION"]
        app = app_client(boto, client, ExplicitAuthFlows=flows, GenerateSecret=True)
        assert boto.get_derived_token(ClientId=app["ClientId"], ClientSecret=app["ClientSecret"], **subject)
        with pytest.raises(boto.exceptions.NotAuthorizedException, match="secret"):
            boto.get_derived_token(ClientId=app["ClientId"], ClientSecret="x" * 51, **subject)
