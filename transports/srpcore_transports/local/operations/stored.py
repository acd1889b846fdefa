"""The class "stored, no effect": operations and settings that have no effect in a local pool, each with the reason.

They are checked, stored and described as by the service. Tools that create a whole user pool, such as Terraform, can
therefore run against a local pool. A strict pool refuses them, so that a test cannot rely on them by mistake.
`tools/make_local_pool_table.py` writes the lists in docs/local-pool-operations.md from this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..api.errors import Refusal, invalid_parameter
from ..api.parameters import mapping
from ..model.pool_defaults import is_default

__all__ = ["STORED", "STORED_SETTINGS", "check_strict"]

_NO_PAGES = "the pool has no hosted login pages"
_NO_FEDERATION = "users cannot log in through a provider"
_NO_RISKS = "the pool does not assess risks"
_NO_DOCUMENTS = "the pool has no OAuth endpoints that would fetch a document"
_NO_COPIES = "the other regions have no users"
_NO_SNAPSHOTS = "nothing is restored"
_NO_RATES = "the pool does not limit the rate of requests"

STORED: Final[dict[str, str]] = {
    "CreateIdentityProvider": _NO_FEDERATION,
    "DescribeIdentityProvider": _NO_FEDERATION,
    "GetIdentityProviderByIdentifier": _NO_FEDERATION,
    "UpdateIdentityProvider": _NO_FEDERATION,
    "DeleteIdentityProvider": _NO_FEDERATION,
    "ListIdentityProviders": _NO_FEDERATION,
    "CreateUserPoolDomain": _NO_PAGES,
    "DescribeUserPoolDomain": _NO_PAGES,
    "UpdateUserPoolDomain": _NO_PAGES,
    "DeleteUserPoolDomain": _NO_PAGES,
    "SetUICustomization": _NO_PAGES,
    "GetUICustomization": _NO_PAGES,
    "CreateManagedLoginBranding": _NO_PAGES,
    "DescribeManagedLoginBranding": _NO_PAGES,
    "DescribeManagedLoginBrandingByClient": _NO_PAGES,
    "UpdateManagedLoginBranding": _NO_PAGES,
    "DeleteManagedLoginBranding": _NO_PAGES,
    "CreateTerms": _NO_PAGES,
    "DescribeTerms": _NO_PAGES,
    "DescribeTermsByClient": _NO_PAGES,
    "UpdateTerms": _NO_PAGES,
    "DeleteTerms": _NO_PAGES,
    "ListTerms": _NO_PAGES,
    "SetUserPoolClientSessionConfiguration": _NO_PAGES,
    "GetUserPoolClientSessionConfiguration": _NO_PAGES,
    "SetRiskConfiguration": _NO_RISKS,
    "DescribeRiskConfiguration": _NO_RISKS,
    "AdminUpdateAuthEventFeedback": _NO_RISKS,
    "UpdateAuthEventFeedback": "the pool sends no feedback tokens, so each one is refused",
    "SetLogDeliveryConfiguration": "the pool delivers no logs",
    "GetLogDeliveryConfiguration": "the pool delivers no logs",
    "CreateCIMDPolicy": _NO_DOCUMENTS,
    "DescribeCIMDPolicy": _NO_DOCUMENTS,
    "UpdateCIMDPolicy": _NO_DOCUMENTS,
    "DeleteCIMDPolicy": _NO_DOCUMENTS,
    "ListCIMDPolicies": _NO_DOCUMENTS,
    "ListClientMetadataURLs": _NO_DOCUMENTS,
    "UpdateClientMetadataURLState": _NO_DOCUMENTS,
    "CreateUserPoolReplica": _NO_COPIES,
    "UpdateUserPoolReplica": _NO_COPIES,
    "DeleteUserPoolReplica": _NO_COPIES,
    "ListUserPoolReplicas": _NO_COPIES,
    "InitiatePointInTimeRecovery": _NO_SNAPSHOTS,
    "DescribePointInTimeRecovery": _NO_SNAPSHOTS,
    "StartPointInTimeRecovery": _NO_SNAPSHOTS,
    "CancelPointInTimeRecovery": _NO_SNAPSHOTS,
    "ListPointInTimeRecoveries": _NO_SNAPSHOTS,
    "GetProvisionedLimit": _NO_RATES,
    "UpdateProvisionedLimit": _NO_RATES,
}
"""The operations whose settings are stored without effect. All other operations in the table work."""

_NO_MESSAGES = "a message in the outbox has a text only if a trigger writes one"
_NO_SENDERS = "no e-mail and no SMS is sent"
_OF_A_POOL: dict[str, str] = {
    "SmsVerificationMessage": _NO_MESSAGES,
    "SmsAuthenticationMessage": _NO_MESSAGES,
    "EmailVerificationMessage": _NO_MESSAGES,
    "EmailVerificationSubject": _NO_MESSAGES,
    "VerificationMessageTemplate": _NO_MESSAGES,
    "AdminCreateUserConfig.InviteMessageTemplate": _NO_MESSAGES,
    "EmailConfiguration": _NO_SENDERS,
    "SmsConfiguration": _NO_SENDERS,
    "UserPoolAddOns.AdvancedSecurityAdditionalFlows": _NO_RISKS,
    "KeyConfiguration": "nothing is encrypted with a key of KMS",
    "IssuerConfiguration": "the issuer depends on the URL of the request, or on the setting of the server",
    "AcrConfiguration": _NO_PAGES,
    "DcrConfiguration": "the pool has no OAuth endpoint that registers clients",
}
_OF_A_CLIENT: dict[str, str] = {
    "SupportedIdentityProviders": _NO_FEDERATION,
    "CallbackURLs": _NO_PAGES,
    "LogoutURLs": _NO_PAGES,
    "DefaultRedirectURI": _NO_PAGES,
    "AllowedOAuthFlows": _NO_PAGES,
    "AllowedOAuthFlowsUserPoolClient": _NO_PAGES,
    "AnalyticsConfiguration": "nothing is sent to Pinpoint",
    "EnablePropagateAdditionalUserContextData": _NO_RISKS,
    "PublishSecretsInAWSSecretsManager": "nothing is written to Secrets Manager",
}

STORED_SETTINGS: Final[dict[str, dict[str, str]]] = {
    "CreateUserPool": _OF_A_POOL,
    "UpdateUserPool": _OF_A_POOL,
    "CreateUserPoolClient": _OF_A_CLIENT,
    "UpdateUserPoolClient": _OF_A_CLIENT,
    "SetUserPoolMfaConfig": {
        "SmsMfaConfiguration.SmsAuthenticationMessage": _NO_MESSAGES,
        "SmsMfaConfiguration.SmsConfiguration": _NO_SENDERS,
        "EmailMfaConfiguration.Message": _NO_MESSAGES,
        "EmailMfaConfiguration.Subject": _NO_MESSAGES,
    },
}
"""The parameters of other operations that are stored without effect. A dot leads to a member of a parameter."""

_SETS_NOTHING = ("Describe", "Get", "List", "Delete")


def check_strict(operation: str, parameters: Mapping[str, Any]) -> None:
    """Check that a request does not set anything that has no effect. A parameter may have its default value.

    Raises:
        Refusal: the operation is in :data:`STORED`, or one of the parameters in :data:`STORED_SETTINGS`.
    """
    if operation in STORED and not operation.startswith(_SETS_NOTHING):
        raise _without_effect(operation, STORED[operation])
    for path, reason in STORED_SETTINGS.get(operation, {}).items():
        section, _, member = path.partition(".")
        given: object = mapping(parameters, section).get(member) if member else parameters.get(section)
        if given and not is_default(path, given):
            raise _without_effect(f"{path} of {operation}", reason)


def _without_effect(what: str, reason: str) -> Refusal:
    return invalid_parameter(
        f"{what} has no effect in a local pool ({reason}), and this one is strict: leave it out, or turn strict off."
    )
