"""Issue the tokens of a completed login: start its grant, make the claims, and sign them."""

from __future__ import annotations

import json
import uuid
from typing import Any

from ..model.attributes import readable
from ..model.clock import DAY
from ..model.grants import Grant, GrantRecord
from ..model.pools import AppClient, PoolRecord
from ..model.records import random_string
from ..model.token_groups import TokenGroups
from ..model.users import DeviceRecord, User
from ..steps import Step, outside
from ..storage.signing_keys import signing_key
from ..storage.state import State
from ..triggers.claims import Cause, TokenChanges, pre_token_generation
from . import membership
from .caller import Caller

__all__ = [
    "API_SCOPE",
    "HOUR",
    "access_claims",
    "call_trigger",
    "grant_of",
    "id_claims",
    "issue",
    "refresh_seconds",
    "start_grant",
]

_BOOLEANS = ("email_verified", "phone_number_verified")
HOUR = 3600
"""The default validity of access and ID tokens in seconds."""

_THIRTY_DAYS = 30 * DAY
API_SCOPE = "aws.cognito.signin.user.admin"
"""The scope with which the operations of a user accept an access token."""


def start_grant(
    state: State,
    pool: PoolRecord,
    client: AppClient,
    user: User,
    device: DeviceRecord | None,
    until: float,
    event_id: str | None = None,
) -> Grant:
    """Add and return a grant for a login that is complete.

    Args:
        until: when its refresh token expires, in seconds since the epoch.
        event_id: the id of the event of the login; None for a new one.
    """
    now = state.clock()
    event_id = event_id or str(uuid.uuid4())
    longest = max(client.validity(token, HOUR, "hours") for token in ("AccessToken", "IdToken"))
    record = GrantRecord(
        # Tokens that cannot be revoked do not have this claim, and are found by event_id.
        origin_jti=str(uuid.uuid4()) if client.revokes_tokens else event_id,
        pool_id=pool.id,
        client_id=client.client_id,
        sub=user.sub,
        auth_time=int(now),
        device_key=None if device is None else device.key,
        event_id=event_id,
        session_id=f"tkn{random_string(25)}",
        last_active=now,
        expires=until + longest,
    )
    state.grants.add(record)
    return Grant(pool, client, user, record)


def grant_of(state: State, record: GrantRecord) -> Grant | None:
    """Return the grant with its pool, app client and user, or None if one of them was deleted."""
    pool, client = state.pools.get(None, record.pool_id), state.clients.find(record.client_id)
    user = None if pool is None else state.users.by_sub(pool, record.sub)
    return None if pool is None or client is None or user is None else Grant(pool, client, user, record)


def call_trigger(state: State, caller: Caller, user: User, cause: Cause) -> Step[TokenChanges | None]:
    """Call the trigger PreTokenGeneration, and return what it changes; None if the pool does not have it.

    Raises:
        Refusal: the trigger failed.
    """
    triggers = caller.triggers(state)
    if triggers.pre_token_generation is None:
        return None
    groups = membership.groups_in_tokens(state, user)
    return (yield from pre_token_generation(triggers, cause, caller.subject(user), groups, [API_SCOPE]))


def issue(
    state: State, grant: Grant, changes: TokenChanges | None, *, refresh_until: float | None = None
) -> Step[dict[str, Any]]:
    """Return an AuthenticationResult with new access and ID tokens of *grant*.

    Args:
        changes: what the trigger PreTokenGeneration changes in their claims.
        refresh_until: if given, also issue a refresh token that expires at this time, in seconds since the epoch.
    """
    key = yield from signing_key(grant.pool)
    access_seconds = grant.client.validity("AccessToken", HOUR, "hours")
    id_seconds = grant.client.validity("IdToken", HOUR, "hours")
    # Not those that the trigger was given: they may have changed while it ran.
    groups = membership.groups_in_tokens(state, grant.user)
    access, identity = access_claims(state, grant, access_seconds, groups), id_claims(state, grant, id_seconds, groups)
    if changes is not None:
        access, identity = changes.access_claims(access), changes.id_claims(identity)
    result: dict[str, Any] = {"ExpiresIn": access_seconds, "TokenType": "Bearer"}
    # Whole seconds are enough, and the record of a new login is not written twice.
    if state.clock() - grant.record.last_active >= 1:
        grant.record.last_active = state.clock()
    if refresh_until is not None:
        result["RefreshToken"] = state.grants.add_refresh_token(grant.record, refresh_until)
    signed = yield from outside(lambda: (key.sign(access), key.sign(identity)))
    result["AccessToken"], result["IdToken"] = signed
    return result


def refresh_seconds(client: AppClient) -> int:
    """Return how many seconds a refresh token of *client* is valid; the default is 30 days."""
    return client.validity("RefreshToken", _THIRTY_DAYS, "days")


def _common_claims(state: State, grant: Grant, seconds: int, use: str) -> dict[str, Any]:
    now, record = int(state.clock()), grant.record
    revocable = record.origin_jti != record.event_id
    return {
        "sub": grant.user.sub,
        "iss": state.issuer(grant.pool),
        **({"origin_jti": record.origin_jti, "jti": str(uuid.uuid4())} if revocable else {}),
        "event_id": record.event_id,
        "token_use": use,
        "auth_time": grant.record.auth_time,
        "exp": now + seconds,
        "iat": now,
    }


def access_claims(state: State, grant: Grant, seconds: int, groups: TokenGroups) -> dict[str, Any]:
    """Return the claims of a new access token of *grant* that is valid for *seconds*. *groups* are the user's."""
    claims = _common_claims(state, grant, seconds, "access")
    claims |= {"client_id": grant.client.client_id, "username": grant.user.username}
    claims["scope"] = API_SCOPE
    claims |= groups.in_access_token()
    if grant.record.device_key is not None:
        claims["device_key"] = grant.record.device_key
    return claims


def id_claims(state: State, grant: Grant, seconds: int, groups: TokenGroups) -> dict[str, Any]:
    """Return the claims of a new ID token of *grant* that is valid for *seconds*. *groups* are the user's."""
    user = grant.user
    attributes: dict[str, Any] = {**readable(grant.client, user.attributes)}
    attributes |= {name: attributes[name] == "true" for name in _BOOLEANS if name in attributes}
    if "identities" in attributes:
        attributes["identities"] = _identities_claim(attributes["identities"])
    own = {"aud": grant.client.client_id, "cognito:username": user.username}
    return attributes | _common_claims(state, grant, seconds, "id") | own | groups.in_id_token()


def _identities_claim(attribute: str) -> list[dict[str, Any]]:
    # In the attribute the values have their JSON types, in the claim they are strings.
    identities: list[dict[str, Any]] = json.loads(attribute)
    return [
        {**each, "primary": str(each["primary"]).lower(), "dateCreated": str(each["dateCreated"])}
        for each in identities
    ]
