"""The operations on external identity providers: create, describe, update, delete and list them.

The pool only stores their settings. Users cannot log in through them.
"""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, invalid_parameter, not_found
from ..api.parameters import Parameters, mapping, string, strings
from ..model.pools import IdentityProvider, PoolRecord
from ..storage import pages
from ..storage.state import State

__all__ = ["OPERATIONS"]

_PAGE_LIMIT = 50
_CHANGEABLE = ("ProviderDetails", "AttributeMapping", "IdpIdentifiers", "AcrMapping")


def create_identity_provider(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CreateIdentityProvider."""
    pool, name = state.pool(string(parameters, "UserPoolId")), string(parameters, "ProviderName")
    settings = _settings(state, pool, name, parameters)
    if state.providers.get(pool, name) is not None:
        raise Refusal("DuplicateProviderException", f"A provider with the name {name} already exists.")
    now = state.clock()
    provider = IdentityProvider(name, now, now, {"ProviderType": parameters["ProviderType"], **settings})
    return {"IdentityProvider": _provider_fields(pool, state.providers.add(pool, name, provider))}


def _settings(state: State, pool: PoolRecord, name: str, parameters: Parameters) -> dict[str, Any]:
    # The service model allows null as a value in a map.
    for key in ("ProviderDetails", "AttributeMapping", "AcrMapping"):
        if not all(isinstance(value, str) for value in mapping(parameters, key).values()):
            raise Refusal("SerializationException", f"{key} can not be converted to a map of strings")
    identifiers = strings(parameters, "IdpIdentifiers")
    for provider in state.providers.all(pool):
        if provider.name != name and set(identifiers) & set(provider.settings.get("IdpIdentifiers") or ()):
            raise invalid_parameter("An identifier in IdpIdentifiers belongs to another provider already")
    return {key: parameters[key] for key in _CHANGEABLE if parameters.get(key) is not None}


def _pool_and_provider(state: State, parameters: Parameters) -> tuple[PoolRecord, IdentityProvider]:
    pool, name = state.pool(string(parameters, "UserPoolId")), string(parameters, "ProviderName")
    provider = state.providers.get(pool, name)
    if provider is None:
        raise not_found(f"Identity provider {name} does not exist.")
    return pool, provider


def describe_identity_provider(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeIdentityProvider."""
    return {"IdentityProvider": _provider_fields(*_pool_and_provider(state, parameters))}


def get_identity_provider_by_identifier(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetIdentityProviderByIdentifier."""
    pool, identifier = state.pool(string(parameters, "UserPoolId")), string(parameters, "IdpIdentifier")
    for provider in state.providers.all(pool):
        if identifier in (provider.settings.get("IdpIdentifiers") or ()):
            return {"IdentityProvider": _provider_fields(pool, provider)}
    raise not_found(f"Identity provider with the identifier {identifier} does not exist.")


def update_identity_provider(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateIdentityProvider: parameters that are left out do not change."""
    pool, provider = _pool_and_provider(state, parameters)
    provider.settings |= _settings(state, pool, provider.name, parameters)
    provider.modified = state.clock()
    return {"IdentityProvider": _provider_fields(pool, provider)}


def delete_identity_provider(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteIdentityProvider."""
    state.providers.remove(_pool_and_provider(state, parameters)[1])
    return {}


def list_identity_providers(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListIdentityProviders, with at most 50 per page: the service model's limit for ``Providers``."""
    pool = state.pool(string(parameters, "UserPoolId"))
    providers = state.providers.all(pool)
    page, following = pages.requested_page(state, parameters, providers, limit="MaxResults", most=_PAGE_LIMIT)
    return {"Providers": [_summary(pool, provider) for provider in page], **following}


def _provider_fields(pool: PoolRecord, provider: IdentityProvider) -> dict[str, Any]:
    return {
        "UserPoolId": pool.id,
        "ProviderName": provider.name,
        **provider.settings,
        "LastModifiedDate": provider.modified,
        "CreationDate": provider.created,
    }


def _summary(pool: PoolRecord, provider: IdentityProvider) -> dict[str, Any]:
    wanted = ("ProviderName", "ProviderType", "LastModifiedDate", "CreationDate")
    return {name: value for name, value in _provider_fields(pool, provider).items() if name in wanted}


OPERATIONS = {
    "CreateIdentityProvider": create_identity_provider,
    "DescribeIdentityProvider": describe_identity_provider,
    "GetIdentityProviderByIdentifier": get_identity_provider_by_identifier,
    "UpdateIdentityProvider": update_identity_provider,
    "DeleteIdentityProvider": delete_identity_provider,
    "ListIdentityProviders": list_identity_providers,
}
