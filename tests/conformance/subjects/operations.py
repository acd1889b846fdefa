"""One small story for each group of operations that an emulator may lack: does the operation work at all?"""

from __future__ import annotations

import re

from srpcore.service_model import OPERATIONS

from ..probes import Refused, answers_to, api, members, probe, refused, tried
from ..stage import Stage
from .user_pools import NUMBER

PROVIDER = {
    "client_id": "abc",
    "client_secret": "def",
    "authorize_scopes": "openid",
    "attributes_request_method": "GET",
    "oidc_issuer": "https://example.com",
    "authorize_url": "https://example.com/authorize",
    "token_url": "https://example.com/token",
    "attributes_url": "https://example.com/userinfo",
    "jwks_uri": "https://example.com/jwks",
}


@probe(api("CreateUserPoolDomain"))
def domain(s: Stage) -> None:
    pool = s.new_pool()
    name = f"srpcore-{s.name('domain')}-{pool.id.partition('_')[2].lower()}"
    pool.admin("CreateUserPoolDomain", Domain=name)
    described = s.call("DescribeUserPoolDomain", Domain=name)["DomainDescription"]
    members(described, Domain=name, UserPoolId=pool.id, Status=re.compile("ACTIVE|CREATING"))
    assert pool.describe()["Domain"] == name
    with refused("InvalidParameterException", "(?i)domain.*already"):
        s.new_pool().admin("CreateUserPoolDomain", Domain=name)
    pool.admin("DeleteUserPoolDomain", Domain=name)
    assert s.call("DescribeUserPoolDomain", Domain=name)["DomainDescription"] == {}


@probe(api("CreateResourceServer"))
def resource_server(s: Stage) -> None:
    pool = s.new_pool()
    scopes = [{"ScopeName": "read", "ScopeDescription": "Read"}]
    server = {"Identifier": "https://api.example.com", "Name": "api", "Scopes": scopes}
    made = pool.admin("CreateResourceServer", **server)["ResourceServer"]
    assert made == {"UserPoolId": pool.id, **server}
    identifier = server["Identifier"]
    assert pool.admin("DescribeResourceServer", Identifier=identifier)["ResourceServer"] == made
    assert pool.admin("ListResourceServers", MaxResults=10)["ResourceServers"] == [made]
    pool.admin("DeleteResourceServer", Identifier=identifier)
    with refused("ResourceNotFoundException"):
        pool.admin("DescribeResourceServer", Identifier=identifier)


@probe(api("CreateIdentityProvider"))
def identity_provider(s: Stage) -> None:
    pool = s.new_pool()
    given = {"ProviderName": "acme", "ProviderType": "OIDC", "ProviderDetails": PROVIDER}
    made = pool.admin(
        "CreateIdentityProvider", **given, AttributeMapping={"username": "sub"}, IdpIdentifiers=["acme-id"]
    )
    members(made["IdentityProvider"], **given, UserPoolId=pool.id, CreationDate=NUMBER, IdpIdentifiers=["acme-id"])
    found = pool.admin("GetIdentityProviderByIdentifier", IdpIdentifier="acme-id")["IdentityProvider"]
    assert found["ProviderName"] == "acme"
    pool.admin("DeleteIdentityProvider", ProviderName="acme")


@probe(api("AdminLinkProviderForUser"))
def linked_provider(s: Stage) -> None:
    pool = s.new_pool()
    given = {"ProviderName": "acme", "ProviderType": "OIDC", "ProviderDetails": PROVIDER}
    pool.admin("CreateIdentityProvider", **given)
    user = pool.user()
    source = {"ProviderName": "acme", "ProviderAttributeName": "Cognito_Subject", "ProviderAttributeValue": "42"}
    destination = {"ProviderName": "Cognito", "ProviderAttributeValue": user}
    pool.admin("AdminLinkProviderForUser", DestinationUser=destination, SourceUser=source)
    linked = next(entry for entry in pool.get(user)["UserAttributes"] if entry["Name"] == "identities")
    assert '"userId":"42"' in linked["Value"].replace(" ", "")
    pool.admin("AdminDisableProviderForUser", User=source)
    assert "identities" not in [entry["Name"] for entry in pool.get(user)["UserAttributes"]]


@probe(api("GetCSVHeader"))
def header_of_an_import(s: Stage) -> None:
    header = s.pool.admin("GetCSVHeader")["CSVHeader"]
    assert {"name", "email", "email_verified", "cognito:mfa_enabled", "cognito:username"} <= set(header)


@probe(api("CreateUserImportJob"), unsuitable_for={"AWS": "needs an IAM role in the account"})
def import_job(s: Stage) -> None:
    role = "arn:aws:iam::123456789012:role/import"
    job = s.pool.admin("CreateUserImportJob", JobName="job", CloudWatchLogsRoleArn=role)["UserImportJob"]
    members(job, JobName="job", JobId=re.compile("import-[0-9a-zA-Z-]+"), PreSignedUrl=str, Status="Created")
    found = s.pool.admin("DescribeUserImportJob", JobId=job["JobId"])["UserImportJob"]
    assert found["JobName"] == "job"
    assert s.pool.admin("ListUserImportJobs", MaxResults=10)["UserImportJobs"]


