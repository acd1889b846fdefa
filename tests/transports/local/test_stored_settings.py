"""Settings that are stored without effect: risks, logs, branding, terms, replicas, recoveries and so on, with boto3."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from cryptography import x509

from srpcore_transports.local.operations.stored import STORED
from srpcore_transports.local.operations.table import OPERATIONS

from .client import Client

pytestmark = pytest.mark.counterpart

AUDIT = {"AdvancedSecurityMode": "AUDIT"}
LOG_GROUP = {"LogGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:cognito"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def named(client: Client) -> dict[str, str]:
    return {"UserPoolId": client.pool_id}


@pytest.fixture
def of_client(client: Client) -> dict[str, str]:
    return {"UserPoolId": client.pool_id, "ClientId": client.client_id}


def test_stored_operations_exist_and_have_a_reason() -> None:
    assert STORED.keys() <= OPERATIONS.keys()
    assert all(STORED.values())


class TestRiskConfiguration:
    SETTINGS: ClassVar = {"RiskExceptionConfiguration": {"BlockedIPRangeList": ["192.0.2.0/24"]}}

    def test_it_is_set_for_a_pool_and_a_client_and_reset(
        self, boto: Any, named: dict[str, str], of_client: dict[str, str]
    ) -> None:
        with pytest.raises(boto.exceptions.UserPoolAddOnNotEnabledException):
            boto.set_risk_configuration(**named, **self.SETTINGS)
        boto.update_user_pool(**named, UserPoolTier="PLUS", UserPoolAddOns=AUDIT)
        actions = {"Actions": {"EventAction": "BLOCK"}}
        boto.set_risk_configuration(**named, **self.SETTINGS)
        boto.set_risk_configuration(**of_client, CompromisedCredentialsRiskConfiguration=actions)
        of_pool = boto.describe_risk_configuration(**named)["RiskConfiguration"]
        assert self.SETTINGS.items() <= of_pool.items()
        found = boto.describe_risk_configuration(**of_client)["RiskConfiguration"]
        assert (found["ClientId"], found["CompromisedCredentialsRiskConfiguration"]) == (of_client["ClientId"], actions)
        assert boto.set_risk_configuration(**of_client)["RiskConfiguration"] == of_client
        assert boto.describe_risk_configuration(**of_client)["RiskConfiguration"] == of_client
        assert boto.describe_risk_configuration(**named)["RiskConfiguration"] == of_pool

    def test_it_is_deleted_with_the_client(self, boto: Any, named: dict[str, str], client: Client) -> None:
        boto.update_user_pool(**named, UserPoolTier="PLUS", UserPoolAddOns=AUDIT)
        made = boto.create_user_pool_client(**named, ClientName="other")["UserPoolClient"]
        boto.set_risk_configuration(**named, ClientId=made["ClientId"], **self.SETTINGS)
        boto.delete_user_pool_client(**named, ClientId=made["ClientId"])
        with pytest.raises(boto.exceptions.ResourceNotFoundException):
            boto.describe_risk_configuration(**named, ClientId=made["ClientId"])
        kinds = client.pool._service.database.connection.execute("SELECT kind FROM record").fetchall()
        assert ("document",) not in kinds


class TestLogs:
    def test_the_delivery_is_set(self, boto: Any, named: dict[str, str]) -> None:
        log = {"EventSource": "userNotification", "LogLevel": "ERROR", "CloudWatchLogsConfiguration": LOG_GROUP}
        assert boto.get_log_delivery_configuration(**named)["LogDeliveryConfiguration"]["LogConfigurations"] == []
        boto.set_log_delivery_configuration(**named, LogConfigurations=[log])
        found = boto.get_log_delivery_configuration(**named)["LogDeliveryConfiguration"]
        assert found == {**named, "LogConfigurations": [log]}
        with pytest.raises(boto.exceptions.InvalidParameterException, match="same EventSource"):
            boto.set_log_delivery_configuration(**named, LogConfigurations=[log, log])

    @pytest.mark.parametrize(
        ("given", "code", "message"),
        [
            ({"LogLevel": "INFO"}, "InvalidParameterException", "must be ERROR"),
            ({"CloudWatchLogsConfiguration": None}, "InvalidParameterException", "one of"),
            (
                {"CloudWatchLogsConfiguration": None, "S3Configuration": {"BucketArn": "arn:aws:s3:::logs"}},
                "InvalidParameterException",
                "only be delivered to",
            ),
            ({"EventSource": "userAuthEvents", "LogLevel": "INFO"}, "FeatureUnavailableInTierException", "PLUS"),
        ],
    )
    def test_a_wrong_configuration_is_refused(
        self, boto: Any, named: dict[str, str], given: dict[str, Any], code: str, message: str
    ) -> None:
        log = {"EventSource": "userNotification", "LogLevel": "ERROR", "CloudWatchLogsConfiguration": LOG_GROUP}
        log = {name: value for name, value in {**log, **given}.items() if value is not None}
        with pytest.raises(getattr(boto.exceptions, code), match=message):
            boto.set_log_delivery_configuration(**named, LogConfigurations=[log])


class TestBranding:
    def test_a_client_without_a_classic_style_has_that_of_the_pool(
        self, boto: Any, named: dict[str, str], of_client: dict[str, str]
    ) -> None:
        with pytest.raises(boto.exceptions.InvalidParameterException, match="existing domain"):
            boto.set_ui_customization(**named, CSS=".x {}")
        boto.create_user_pool_domain(**named, Domain="app")
        assert boto.get_ui_customization(**of_client)["UICustomization"] == {}
        boto.set_ui_customization(**named, CSS=".all {}", ImageFile=b"image")
        of_all = boto.get_ui_customization(**of_client)["UICustomization"]
        assert (of_all["ClientId"], of_all["CSS"]) == ("ALL", ".all {}")
        assert of_all["ImageUrl"].startswith("https://")
        boto.set_ui_customization(**of_client, CSS=".one {}")
        assert boto.get_ui_customization(**of_client)["UICustomization"]["CSS"] == ".one {}"
        assert boto.get_ui_customization(**named)["UICustomization"] == of_all

    def test_a_style_is_created_described_changed_and_deleted(
        self, boto: Any, named: dict[str, str], of_client: dict[str, str], client: Client
    ) -> None:
        asset = {"Category": "FORM_LOGO", "ColorMode": "DARK", "Extension": "PNG", "Bytes": b"logo"}
        settings = {"components": {"form": {"borderRadius": 8.5}}}
        made = boto.create_managed_login_branding(**of_client, Settings=settings, Assets=[asset])[
            "ManagedLoginBranding"
        ]
        assert (made["Settings"], made["Assets"]) == (settings, [asset])
        with pytest.raises(boto.exceptions.ManagedLoginBrandingExistsException):
            boto.create_managed_login_branding(**of_client, UseCognitoProvidedValues=True)
        style = {**named, "ManagedLoginBrandingId": made["ManagedLoginBrandingId"]}
        assert boto.describe_managed_login_branding(**style)["ManagedLoginBranding"] == made
        assert boto.describe_managed_login_branding_by_client(**of_client)["ManagedLoginBranding"] == made
        client.clock.now += 7
        changed = boto.update_managed_login_branding(**style, Settings={"x": None})["ManagedLoginBranding"]
        assert (changed["Settings"], changed["Assets"]) == ({"x": None}, [asset])
        assert (changed["LastModifiedDate"] - made["LastModifiedDate"]).total_seconds() == 7
        with pytest.raises(boto.exceptions.InvalidParameterException, match="left out"):
            boto.update_managed_login_branding(**style, UseCognitoProvidedValues=True, Settings=settings)
        reset = boto.update_managed_login_branding(**style, UseCognitoProvidedValues=True)["ManagedLoginBranding"]
        assert "Settings" not in reset
        boto.delete_managed_login_branding(**style)
        for describe, given in (
            (boto.describe_managed_login_branding, style),
            (boto.describe_managed_login_branding_by_client, of_client),
        ):
            with pytest.raises(boto.exceptions.ResourceNotFoundException):
                describe(**given)


class TestTerms:
    GIVEN: ClassVar = {
        "TermsSource": "LINK",
        "Enforcement": "NONE",
        "Links": {"cognito:default": "https://example.com/terms"},
    }

    def test_terms_are_created_described_changed_and_deleted(
        self, boto: Any, named: dict[str, str], of_client: dict[str, str]
    ) -> None:
        given = {"TermsName": "terms-of-use", **self.GIVEN}
        made = boto.create_terms(**of_client, **given)["Terms"]
        assert {**of_client, **given}.items() <= made.items()
        with pytest.raises(boto.exceptions.TermsExistsException):
            boto.create_terms(**of_client, **given)
        terms = {**named, "TermsId": made["TermsId"]}
        assert boto.describe_terms(**terms)["Terms"] == made
        assert boto.describe_terms_by_client(**of_client, TermsName="terms-of-use")["Terms"] == made
        links = {"cognito:default": "https://example.com/new"}
        changed = boto.update_terms(**terms, Links=links)["Terms"]
        assert (changed["TermsName"], changed["Links"]) == ("terms-of-use", links)
        other = boto.create_terms(**of_client, **{**given, "TermsName": "privacy-policy"})["Terms"]
        with pytest.raises(boto.exceptions.TermsExistsException):
            boto.update_terms(**terms, TermsName="privacy-policy")
        first = boto.list_terms(**named, MaxResults=1)
        second = boto.list_terms(**named, NextToken=first["NextToken"])
        assert [each["TermsId"] for each in first["Terms"] + second["Terms"]] == [made["TermsId"], other["TermsId"]]
        boto.delete_terms(**terms)
        with pytest.raises(boto.exceptions.ResourceNotFoundException):
            boto.describe_terms(**terms)
        with pytest.raises(boto.exceptions.ResourceNotFoundException):
            boto.describe_terms_by_client(**of_client, TermsName="terms-of-use")

    def test_terms_are_deleted_with_the_client(self, boto: Any, named: dict[str, str]) -> None:
        made = boto.create_user_pool_client(**named, ClientName="other")["UserPoolClient"]
        boto.create_terms(**named, ClientId=made["ClientId"], TermsName="terms-of-use", **self.GIVEN)
        boto.delete_user_pool_client(**named, ClientId=made["ClientId"])
        assert boto.list_terms(**named)["Terms"] == []


class TestReplicas:
    def test_a_replica_is_created_activated_and_deleted(self, boto: Any, named: dict[str, str]) -> None:
        primary = boto.list_user_pool_replicas(**named)["UserPoolReplicas"]
        assert [(each["RegionName"], each["Role"]) for each in primary] == [("us-east-1", "PRIMARY")]
        region = {**named, "RegionName": "eu-west-1"}
        made = boto.create_user_pool_replica(**region)["UserPoolReplica"]
        assert (made["Status"], made["Role"]) == ("INACTIVE", "SECONDARY")
        assert ":eu-west-1:" in made["UserPoolArn"]
        for taken in ("eu-west-1", "us-east-1"):
            with pytest.raises(boto.exceptions.InvalidParameterException, match="already has a replica"):
                boto.create_user_pool_replica(**named, RegionName=taken)
        assert boto.update_user_pool_replica(**region, Status="ACTIVE")["UserPoolReplica"]["Status"] == "ACTIVE"
        with pytest.raises(boto.exceptions.InvalidParameterException, match="INACTIVE"):
            boto.delete_user_pool_replica(**region)
        boto.update_user_pool_replica(**region, Status="INACTIVE")
        assert boto.delete_user_pool_replica(**region)["UserPoolReplica"]["Status"] == "DELETING"
        assert boto.list_user_pool_replicas(**named)["UserPoolReplicas"] == primary
        with pytest.raises(boto.exceptions.ResourceNotFoundException):
            boto.delete_user_pool_replica(**region)
        with pytest.raises(boto.exceptions.InvalidParameterException, match="primary"):
            boto.delete_user_pool_replica(**named, RegionName="us-east-1")


class TestMetadataPolicies:
    def test_a_policy_is_created_described_changed_and_deleted(
        self, boto: Any, named: dict[str, str], client: Client
    ) -> None:
        app = boto.create_user_pool_client(**named, ClientName="other")["UserPoolClient"]["ClientId"]
        given = {"ClientId": app, "PolicyName": "apps", "URLPatterns": ["https://*.example.com/client.json"]}
        made = boto.create_cimd_policy(**named, **given)["CIMDPolicy"]
        assert {**named, **given}.items() <= made.items()
        policy = {**named, "CIMDPolicyId": made["CIMDPolicyId"]}
        assert boto.describe_cimd_policy(**policy)["CIMDPolicy"] == made
        changed = boto.update_cimd_policy(
            **policy, ClientId=app, CacheDuration=86400, URLPatterns=["https://example.org/*"]
        )["CIMDPolicy"]
        assert (changed["PolicyName"], changed["CacheDuration"]) == ("apps", 86400)
        assert boto.list_client_metadata_urls(**policy)["ClientMetadataURLs"] == []
        with pytest.raises(boto.exceptions.CachedCIMDURLDoesNotExistException):
            boto.update_client_metadata_url_state(**policy, URL="https://example.org/client.json", Action="REFRESH")
        boto.delete_user_pool_client(**named, ClientId=app)
        listed = boto.list_cimd_policies(**named)["CIMDPolicies"]
        assert [(each["PolicyName"], "ClientId" in each) for each in listed] == [("apps", False)]
        boto.delete_cimd_policy(**policy)
        for operation in (boto.describe_cimd_policy, boto.delete_cimd_policy, boto.list_client_metadata_urls):
            with pytest.raises(boto.exceptions.ResourceNotFoundException):
                operation(**policy)


class TestRecoveries:
    @pytest.fixture
    def initiate(self, boto: Any, client: Client, named: dict[str, str]) -> Callable[..., dict[str, Any]]:
        """Return a function that initiates a recovery to so many seconds ago. The pool is a week old."""
        client.clock.now += 7 * 86400

        def initiate_recovery(ago: float = 3600) -> dict[str, Any]:
            at = client.clock.now - ago
            made: dict[str, Any] = boto.initiate_point_in_time_recovery(**named, RestoreTimestamp=at)["Restoration"]
            return {**named, "RestoreId": made["RestoreId"]}

        return initiate_recovery

    def test_a_recovery_is_started_once(self, boto: Any, named: dict[str, str], initiate: Any, client: Client) -> None:
        recovery = initiate()
        with pytest.raises(boto.exceptions.LimitExceededException, match="active recovery"):
            initiate()
        described = boto.describe_point_in_time_recovery(**recovery)["Restoration"]
        assert described["RestoreStatus"] == "PREVIEW_GENERATED"
        assert {each["Entity"] for each in described["RestorePreview"]} == {"Users", "Groups", "User MFAs", "Passkeys"}
        started = boto.start_point_in_time_recovery(**recovery)["Restoration"]
        assert started["RestoreStatus"] == "RESTORE_COMPLETED"
        for operation in (boto.start_point_in_time_recovery, boto.cancel_point_in_time_recovery):
            with pytest.raises(boto.exceptions.InvalidParameterException, match="RESTORE_COMPLETED"):
                operation(**recovery)
        with pytest.raises(boto.exceptions.LimitExceededException, match="once in 24 hours"):
            initiate()
        client.clock.now += 86400
        second = initiate()
        listed = boto.list_point_in_time_recoveries(**named)["Restorations"]
        assert [each["RestoreId"] for each in listed] == [second["RestoreId"], recovery["RestoreId"]]

    def test_previews_expire_and_are_limited(self, boto: Any, initiate: Any, client: Client) -> None:
        recoveries = []
        for _ in range(3):
            recoveries.append(initiate())
            boto.cancel_point_in_time_recovery(**recoveries[-1])
        with pytest.raises(boto.exceptions.LimitExceededException, match="3 recovery previews"):
            initiate()
        client.clock.now += 86400
        expired = initiate()
        client.clock.now += 86400
        assert boto.describe_point_in_time_recovery(**expired)["Restoration"]["RestoreStatus"] == "PREVIEW_EXPIRED"
        cancelled = boto.describe_point_in_time_recovery(**recoveries[0])["Restoration"]
        assert cancelled["RestoreStatus"] == "PREVIEW_CANCELLED"

    def test_the_time_is_within_the_period_of_the_tier(self, boto: Any, named: dict[str, str], initiate: Any) -> None:
        for ago, message in ((60, "15 minutes"), (2 * 86400, "at most 24 hours"), (20 * 86400, "at most 24 hours")):
            with pytest.raises(boto.exceptions.InvalidParameterException, match=message):
                initiate(ago)
        boto.update_user_pool(**named, UserPoolTier="PLUS")
        with pytest.raises(boto.exceptions.InvalidParameterException, match="creation"):
            initiate(8 * 86400)
        assert initiate(6 * 86400)
        boto.update_user_pool(**named, UserPoolTier="LITE")
        with pytest.raises(boto.exceptions.FeatureUnavailableInTierException):
            boto.list_point_in_time_recoveries(**named)

    def test_an_unknown_recovery_is_not_found(self, boto: Any, named: dict[str, str]) -> None:
        with pytest.raises(boto.exceptions.ResourceNotFoundException):
            boto.describe_point_in_time_recovery(**named, RestoreId=UNKNOWN)


def test_a_provisioned_limit_is_set_for_all_pools(boto: Any) -> None:
    limit = {"LimitDefinition": {"LimitClass": "API_CATEGORY", "Attributes": {"Category": "UserCreation"}}}
    assert boto.get_provisioned_limit(**limit)["Limit"] == {
        **limit, "ProvisionedLimitValue": 50, "FreeLimitValue": 50,
    }  # fmt: skip
    assert boto.update_provisioned_limit(**limit, RequestedLimitValue=80)["Limit"]["ProvisionedLimitValue"] == 80
    with pytest.raises(boto.exceptions.InvalidParameterException, match="at least"):
        boto.update_provisioned_limit(**limit, RequestedLimitValue=49)
    with pytest.raises(boto.exceptions.ServiceQuotaExceededException):
        boto.update_provisioned_limit(**limit, RequestedLimitValue=501)
    assert boto.get_provisioned_limit(**limit)["Limit"]["ProvisionedLimitValue"] == 80
    unknown = {"LimitClass": "API_CATEGORY", "Attributes": {"Category": "Unknown"}}
    with pytest.raises(boto.exceptions.ResourceNotFoundException):
        boto.get_provisioned_limit(LimitDefinition=unknown)


def test_the_signing_certificate_of_a_pool_stays_the_same(boto: Any, named: dict[str, str], client: Client) -> None:
    certificate = boto.get_signing_certificate(**named)["Certificate"]
    assert re.fullmatch(r"[0-9A-Za-z+/=]+", certificate)
    parsed = x509.load_der_x509_certificate(base64.b64decode(certificate))
    assert parsed.not_valid_before_utc.timestamp() == int(client.clock.now)
    assert (parsed.not_valid_after_utc - parsed.not_valid_before_utc).days == 3650
    assert client.pool_id in parsed.subject.rfc4514_string()
    assert boto.get_signing_certificate(**named)["Certificate"] == certificate
