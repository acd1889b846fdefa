"""Choice-based login (the flow USER_AUTH): which first factors a user may choose, and the challenge of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from ..api.errors import invalid_parameter, not_authorized
from ..api.parameters import named, optional_string
from ..model.addresses import CODE_CHALLENGES, MEDIUMS
from ..model.auth_sessions import AuthSession
from ..model.pools import PoolRecord
from ..model.users import User
from ..steps import Step
from ..storage.state import State
from . import codes, mfa, passkeys, passwords, srp
from .next_step import advance, open_challenge, send_code

__all__ = ["configured", "first_challenge", "log_in_by", "offered"]

_SECRETS = {"PASSWORD": "PASSWORD", "PASSWORD_SRP": "SRP_A"}
_FACTORS = ("PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN")


def configured(pool: PoolRecord, user: User) -> list[str]:
    """Return the first factors that *user* has and *pool* allows, with the names of GetUserAuthFactors."""
    has = {
        "PASSWORD": user.password is not None,
        "EMAIL_OTP": user.verified("email"),
        "SMS_OTP": user.verified("phone_number"),
        "WEB_AUTHN": bool(passkeys.usable(pool, user)),
    }
    return [factor for factor in has if has[factor] and factor in pool.first_factors]


def offered(pool: PoolRecord, user: User | None) -> list[str]:
    """Return the names of the challenges that the user may choose from at a login.

    If the user needs a second factor, the first one must be the password, or a passkey that counts as both factors.

    Args:
        user: None for a name that does not exist. Then the answer lists every factor of the pool except passkeys, so
            that it does not reveal whether the user exists.
    """
    has = configured(pool, user) if user else [factor for factor in pool.first_factors if factor != "WEB_AUTHN"]
    if pool.mfa == "ON" or (user is not None and mfa.factors(pool, user)):
        both = {"PASSWORD", "WEB_AUTHN"} if passkeys.is_multi_factor(pool) else {"PASSWORD"}
        has = [factor for factor in has if factor in both]
    if "PASSWORD" in has:
        has.append("PASSWORD_SRP")
    return [factor for factor in _FACTORS if factor in has]


def first_challenge(state: State, auth_session: AuthSession, values: Mapping[str, Any]) -> Step[dict[str, Any]]:
    """Return the challenge that PREFERRED_CHALLENGE names, or SELECT_CHALLENGE if it is absent or not available.

    Raises:
        Refusal: PREFERRED_CHALLENGE is not the name of a first factor, or the password sent with it is wrong.
    """
    preferred = optional_string(values, "PREFERRED_CHALLENGE")
    if preferred is not None and preferred not in _FACTORS:
        raise invalid_parameter(f"PREFERRED_CHALLENGE must be one of {', '.join(_FACTORS)}")
    available = offered(auth_session.pool, auth_session.user)
    if preferred not in available:
        return {**open_challenge(state, auth_session, "SELECT_CHALLENGE", {}), "AvailableChallenges": available}
    if preferred in _SECRETS and not values.get(_SECRETS[preferred]):
        return open_challenge(state, auth_session, preferred, {})
    return (yield from log_in_by(state, auth_session, preferred, values))


def log_in_by(state: State, auth_session: AuthSession, factor: str, values: Mapping[str, Any]) -> Step[dict[str, Any]]:
    """Start the login with *factor*, and return the next challenge or the tokens.

    Args:
        values: what the client sent. The factor PASSWORD needs PASSWORD in it, and PASSWORD_SRP needs SRP_A.

    Raises:
        Refusal: the factor is not available to the user, or a value that it needs is missing or wrong.
    """
    pool, user = auth_session.pool, auth_session.user
    if factor not in offered(pool, user):
        raise invalid_parameter(f"Selected challenge {factor} is not available")
    if factor == "PASSWORD":
        yield from passwords.check_password(state, pool, user, auth_session.typed, named(values, "PASSWORD"))
        return (yield from advance(state, auth_session))
    if factor == "PASSWORD_SRP":
        A = srp.public_value(values)
        exchange, parameters = yield from srp.password_challenge(pool, user, auth_session.typed, A)
        return open_challenge(state, replace(auth_session, exchange=exchange), "PASSWORD_VERIFIER", parameters)
    if factor == "WEB_AUTHN":
        return _passkey(state, auth_session)
    return (yield from _send_code(state, replace(auth_session, first_factor=factor), factor))


def _passkey(state: State, auth_session: AuthSession) -> dict[str, Any]:
    if auth_session.user is None:
        raise not_authorized()
    nonce, options = passkeys.request_options(auth_session.pool, auth_session.user)
    asked = replace(auth_session, passkey_challenge=nonce)
    return open_challenge(state, asked, "WEB_AUTHN", {"CREDENTIAL_REQUEST_OPTIONS": options})


def _send_code(state: State, auth_session: AuthSession, factor: str) -> Step[dict[str, Any]]:
    attribute, user = CODE_CHALLENGES[factor], auth_session.user
    if user is not None:
        return (yield from send_code(state, auth_session, user, factor, attribute, "sign_in"))
    destination = codes.masked(attribute, codes.fake_address(auth_session.pool, auth_session.typed, attribute))
    parameters = {
        "USER_ID_FOR_SRP": srp.fake_username(auth_session.pool, auth_session.typed),
        "CODE_DELIVERY_DELIVERY_MEDIUM": MEDIUMS[attribute],
        "CODE_DELIVERY_DESTINATION": destination,
    }
    return open_challenge(state, auth_session, factor, parameters)
