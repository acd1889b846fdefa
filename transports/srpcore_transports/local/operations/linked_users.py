"""AdminLinkProviderForUser and AdminDisableProviderForUser: identities of external providers that a user may use.

The links are stored, and shown as the attribute ``identities`` and as the claim of an ID token. Users cannot log in
through a provider, so a link has no other effect.
"""

from __future__ import annotations

import json
from typing import Any, cast

from ..api.errors import Refusal, invalid_parameter, not_found, user_not_found
from ..api.parameters import Parameters, mapping, string
from ..model.pools import IdentityProvider, PoolRecord, Resource
from ..model.users import User
from ..storage import directory
from ..storage.state import State

__all__ = ["OPERATIONS"]

_NATIVE = "Cognito"
_SUBJECT = "Cognito_Subject"
_MOST = 5  # Source: API reference: "The maximum number of federated identities linked to a user is five."


def admin_link_provider_for_user(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminLinkProviderForUser."""
    pool = state.pool(string(parameters, "UserPoolId"))
    user = _destination(state, pool, mapping(parameters, "DestinationUser"))
    source = mapping(parameters, "SourceUser")
    provider, _, value = _identity(source)
    if provider == _NATIVE:
        # Source: https://github.com/aws-amplify/amplify-js/issues/13334.
        raise invalid_parameter(
            "Invalid SourceUser: Cognito users with a username/password may not be passed in as a SourceUser, only as "
            "a DestinationUser"
        )
    known = state.providers.get(pool, provider)
    if known is None:
        raise not_found(f"Identity provider {provider} does not exist.")
    _require_free(state, pool, user, source)
    identities = _identities(user)
    if len(identities) >= _MOST:
        raise Refusal("LimitExceededException", f"A user can be linked to at most {_MOST} identities.")
    now = state.clock()
    link = Resource(_key(source), now, now, {"Sub": user.sub, "UserId": value, "ProviderName": provider})
    state.linked_identities.add(pool, link.name, link)
    _write(state, user, [*identities, _added_identity(known, value, now)])
    return {}


def _added_identity(provider: IdentityProvider, user_id: str, now: float) -> dict[str, Any]:
    return {
        "userId": user_id,
        "providerName": provider.name,
        "providerType": provider.settings["ProviderType"],
        "issuer": None,
        "primary": False,
        "dateCreated": int(now * 1000),
    }


def _identity(given: Parameters) -> tuple[str, str, str]:
    names = ("ProviderName", "ProviderAttributeName", "ProviderAttributeValue")
    provider, attribute, value = (string(given, name) for name in names)
    return provider, attribute, value


def _key(source: Parameters) -> str:
    return json.dumps(_identity(source))


def _destination(state: State, pool: PoolRecord, given: Parameters) -> User:
    provider, value = string(given, "ProviderName"), string(given, "ProviderAttributeValue")
    if provider == _NATIVE:
        return directory.require_user(state, pool, value)
    user = _linked_user(state, pool, {**given, "ProviderAttributeName": _SUBJECT})
    if user is None:
        raise user_not_found()
    return user


def _linked_user(state: State, pool: PoolRecord, source: Parameters) -> User | None:
    link = state.linked_identities.get(pool, _key(source))
    return None if link is None else state.users.by_sub(pool, str(link.settings["Sub"]))


def _require_free(state: State, pool: PoolRecord, user: User, source: Parameters) -> None:
    link = state.linked_identities.get(pool, _key(source))
    if link is None:
        return
    owner = state.users.by_sub(pool, str(link.settings["Sub"]))
    if owner is None:
        # The user was deleted.
        state.linked_identities.remove(link)
    elif owner is user:
        raise invalid_parameter("SourceUser is already linked to DestinationUser")
    else:
        raise Refusal("AliasExistsException", "SourceUser is already linked to another user.")


def _identities(user: User) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", json.loads(user.attributes.get("identities", "[]")))


def _write(state: State, user: User, identities: list[dict[str, Any]]) -> None:
    if identities:
        user.attributes["identities"] = json.dumps(identities, separators=(",", ":"))
    else:
        user.attributes.pop("identities", None)
    user.modified = state.clock()


def admin_disable_provider_for_user(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminDisableProviderForUser: remove a link, or the password of a user of the pool itself."""
    pool, given = state.pool(string(parameters, "UserPoolId")), mapping(parameters, "User")
    provider, attribute, value = _identity(given)
    if provider == _NATIVE:
        if attribute != _SUBJECT:
            raise invalid_parameter(f"ProviderAttributeName must be {_SUBJECT} for the provider {_NATIVE}.")
        user = directory.require_user(state, pool, value)
        user.password, user.modified = None, state.clock()
        return {}
    link, linked = state.linked_identities.get(pool, _key(given)), _linked_user(state, pool, given)
    if link is None or linked is None:
        raise user_not_found()
    state.linked_identities.remove(link)
    same = ("providerName", "userId")
    kept = [each for each in _identities(linked) if tuple(each[name] for name in same) != (provider, value)]
    _write(state, linked, kept)
    return {}


OPERATIONS = {
    "AdminLinkProviderForUser": admin_link_provider_for_user,
    "AdminDisableProviderForUser": admin_disable_provider_for_user,
}
