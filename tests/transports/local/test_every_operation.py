"""One story that uses every operation of the local pool, and compares every answer with botocore's service model."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest

from srpcore.aws_json import decode
from srpcore.exceptions import service_error
from srpcore.service_model import OPERATIONS
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.operations import dispatch
from srpcore_transports.local.storage.state import State
from support.authenticator import Authenticator
from support.clock import Clock
from support.reply_shapes import differences
from support.users import NEW_PASSWORD, OTHER_PASSWORD, PASSWORD

from .client import Client, confirm_device, enrol, refused, temporary_user

pytestmark = pytest.mark.counterpart

REFUSED = {
    # The pool sends no feedback tokens, and caches no documents, so these have no other answer.
    "UpdateAuthEventFeedback": "NotAuthorizedException",
    "UpdateClientMetadataURLState": "CachedCIMDURLDoesNotExistException",
}
LINKS = {"TermsSource": "LINK", "Enforcement": "NONE", "Links": {"cognito:default": "https://example.com"}}
LIMIT = {"LimitClass": "API_CATEGORY", "Attributes": {"Category": "UserRead"}}


class Checked(Client):
    """A client that compares every answer with the model, and notes the operation."""

    def __init__(self, pool: LocalUserPool, clock: Clock) -> None:
        super().__init__(pool, clock)
        self.model = botocore.session.get_session().get_service_model("cognito-idp")
        self.used: set[str] = set()

    def call(self, name: str, **parameters: Any) -> dict[str, Any]:
        response = dispatch.answer(self.pool._service, name, json.dumps(parameters).encode())
        if response.status != 200:
            raise service_error(decode(response.status, response.headers, response.body), name)
        # Not by decode(), which would turn the dates into datetimes.
        document: dict[str, Any] = json.loads(response.body)
        shape = self.model.operation_model(name).output_shape
        assert shape is not None or document == {}, name
        assert shape is None or list(differences(shape, document, name)) == []
        self.used.add(name)
        return document

    def code(self, username: str = "alice") -> str:
        return self.pool.outbox.latest(username).code


@pytest.fixture
def c(clock: Clock) -> Checked:
    settings = {
        "UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"},
        "UserPoolTier": "PLUS",
        "Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}},
    }
    pool = LocalUserPool(clock=clock, remember_devices=True, pool_settings=settings)
    return Checked(pool, clock)


def test_every_answer_has_the_form_of_the_service_model(c: Checked) -> None:
    stories = (pools_and_clients, users, groups, profiles, logins, devices, passkeys, passwords, resources, stored)
    for story in stories:
        story(c)
    c.admin("DeleteUserPool")
    assert set(OPERATIONS.values()) - c.used == set(REFUSED)


def pools_and_clients(c: Checked) -> None:
    arn = c.call("CreateUserPool", PoolName="other")["UserPool"]["Arn"]
    c.call("TagResource", ResourceArn=arn, Tags={"a": "b"})
    c.call("UntagResource", ResourceArn=arn, TagKeys=["a"])
    c.call("ListTagsForResource", ResourceArn=arn)
    c.call("ListUserPools", MaxResults=10)
    c.admin("AddCustomAttributes", CustomAttributes=[{"Name": "tenant", "AttributeDataType": "String"}])
    c.admin("DescribeUserPool")
    c.admin("GetUserPoolMfaConfig")
    c.admin(
        "SetUserPoolMfaConfig", MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True},
        WebAuthnConfiguration={"RelyingPartyId": "localhost"},
    )  # fmt: skip
    c.call("UpdateUserPool", UserPoolId=arn.rpartition("/")[2], PoolName="renamed")
    app = c.admin("CreateUserPoolClient", ClientName="app", GenerateSecret=True)["UserPoolClient"]["ClientId"]
    named = {"ClientId": app}
    for name in ("DescribeUserPoolClient", "UpdateUserPoolClient", "ListUserPoolClientSecrets"):
        c.admin(name, **named)
    c.admin("ListUserPoolClients")
    added = c.admin("AddUserPoolClientSecret", **named)["ClientSecretDescriptor"]["ClientSecretId"]
    c.admin("DeleteUserPoolClientSecret", **named, ClientSecretId=added)
    tracking = {"UserSessionTracking": "ENABLED", "TokenSession": {"MaxPerUser": 20}}
    c.admin("SetUserPoolSessionConfiguration", **tracking)
    c.admin("GetUserPoolSessionConfiguration")
    c.admin("SetUserPoolClientSessionConfiguration", **named, SSOSession={"MaxValidityMinutes": 5})
    c.admin("GetUserPoolClientSessionConfiguration", **named)
    c.admin("DeleteUserPoolClient", **named)


def users(c: Checked) -> None:
    c.user(email="alice@example.com", email_verified="true", phone_number="+15550100", phone_number_verified="true")
    for name in ("AdminGetUser", "AdminDisableUser", "AdminEnableUser", "AdminGetUserAuthFactors"):
        c.admin(name, Username="alice")
    c.admin("ListUsers")
    c.admin("AdminUpdateUserAttributes", Username="alice", UserAttributes=[{"Name": "name", "Value": "Alice"}])
    c.admin("AdminDeleteUserAttributes", Username="alice", UserAttributeNames=["name"])
    c.call("SignUp", ClientId=c.client_id, Username="bob", Password=PASSWORD,
           UserAttributes=[{"Name": "email", "Value": "bob@example.com"}])  # fmt: skip
    c.call("ResendConfirmationCode", ClientId=c.client_id, Username="bob")
    c.call("ConfirmSignUp", ClientId=c.client_id, Username="bob", ConfirmationCode=c.code("bob"))
    c.call("SignUp", ClientId=c.client_id, Username="carol", Password=PASSWORD)
    c.admin("AdminConfirmSignUp", Username="carol")
    c.admin("AdminDeleteUser", Username="carol")


def groups(c: Checked) -> None:
    group = {"GroupName": "staff"}
    for name in ("CreateGroup", "GetGroup", "UpdateGroup"):
        c.admin(name, **group)
    c.admin("AdminAddUserToGroup", **group, Username="alice")
    c.admin("ListUsersInGroup", **group)
    c.admin("AdminListGroupsForUser", Username="alice")
    c.admin("AdminRemoveUserFromGroup", **group, Username="alice")
    c.admin("ListGroups")
    c.admin("DeleteGroup", **group)


def profiles(c: Checked) -> None:
    token = {"AccessToken": c.tokens()["AccessToken"]}
    for name in ("GetUser", "GetUserAuthFactors", "ListUserSessions", "ListDevices", "ListWebAuthnCredentials"):
        c.call(name, **token)
    c.call("UpdateUserAttributes", **token, UserAttributes=[{"Name": "nickname", "Value": "Al"}])
    c.call("DeleteUserAttributes", **token, UserAttributeNames=["nickname"])
    c.call("GetUserAttributeVerificationCode", **token, AttributeName="email")
    c.call("VerifyUserAttribute", **token, AttributeName="email", Code=c.code())
    c.call("DeleteUser", AccessToken=c.tokens("bob")["AccessToken"])


def logins(c: Checked) -> None:
    tokens = c.tokens()
    secret = {"ClientId": c.client_id}
    c.call("GetTokensFromRefreshToken", **secret, RefreshToken=_remembered(c)["RefreshToken"])
    c.call("RevokeToken", **secret, Token=tokens["RefreshToken"])
    own, other = c.tokens(), c.call("ListUserSessions", AccessToken=c.tokens()["AccessToken"])["Sessions"][0]
    c.call("RevokeUserSession", AccessToken=own["AccessToken"], SessionId=other["SessionId"])
    session = c.admin("AdminListUserSessions", Username="alice")["Sessions"][0]["SessionId"]
    c.admin("AdminRevokeUserSession", Username="alice", SessionId=session)
    c.call("GlobalSignOut", AccessToken=own["AccessToken"])
    c.admin("AdminUserGlobalSignOut", Username="alice")
    temporary_user(c, "dave")
    password = {"USERNAME": "dave", "PASSWORD": PASSWORD}
    challenge = c.admin(
        "AdminInitiateAuth", **secret, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters=password
    )  # fmt: skip
    answers = {"USERNAME": "dave", "NEW_PASSWORD": NEW_PASSWORD}
    c.admin("AdminRespondToAuthChallenge", **secret, ChallengeName=challenge["ChallengeName"],
            Session=challenge["Session"], ChallengeResponses=answers)  # fmt: skip
    event = c.admin("AdminListUserAuthEvents", Username="dave")["AuthEvents"][0]["EventId"]
    feedback = {"Username": "dave", "EventId": event, "FeedbackValue": "Valid"}
    c.admin("AdminUpdateAuthEventFeedback", **feedback)
    with refused(REFUSED["UpdateAuthEventFeedback"]):
        c.admin("UpdateAuthEventFeedback", **feedback, FeedbackToken="x")


def _remembered(c: Checked) -> dict[str, Any]:
    """Return tokens that can be refreshed without a device."""
    c.admin("UpdateUserPool", UserPoolTier="PLUS", UserPoolAddOns={"AdvancedSecurityMode": "AUDIT"},
            AutoVerifiedAttributes=["email"], MfaConfiguration="OPTIONAL",
            SmsConfiguration={"SnsCallerArn": "arn:aws:iam::000000000000:role/sms"},
            Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}})  # fmt: skip
    tokens = c.tokens()
    c.admin("UpdateUserPool", UserPoolTier="PLUS", UserPoolAddOns={"AdvancedSecurityMode": "AUDIT"},
            AutoVerifiedAttributes=["email"], MfaConfiguration="OPTIONAL",
            SmsConfiguration={"SnsCallerArn": "arn:aws:iam::000000000000:role/sms"},
            DeviceConfiguration={"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": False},
            Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}})  # fmt: skip
    return tokens


def devices(c: Checked) -> None:
    for admin in (False, True):
        tokens = c.tokens()
        device, _ = confirm_device(c, tokens)
        named = {"DeviceKey": device.key}
        token = {"AccessToken": tokens["AccessToken"]}
        if admin:
            for name in ("AdminGetDevice", "AdminForgetDevice"):
                c.admin("AdminUpdateDeviceStatus", Username="alice", **named, DeviceRememberedStatus="remembered")
                c.admin("AdminListDevices", Username="alice")
                c.admin(name, Username="alice", **named)
        else:
            c.call("UpdateDeviceStatus", **token, **named, DeviceRememberedStatus="remembered")
            for name in ("GetDevice", "ForgetDevice"):
                c.call(name, **token, **named)


def passkeys(c: Checked) -> None:
    token = {"AccessToken": c.tokens()["AccessToken"]}
    options = c.call("StartWebAuthnRegistration", **token)["CredentialCreationOptions"]
    c.call("CompleteWebAuthnRegistration", **token, Credential=Authenticator().create(options))
    credential = c.call("ListWebAuthnCredentials", **token)["Credentials"][0]["CredentialId"]
    c.call("DeleteWebAuthnCredential", **token, CredentialId=credential)


def passwords(c: Checked) -> None:
    token = {"AccessToken": c.tokens()["AccessToken"]}
    c.call("ChangePassword", **token, PreviousPassword=PASSWORD, ProposedPassword=NEW_PASSWORD)
    c.call("ForgotPassword", ClientId=c.client_id, Username="alice")
    c.admin("AdminResetUserPassword", Username="alice")
    c.call("ConfirmForgotPassword", ClientId=c.client_id, Username="alice", ConfirmationCode=c.code(),
           Password=OTHER_PASSWORD)  # fmt: skip
    c.admin("AdminSetUserPassword", Username="alice", Password=PASSWORD, Permanent=True)
    sms = {"DeliveryMedium": "SMS", "AttributeName": "phone_number"}
    for options in ([sms], []):
        c.admin("AdminSetUserSettings", Username="alice", MFAOptions=options)
    c.call("SetUserSettings", AccessToken=c.tokens()["AccessToken"], MFAOptions=[])
    enrol(c, prefer=False)
    c.admin("AdminSetUserMFAPreference", Username="alice", SoftwareTokenMfaSettings={"Enabled": False})
    c.admin("AdminDeleteSoftwareToken", Username="alice")


def resources(c: Checked) -> None:
    server = {"Identifier": "orders", "Name": "orders"}
    for name in ("CreateResourceServer", "UpdateResourceServer"):
        c.admin(name, **server, Scopes=[{"ScopeName": "read", "ScopeDescription": "r"}])
    c.admin("DescribeResourceServer", Identifier="orders")
    c.admin("ListResourceServers")
    flow = {"GenerateSecret": True, "ExplicitAuthFlows": ["ALLOW_CLIENT_TOKEN_AUTH"]}
    machine = c.admin("CreateUserPoolClient", ClientName="m", **flow, AllowedOAuthScopes=["orders/read"])
    app = machine["UserPoolClient"]
    c.call("GetClientToken", ClientId=app["ClientId"], Secret=app["ClientSecret"])
    flows = ["ALLOW_TOKEN_EXCHANGE_IMPERSONATION"]
    exchanger = c.admin("CreateUserPoolClient", ClientName="x", ExplicitAuthFlows=flows)["UserPoolClient"]["ClientId"]
    subject = {"SubjectToken": c.tokens()["AccessToken"], "SubjectTokenType": "ACCESS_TOKEN"}
    c.call("GetDerivedToken", ClientId=exchanger, **subject)
    c.admin("DeleteResourceServer", Identifier="orders")
    provider = {"ProviderName": "acme", "ProviderDetails": {"client_id": "x"}}
    c.admin("CreateIdentityProvider", **provider, ProviderType="OIDC", IdpIdentifiers=["acme.org"])
    c.admin("UpdateIdentityProvider", **provider)
    c.admin("DescribeIdentityProvider", ProviderName="acme")
    c.admin("GetIdentityProviderByIdentifier", IdpIdentifier="acme.org")
    c.admin("ListIdentityProviders")
    source = {"ProviderName": "acme", "ProviderAttributeName": "Cognito_Subject", "ProviderAttributeValue": "42"}
    local = {"ProviderName": "Cognito", "ProviderAttributeValue": "alice"}
    c.admin("AdminLinkProviderForUser", DestinationUser=local, SourceUser=source)
    c.admin("AdminDisableProviderForUser", User=source)
    c.admin("DeleteIdentityProvider", ProviderName="acme")
    c.admin("GetCSVHeader")
    role = "arn:aws:iam::000000000000:role/import"
    job = c.admin("CreateUserImportJob", JobName="j", CloudWatchLogsRoleArn=role)["UserImportJob"]
    named = {"JobId": job["JobId"]}
    _stop(c, named)
    for name in ("StartUserImportJob", "DescribeUserImportJob"):
        c.admin(name, **named)
    c.admin("ListUserImportJobs", MaxResults=10)


def _stop(c: Checked, named: dict[str, str]) -> None:
    """Stop a job as if it was running, and make it one that can be started again."""

    def status(value: str) -> None:
        def write(state: Any) -> None:
            state.import_jobs.find(named["JobId"]).settings["Status"] = value

        State(c.pool._service).run(write)

    status("InProgress")
    c.admin("StopUserImportJob", **named)
    status("Created")


def stored(c: Checked) -> None:
    client = {"ClientId": c.client_id}
    domain = {"Domain": "my-app"}
    c.admin("CreateUserPoolDomain", **domain)
    c.admin("UpdateUserPoolDomain", **domain, ManagedLoginVersion=2)
    c.call("DescribeUserPoolDomain", **domain)
    for name in ("SetUICustomization", "GetUICustomization", "SetRiskConfiguration", "DescribeRiskConfiguration"):
        c.admin(name, **client)
    c.admin("DeleteUserPoolDomain", **domain)
    style = c.admin("CreateManagedLoginBranding", **client, UseCognitoProvidedValues=True)["ManagedLoginBranding"]
    c.admin("DescribeManagedLoginBrandingByClient", **client)
    for name in ("Describe", "Update", "Delete"):
        c.admin(f"{name}ManagedLoginBranding", ManagedLoginBrandingId=style["ManagedLoginBrandingId"])
    terms = c.admin("CreateTerms", **client, TermsName="terms-of-use", **LINKS)["Terms"]["TermsId"]
    c.admin("DescribeTermsByClient", **client, TermsName="terms-of-use")
    c.admin("ListTerms")
    for name in ("DescribeTerms", "UpdateTerms", "DeleteTerms"):
        c.admin(name, TermsId=terms)
    log = {"LogLevel": "INFO", "EventSource": "userAuthEvents", "S3Configuration": {"BucketArn": "arn:aws:s3:::logs"}}
    c.admin("SetLogDeliveryConfiguration", LogConfigurations=[log])
    c.admin("GetLogDeliveryConfiguration")
    region = {"RegionName": "eu-west-1"}
    c.admin("CreateUserPoolReplica", **region)
    c.admin("UpdateUserPoolReplica", **region, Status="INACTIVE")
    c.admin("ListUserPoolReplicas")
    c.admin("DeleteUserPoolReplica", **region)
    patterns = {**client, "URLPatterns": ["https://example.com/*"]}
    policy = c.admin("CreateCIMDPolicy", **patterns, PolicyName="p")["CIMDPolicy"]["CIMDPolicyId"]
    c.admin("DescribeCIMDPolicy", CIMDPolicyId=policy)
    c.admin("UpdateCIMDPolicy", CIMDPolicyId=policy, **patterns)
    c.admin("ListCIMDPolicies")
    c.admin("ListClientMetadataURLs", CIMDPolicyId=policy)
    with refused(REFUSED["UpdateClientMetadataURLState"]):
        c.admin("UpdateClientMetadataURLState", CIMDPolicyId=policy, URL="https://example.com/c", Action="REFRESH")
    c.admin("DeleteCIMDPolicy", CIMDPolicyId=policy)
    c.clock.now += 3600
    for finish in ("Cancel", "Start"):
        made = c.admin("InitiatePointInTimeRecovery", RestoreTimestamp=c.clock.now - 1800)["Restoration"]
        c.admin("DescribePointInTimeRecovery", RestoreId=made["RestoreId"])
        c.admin(f"{finish}PointInTimeRecovery", RestoreId=made["RestoreId"])
    c.admin("ListPointInTimeRecoveries")
    c.call("GetProvisionedLimit", LimitDefinition=LIMIT)
    c.call("UpdateProvisionedLimit", LimitDefinition=LIMIT, RequestedLimitValue=130)
    c.admin("GetSigningCertificate")