@probe(api("GetUserPoolSessionConfiguration"))
def session_configuration(s: Stage) -> None:
    pool = s.new_pool()
    members(pool.admin("GetUserPoolSessionConfiguration"), TokenSession={"MaxPerUser": 20})


@probe(api("AdminListUserAuthEvents"))
def auth_events(s: Stage) -> None:
    user = s.pool.user()
    reply = tried(lambda: s.pool.admin("AdminListUserAuthEvents", Username=user))
    if isinstance(reply, Refused):
        assert reply.code == "UserPoolAddOnNotEnabledException", reply
    else:
        assert isinstance(reply["AuthEvents"], list)


@probe(api("DescribeRiskConfiguration"))
def risk_configuration(s: Stage) -> None:
    pool = s.new_pool()
    assert isinstance(pool.admin("DescribeRiskConfiguration")["RiskConfiguration"], dict)


@probe(api("GetLogDeliveryConfiguration"))
def log_delivery(s: Stage) -> None:
    pool = s.new_pool()
    reply = pool.admin("GetLogDeliveryConfiguration").get("LogDeliveryConfiguration", {})
    assert reply.get("LogConfigurations", []) == []


@probe(api("GetUICustomization"))
def classic_branding(s: Stage) -> None:
    assert "UICustomization" in s.new_pool().admin("GetUICustomization")


@probe(api("CreateManagedLoginBranding"))
def managed_branding(s: Stage) -> None:
    pool = s.new_pool()
    made = pool.admin("CreateManagedLoginBranding", ClientId=pool.client.id, UseCognitoProvidedValues=True)
    members(made["ManagedLoginBranding"], ManagedLoginBrandingId=str, UserPoolId=pool.id)
    found = pool.admin("DescribeManagedLoginBrandingByClient", ClientId=pool.client.id)["ManagedLoginBranding"]
    assert found["ManagedLoginBrandingId"] == made["ManagedLoginBranding"]["ManagedLoginBrandingId"]


@probe(api("CreateTerms"))
def terms(s: Stage) -> None:
    pool = s.new_pool()
    made = pool.admin(
        "CreateTerms",
        ClientId=pool.client.id,
        TermsName="terms-of-use",
        TermsSource="LINK",
        Enforcement="NONE",
        Links={"cognito:default": "https://example.com/terms"},
    )
    members(made["Terms"], TermsId=str, TermsName="terms-of-use", UserPoolId=pool.id)


@probe(api("GetClientToken"))
def client_token(s: Stage) -> None:
    # The documentation of GetClientToken names this flow, although the model's enumeration of flows does not have it.
    client = s.new_pool().new_client(GenerateSecret=True, ExplicitAuthFlows=["ALLOW_CLIENT_TOKEN_AUTH"])
    reply = client.call("GetClientToken", Secret=client.secret)
    members(reply["ClientAuthenticationResult"], AccessToken=str, ExpiresIn=int, TokenType="Bearer")


@probe(api("GetDerivedToken"))
def derived_token(s: Stage) -> None:
    pool = s.new_pool()
    flows = ["ALLOW_TOKEN_EXCHANGE_IMPERSONATION", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    client, user = pool.new_client(ExplicitAuthFlows=flows), pool.user()
    subject = {"SubjectToken": client.tokens(user)["AccessToken"], "SubjectTokenType": "ACCESS_TOKEN"}
    members(
        client.call("GetDerivedToken", **subject), IssuedToken=str, IssuedTokenType="ACCESS_TOKEN", TokenType="Bearer"
    )


@probe(api("CreateCIMDPolicy"))
def client_metadata_policy(s: Stage) -> None:
    pool = s.new_pool()
    given = {"ClientId": pool.client.id, "PolicyName": "apps", "URLPatterns": ["https://example.com/*"]}
    made = pool.admin("CreateCIMDPolicy", **given)["CIMDPolicy"]
    members(made, **given, UserPoolId=pool.id, CIMDPolicyId=str)
    assert [policy["PolicyName"] for policy in pool.admin("ListCIMDPolicies")["CIMDPolicies"]] == ["apps"]


@probe(api("ListUserPoolReplicas"))
def replicas(s: Stage) -> None:
    assert isinstance(s.new_pool().admin("ListUserPoolReplicas")["UserPoolReplicas"], list)


@probe(api("Operations"), own_rule=True)
def most_operations_are_known(s: Stage) -> None:
    # Without parameters each operation refuses the request, unless it is not there.
    names = list(OPERATIONS.values())
    answers = answers_to(lambda number: s.call(names[number]), len(names))
    missing = [name for name, answer in zip(names, answers, strict=True) if answer.startswith("UnknownOperation")]
    assert len(OPERATIONS) - len(missing) >= 140, f"{len(missing)} of {len(OPERATIONS)} are absent: {' '.join(missing)}"


@probe(api("GetSigningCertificate"))
def signing_certificate(s: Stage) -> None:
    assert re.fullmatch(r"[0-9A-Za-z+/=\s-]+", s.pool.admin("GetSigningCertificate")["Certificate"])
