"""Check the answer to each kind of challenge, and return the next challenge or the tokens.

Every function here is called with the login, which was taken out of the database, and with ChallengeResponses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from msgspec.structs import replace

from ..api.errors import (
    Refusal,
    code_mismatch,
    expired_code,
    invalid_parameter,
    invalid_session,
    not_authorized,
    not_found,
)
from ..api.parameters import named, optional_string
from ..auth import choice, custom_auth, mfa, passkeys, passwords, srp, tries
from ..auth.next_step import advance, complete, open_challenge, require_can_log_in, second_factor_challenge, send_code
from ..model import attributes
from ..model.addresses import ADDRESSES, CODE_CHALLENGES
from ..model.auth_sessions import AuthSession
from ..model.secret_values import equal
from ..model.users import User, Verifier
from ..steps import Step, outside
from ..storage import directory
from ..storage.state import State

__all__ = ["ANSWERS"]

Answer: TypeAlias = Callable[[State, AuthSession, Mapping[str, Any]], "dict[str, Any] | Step[dict[str, Any]]"]


def _require_user(auth_session: AuthSession) -> User:
    if auth_session.user is None:
        raise not_authorized()
    return auth_session.user


def _password_verifier(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    pool, user, typed, exchange = auth_session.pool, auth_session.user, auth_session.typed, auth_session.exchange
    passwords.require_not_locked(state, pool, user, typed)
    proved = yield from outside(srp.proof_checker(state, exchange, answers))
    if exchange is None:
        raise not_authorized()
    passwords.accept_or_refuse(state, pool, user, typed, exchange.verifier, proved=proved)
    return (yield from advance(state, replace(auth_session, exchange=None)))


def _new_password(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    user, pool, password = require_can_log_in(state, auth_session), auth_session.pool, named(answers, "NEW_PASSWORD")
    temporary = user.password
    _require_temporary_password(user, temporary)
    prefix = "userAttributes."
    given = {key.removeprefix(prefix): optional_string(answers, key) or "" for key in answers if key.startswith(prefix)}
    passwords.check_policy(pool, password)
    attributes.check_writer(auth_session.client, given)
    given = attributes.check(pool, given)
    for name in given:
        if name in ADDRESSES and name in user.attributes:
            raise not_authorized(f"Cannot modify an already provided {name}")
    attributes.check_unset(pool, user, given)
    attributes.check_required(pool, {**user.attributes, **given})
    yield from passwords.check_history(pool, user, password)
    verifier = yield from passwords.make_verifier(pool, user.username, password)
    _require_temporary_password(user, temporary)
    passwords.store(state, pool, user, verifier, "CONFIRMED")
    user.attributes |= given
    return (yield from advance(state, auth_session, "NewPasswordChallenge"))


def _require_temporary_password(user: User, temporary: Verifier | None) -> None:
    """Check that *user* still has the temporary password: an administrator may have set another one since.

    Raises:
        Refusal: the user has a password that must not be replaced by this login.
    """
    if user.status != "FORCE_CHANGE_PASSWORD" or user.password != temporary:
        raise invalid_session()


def _software_token(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    user, code = _require_user(auth_session), named(answers, "SOFTWARE_TOKEN_MFA_CODE")
    if user.totp_secret is None:
        raise invalid_session()
    tries.require_code(state, user, "SOFTWARE_TOKEN_MFA", tries.locked())
    time_step = mfa.match_totp(state, user.totp_secret, code)
    if time_step is None:
        tries.count_wrong(state, user, "SOFTWARE_TOKEN_MFA")
        raise code_mismatch("Invalid code received for user")
    if time_step <= user.totp_step:
        raise expired_code("Your software token has already been used once.")
    user.totp_step = time_step
    tries.forgive(user, "SOFTWARE_TOKEN_MFA")
    return (yield from advance(state, replace(auth_session, second_factor_done=True, wrong=0)))


def _one_time_code(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    name = auth_session.challenges[0]
    code, expected = named(answers, f"{name}_CODE"), auth_session.code
    _require_address(auth_session, CODE_CHALLENGES[name])
    guesser = auth_session.user or state.strangers.of(auth_session.pool, auth_session.typed)
    tries.require_code(state, guesser, name, tries.locked())
    if expected is None or not equal(code, expected):
        tries.count_wrong(state, guesser, name)
        raise code_mismatch("Invalid code or auth state for the user.")
    tries.forgive(guesser, name)
    proved = replace(auth_session, code=None, code_address=None, wrong=0)
    if auth_session.first_factor is not None:
        return (yield from advance(state, replace(proved, first_factor=None)))
    _save_email_address(state, auth_session)
    return (yield from advance(state, replace(proved, second_factor_done=True)))


def _require_address(auth_session: AuthSession, attribute: str) -> None:
    """Check that the user still has the address that the code was sent to: somebody else may read it there.

    Raises:
        Refusal: *attribute* has another address now.
    """
    address, user = auth_session.code_address, auth_session.user
    if user is not None and address is not None and user.attributes.get(attribute) != address:
        raise expired_code()


def _save_email_address(state: State, auth_session: AuthSession) -> None:
    """Save the e-mail address that the user set up during this login, after its code was entered correctly."""
    address = auth_session.new_address
    if address is not None:
        user = require_can_log_in(state, auth_session)
        directory.check_alias_free(state, auth_session.pool, user, "email", address)
        user.attributes |= {"email": address, "email_verified": "true"}
        user.enabled_mfa.add("EMAIL_OTP")
        user.modified = state.clock()


def _passkey(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    user, given = _require_user(auth_session), named(answers, "CREDENTIAL")
    try:
        both = passkeys.verify_assertion(auth_session.pool, user, auth_session.passkey_challenge or "", given)
    except Refusal as refusal:
        # Turn every failure into NotAuthorizedException. After this exception the Session is not put back, so
        # the next try needs a new challenge.
        raise not_authorized(refusal.message) from None
    return (yield from advance(state, replace(auth_session, passkey_challenge=None, second_factor_done=both)))


def _custom(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    return (yield from advance(state, (yield from custom_auth.verify(state, auth_session, named(answers, "ANSWER")))))


def _select_challenge(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    return (yield from choice.log_in_by(state, auth_session, named(answers, "ANSWER"), answers))


def _password_or_srp(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    return (yield from choice.log_in_by(state, auth_session, auth_session.challenges[0], answers))


def _select_mfa_type(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    user, factor = _require_user(auth_session), named(answers, "ANSWER")
    # The API reference documents both names for this factor.
    factor = "EMAIL_OTP" if factor == "EMAIL_MFA" else factor
    if factor not in mfa.factors(auth_session.pool, user):
        raise invalid_parameter(f"Selected challenge {factor} is not available to the user")
    return (yield from second_factor_challenge(state, auth_session, user, factor))


def _mfa_setup(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    address = optional_string(answers, "EMAIL")
    if address is not None and "EMAIL_OTP" in mfa.can_set_up(auth_session.pool):
        return (yield from _email_setup(state, auth_session, address))
    if not mfa.factors(auth_session.pool, _require_user(auth_session)):
        raise not_authorized("User has not set up a second factor: verify a software token first.")
    return (yield from advance(state, replace(auth_session, second_factor_done=True)))


def _email_setup(state: State, auth_session: AuthSession, address: str) -> Step[dict[str, Any]]:
    user = _require_user(auth_session)
    attributes.check(auth_session.pool, {"email": address})
    if user.attributes.get("email", address) != address:
        raise invalid_parameter("The user already has another e-mail address")
    sent = replace(auth_session, new_address=address)
    future = replace(user, attributes={**user.attributes, "email": address})
    return (yield from send_code(state, sent, future, "EMAIL_OTP", "email", "mfa"))


def _device_srp(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    user, A = _require_user(auth_session), srp.public_value(answers)
    # Any device other than the one that was challenged was refused before.
    device = user.devices.get(named(answers, "DEVICE_KEY"))
    if device is None:
        raise not_found("Device does not exist.")
    exchange, parameters = yield from srp.device_challenge(user, device, A)
    return open_challenge(state, replace(auth_session, exchange=exchange), "DEVICE_PASSWORD_VERIFIER", parameters)


def _device_password_verifier(
    state: State, auth_session: AuthSession, answers: Mapping[str, Any]
) -> Step[dict[str, Any]]:
    user = _require_user(auth_session)
    proved = yield from outside(srp.proof_checker(state, auth_session.exchange, answers))
    device = user.devices.get(auth_session.device_key or "")
    if device is None or auth_session.exchange is None:
        raise not_found("Device does not exist.")
    if not proved or auth_session.exchange.verifier != device.password:
        raise not_authorized()
    return (yield from complete(state, auth_session, device, "AuthenticateDevice"))


ANSWERS: dict[str, Answer] = {
    "PASSWORD_VERIFIER": _password_verifier,
    "NEW_PASSWORD_REQUIRED": _new_password,
    "SOFTWARE_TOKEN_MFA": _software_token,
    "SMS_MFA": _one_time_code,
    "SMS_OTP": _one_time_code,
    "EMAIL_OTP": _one_time_code,
    "SELECT_CHALLENGE": _select_challenge,
    "PASSWORD": _password_or_srp,
    "PASSWORD_SRP": _password_or_srp,
    "WEB_AUTHN": _passkey,
    "CUSTOM_CHALLENGE": _custom,
    "SELECT_MFA_TYPE": _select_mfa_type,
    "MFA_SETUP": _mfa_setup,
    "DEVICE_SRP_AUTH": _device_srp,
    "DEVICE_PASSWORD_VERIFIER": _device_password_verifier,
}
