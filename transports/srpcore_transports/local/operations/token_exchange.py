"""GetDerivedToken: exchange a token for one with fewer scopes or another audience (RFC 8693, OAuth 2.0 Token Exchange).

With an ActorToken the new token has the claim ``act`` (section 4.1), which names the program that acts for the user. If
the user's token has such a claim already, the new one contains it, so the whole chain of programs is visible.

Only tokens of the same pool are accepted, no SAML assertions, and no tokens of other providers. The pool's own
operations refuse a derived token: it is meant for another service.
"""

from __future__ import annotations

from typing import Any

from ..api.errors import invalid_parameter, not_authorized, not_found, user_not_found
from ..api.parameters import Parameters, optional_string, string, strings
from ..auth import client_secret, membership, token_verification, tokens
from ..model.grants import Grant, GrantRecord
from ..model.pools import AppClient, PoolRecord
from ..model.users import User
from ..steps import Step, outside
from ..storage import directory
from ..storage.signing_keys import signing_key
from ..storage.state import Handler, State

__all__ = ["OPERATIONS"]

_USES = {"ACCESS_TOKEN": "access", "ID_TOKEN": "id"}
# The claims of a login. A derived token does not belong to a login.
_OF_LOGINS = ("origin_jti", "event_id", "device_key")


def get_derived_token(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer GetDerivedToken."""
    client, pool = directory.client_and_pool(state, parameters)
    secret, actor_token = optional_string(parameters, "ClientSecret"), optional_string(parameters, "ActorToken")
    flow = "ALLOW_TOKEN_EXCHANGE_IMPERSONATION" if actor_token is None else "ALLOW_TOKEN_EXCHANGE_DELEGATION"
    if flow not in client.flows:
        raise invalid_parameter(f"{flow} is not enabled for the client {client.client_id}")
    if secret is not None or not state.trusted:
        client_secret.check_secret(client, secret)
    subject = _verify(state, pool, parameters, "Subject")
    actor = None if actor_token is None else _verify(state, pool, parameters, "Actor")
    issued = optional_string(parameters, "RequestedTokenType") or "ACCESS_TOKEN"
    claims, seconds = _claims(state, pool, client, subject, issued)
    claims |= _audience(state, pool, parameters)
    scopes = _scopes(client, subject, strings(parameters, "Scopes"))
    if issued == "ACCESS_TOKEN":
        claims["scope"] = " ".join(scopes)
    if actor is not None:
        claims["act"] = {"sub": actor["sub"], **({"act": subject["act"]} if "act" in subject else {})}
    key = yield from signing_key(pool)
    token = yield from outside(lambda: key.sign(claims))
    kind = "Bearer" if issued == "ACCESS_TOKEN" else "N_A"
    answer = {"IssuedToken": token, "IssuedTokenType": issued, "TokenType": kind, "ExpiresIn": seconds}
    return {**answer, **({"Scopes": scopes} if issued == "ACCESS_TOKEN" else {})}


def _verify(state: State, pool: PoolRecord, parameters: Parameters, role: str) -> dict[str, Any]:
    """Return the claims of SubjectToken or ActorToken.

    Raises:
        Refusal: the token is not a valid one of *pool*, or not of the type that the request names.
    """
    kind = optional_string(parameters, f"{role}TokenType")
    if kind not in _USES or parameters.get(f"{role}TokenProviderName") is not None:
        raise invalid_parameter(f"{role}Token must be an ACCESS_TOKEN or ID_TOKEN of the user pool itself.")
    issuer, claims = token_verification.verify(state, string(parameters, f"{role}Token"))
    if issuer is not pool or claims.get("token_use") != _USES[kind]:
        raise not_authorized(f"Invalid {role} Token")
    if int(claims["exp"]) <= state.clock():
        raise not_authorized(f"{role} Token has expired")
    record = token_verification.grant_record_of(state, claims)
    # A derived token does not belong to a login, and neither does one of GetClientToken.
    belongs_to_login = "origin_jti" in claims or "event_id" in claims
    if belongs_to_login and (record is None or record.revoked):
        raise not_authorized(f"{role} Token has been revoked")
    return claims


def _subject_user(state: State, pool: PoolRecord, claims: dict[str, Any]) -> User:
    user = state.users.by_sub(pool, str(claims["sub"]))
    if user is None:
        raise user_not_found()
    if not user.enabled:
        raise not_authorized("User is disabled.")
    return user


def _claims(
    state: State, pool: PoolRecord, client: AppClient, subject: dict[str, Any], issued: str
) -> tuple[dict[str, Any], int]:
    """Return the claims of the new token without scopes, and for how many seconds it is valid."""
    user = _subject_user(state, pool, subject)
    login = GrantRecord("", pool.id, client.client_id, user.sub, int(subject["auth_time"]), None, "", "", 0.0, 0.0)
    access = issued == "ACCESS_TOKEN"
    seconds = client.validity("AccessToken" if access else "IdToken", tokens.HOUR, "hours")
    make = tokens.access_claims if access else tokens.id_claims
    groups = membership.groups_in_tokens(state, user)
    claims = make(state, Grant(pool, client, user, login), seconds, groups)
    return {name: value for name, value in claims.items() if name not in _OF_LOGINS}, seconds


def _audience(state: State, pool: PoolRecord, parameters: Parameters) -> dict[str, str]:
    audiences, resources = strings(parameters, "Audiences"), strings(parameters, "Resources")
    if audiences and resources:
        raise invalid_parameter("Audiences and Resources cannot be in the same request.")
    for identifier in resources:
        if state.resource_servers.get(pool, identifier) is None:
            raise not_found(f"Resource server {identifier} does not exist.")
    # The model allows one of them at most.
    audience = next(iter((*audiences, *resources)), None)
    return {} if audience is None else {"aud": audience}


def _scopes(client: AppClient, subject: dict[str, Any], wanted: list[str]) -> list[str]:
    """Return the scopes of the subject, and if *wanted* is not empty, only those that are wanted and allowed."""
    of_subject = str(subject.get("scope", "")).split()
    if not wanted:
        return of_subject
    allowed = client.settings.get("AllowedOAuthScopes") or of_subject
    return [scope for scope in of_subject if scope in wanted and scope in allowed]


OPERATIONS: dict[str, Handler] = {"GetDerivedToken": get_derived_token}
