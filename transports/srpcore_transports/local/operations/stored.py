"""The operations that store settings which have no effect in a local pool, each with the reason.

They check their parameters, and answer as the service does. Tools that create a whole user pool, such as Terraform, can
therefore run against a local pool. `tools/make_local_pool_table.py` writes the table in docs/local-pool.md from this.
"""

from __future__ import annotations

from typing import Final

__all__ = ["STORED"]

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
"""The operations whose settings are stored without effect. All other operations of the dispatcher work."""
