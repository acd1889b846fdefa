"""The operations on the looks of the hosted login pages. The pool stores them; it has no such pages.

There are two versions: the classic hosted UI, with one style for all app clients and one for each, and managed login,
with one style for an app client.
"""

from __future__ import annotations

import uuid
from typing import Any

from ..api.errors import Refusal, invalid_parameter, not_found
from ..api.parameters import Parameters, optional_string, present, string
from ..model.aws_names import NOT_SERVED
from ..model.pools import PoolRecord, Resource
from ..storage.state import State
from .app_clients import require_client

__all__ = ["OPERATIONS"]

_KIND, _ALL = "ui_customization", "ALL"
_STYLE = ("UseCognitoProvidedValues", "Settings", "Assets")


def _pool_and_client_id(state: State, parameters: Parameters) -> tuple[PoolRecord, str]:
    pool, client_id = state.pool(string(parameters, "UserPoolId")), optional_string(parameters, "ClientId") or _ALL
    return pool, client_id if client_id == _ALL else require_client(state, parameters).client_id


def set_ui_customization(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetUICustomization; the pool must have a domain."""
    pool, client_id = _pool_and_client_id(state, parameters)
    if not state.domains.all(pool):
        raise invalid_parameter("There has to be an existing domain associated with this user pool.")
    settings = {**present(parameters, "CSS"), "CSSVersion": str(int(state.clock()))}
    if parameters.get("ImageFile"):
        settings["ImageUrl"] = f"{NOT_SERVED}/{pool.id}/{client_id}/logo"
    document = state.documents.put(pool, _KIND, settings, client_id)
    return {"UICustomization": _customization(pool, client_id, document)}


def get_ui_customization(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetUICustomization: that of the app client, or else that of the pool, or else an empty one."""
    pool, client_id = _pool_and_client_id(state, parameters)
    for owner in (client_id, _ALL):
        document = state.documents.get(pool, _KIND, owner)
        if document is not None:
            return {"UICustomization": _customization(pool, owner, document)}
    return {"UICustomization": {}}


def _customization(pool: PoolRecord, client_id: str, document: Resource) -> dict[str, Any]:
    dates = {"CreationDate": document.created, "LastModifiedDate": document.modified}
    return {"UserPoolId": pool.id, "ClientId": client_id, **document.settings, **dates}


def create_managed_login_branding(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CreateManagedLoginBranding: an app client has at most one style."""
    client = require_client(state, parameters)
    pool, now = state.pool(client.user_pool_id), state.clock()
    if _of_client(state, pool, client.client_id) is not None:
        raise Refusal(
            "ManagedLoginBrandingExistsException",
            f"Managed login branding already exists for the app client {client.client_id}.",
        )
    settings = {"ClientId": client.client_id, **_style(parameters)}
    name = str(uuid.uuid4())
    return _answer(pool, state.brandings.add(pool, name, Resource(name, now, now, settings)))


def _style(parameters: Parameters) -> dict[str, Any]:
    style = {"UseCognitoProvidedValues": False, **present(parameters, *_STYLE)}
    if style["UseCognitoProvidedValues"] and len(style) > 1:
        raise invalid_parameter("Settings and Assets must be left out if UseCognitoProvidedValues is true.")
    return style


def _of_client(state: State, pool: PoolRecord, client_id: str) -> Resource | None:
    return next((style for style in state.brandings.all(pool) if style.settings["ClientId"] == client_id), None)


def _answer(pool: PoolRecord, style: Resource) -> dict[str, Any]:
    fields = {
        "ManagedLoginBrandingId": style.name,
        "UserPoolId": pool.id,
        **present(style.settings, *_STYLE),
        "CreationDate": style.created,
        "LastModifiedDate": style.modified,
    }
    return {"ManagedLoginBranding": fields}


def _pool_and_style(state: State, parameters: Parameters) -> tuple[PoolRecord, Resource]:
    pool, name = state.pool(string(parameters, "UserPoolId")), string(parameters, "ManagedLoginBrandingId")
    style = state.brandings.get(pool, name)
    if style is None:
        raise not_found(f"Managed login branding {name} does not exist.")
    return pool, style


def describe_managed_login_branding(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeManagedLoginBranding. The pool has no defaults that ReturnMergedResources could add."""
    return _answer(*_pool_and_style(state, parameters))


def describe_managed_login_branding_by_client(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeManagedLoginBrandingByClient."""
    client = require_client(state, parameters)
    pool = state.pool(client.user_pool_id)
    style = _of_client(state, pool, client.client_id)
    if style is None:
        raise not_found(f"Managed login branding does not exist for the app client {client.client_id}.")
    return _answer(pool, style)


def update_managed_login_branding(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateManagedLoginBranding: settings that are left out do not change."""
    pool, style = _pool_and_style(state, parameters)
    changed = _style(parameters)
    kept = {} if changed["UseCognitoProvidedValues"] else present(style.settings, "Settings", "Assets")
    style.settings = {"ClientId": style.settings["ClientId"], **kept, **changed}
    style.modified = state.clock()
    return _answer(pool, style)


def delete_managed_login_branding(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteManagedLoginBranding."""
    state.brandings.remove(_pool_and_style(state, parameters)[1])
    return {}


OPERATIONS = {
    "SetUICustomization": set_ui_customization,
    "GetUICustomization": get_ui_customization,
    "CreateManagedLoginBranding": create_managed_login_branding,
    "DescribeManagedLoginBranding": describe_managed_login_branding,
    "DescribeManagedLoginBrandingByClient": describe_managed_login_branding_by_client,
    "UpdateManagedLoginBranding": update_managed_login_branding,
    "DeleteManagedLoginBranding": delete_managed_login_branding,
}
