"""RespondToAuthChallenge and AdminRespondToAuthChallenge: check the client's answer to each kind of challenge.

Theory of operation. Any refusal ends the login, except the last one::

    check the form of the answer ---- refused: the Session is still valid
          |
    take the AuthSession out of the database
          |
    same app client, challenge, user and device? ---- refused
          |
    the function of the challenge in _ANSWERS judges the answer ---- refused
          |                                                  `------ a mistyped code or new password: the AuthSession is
          v                                                          put back under the same Session
    next_step.advance: the next challenge, or the tokens
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
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
from ..api.parameters import Parameters, mapping, named, optional_string, string
from ..auth import auth_events, choice, client_secret, custom_auth, mfa, passkeys, passwords, srp, tries
from ..auth.caller import read_metadata
from ..auth.next_step import advance, challenge, complete, require_can_log_in, second_factor_challenge, send_code
from ..model import attributes
from ..model.addresses import ADDRESSES, CODE_CHALLENGES
from ..model.auth_sessions import AuthSession
from ..model.pools import AppClient, PoolRecord
from ..model.secret_values import equal
from ..model.users import User, Verifier
from ..steps import Step, outside
from ..storage import directory
from ..storage.state import Handler, State

__all__ = ["OPERATIONS"]

Answer: TypeAlias = Callable[[State, AuthSession, Mapping[str, Any]], "dict[str, Any] | Step[dict[str, Any]]"]

_CORRECTABLE = (
    "InvalidPasswordException",
    "PasswordHistoryPolicyViolationException",
    "InvalidParameterException",
)
_PROOFS = ("PASSWORD_VERIFIER", "DEVICE_PASSWORD_VERIFIER")
_DEVICE_CHALLENGES = ("DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER")


def respond_to_auth_challenge(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer RespondToAuthChallenge.

    Raises:
        Refusal: the Session is not valid for this user, app client and challenge, or the answer is wrong.
    """
    client, pool = directory.client_and_pool(state, parameters)
    name, answers = string(parameters, "ChallengeName"), mapping(parameters, "ChallengeResponses")
    _check_form(name, answers)
    session = optional_string(parameters, "Session")
    auth_session = _take(state, pool, client, name, answers, session)
    # _take() has removed the Session, and a request that fails one of these checks does not get it back. A Session
    # that turns up with another client, user or challenge may be stolen, so it is better lost than usable again.
    _check_sender(state, auth_session, client, name, answers)
    device_key = _check_device(auth_session, name, answers)
    auth_session = replace(auth_session, device_key=device_key, client_metadata=read_metadata(parameters))
    # SELECT_CHALLENGE with the answer PASSWORD carries the password itself. With another answer it proves nothing.
    proved = "PASSWORD" if (name, answers.get("ANSWER")) == ("SELECT_CHALLENGE", "PASSWORD") else name
    judge = _answer(state, session, auth_session, name, answers)
    return (yield from auth_events.recorded(state, auth_session, proved, parameters, judge))


def admin_respond_to_auth_challenge(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer AdminRespondToAuthChallenge."""
    return (yield from respond_to_auth_challenge(state, parameters))


def _check_form(name: str, answers: Mapping[str, Any]) -> None:
    """Check what can be checked without the login.

    Raises:
        Refusal: there is no such challenge, or an entry of ChallengeResponses is missing or malformed.
    """
    if name not in _ANSWERS:
        raise invalid_parameter(f"Challenge {name} is not supported.")
    if not answers:
        raise invalid_parameter("Missing required parameter challenge responses.")
    named(answers, "USERNAME")
    if name in _PROOFS:
        srp.check_proof(answers)


def _check_sender(
    state: State, auth_session: AuthSession, client: AppClient, name: str, answers: Mapping[str, Any]
) -> None:
    """Check that the login waits for an answer to this challenge, from this app client and this user.

    Raises:
        Refusal: it does not, or SECRET_HASH is wrong.
    """
    username = named(answers, "USERNAME")
    if auth_session.client is not client or name not in auth_session.challenges:
        raise invalid_session()
    if not _names_user(state, auth_session, username):
        raise invalid_session()
    client_secret.check_hash(client, optional_string(answers, "SECRET_HASH"), username, *_names(auth_session))


def _check_device(auth_session: AuthSession, name: str, answers: Mapping[str, Any]) -> str | None:
    """Return the key of the device from which the user logs in, if there is one.

    Raises:
        Refusal: another device was challenged.
    """
    device_key = optional_string(answers, "DEVICE_KEY") or auth_session.device_key
    if name in _DEVICE_CHALLENGES and device_key != auth_session.device_key:
        raise not_found("Device does not exist.")
    return device_key


def _names(auth_session: AuthSession) -> tuple[str, str]:
    """Return the user names that are valid in an answer: the one that was typed, and the canonical one."""
    typed, user = auth_session.typed, auth_session.user
    return typed, srp.fake_username(auth_session.pool, typed) if user is None else user.username


def _names_user(state: State, auth_session: AuthSession, username: str) -> bool:
    pool, user = auth_session.pool, auth_session.user
    if pool.fold(username) in {pool.fold(name) for name in _names(auth_session)}:
        return True
    return user is not None and directory.find(state, pool, username) is user


def _take(
    state: State, pool: PoolRecord, client: AppClient, name: str, answers: Mapping[str, Any], session: str | None
) -> AuthSession:
    if session is None:
        return _take_without_session(state, pool, client, name, answers)
    try:
        return state.auth_sessions.take(session)
    except Refusal:
        user = directory.find(state, pool, named(answers, "USERNAME"))
        if name != "DEVICE_SRP_AUTH" or user is None:
            raise
        # amazon-cognito-identity-js does not keep the Session of this challenge, and sends the one before it again.
        return state.auth_sessions.take_by_device(client, user, named(answers, "DEVICE_KEY"), session)


def _take_without_session(
    state: State, pool: PoolRecord, client: AppClient, name: str, answers: Mapping[str, Any]
) -> AuthSession:
    """Take the login of an answer that has no Session: by its secret block, or by user and device.

    The first challenges of SRP logins are sent without a Session, so their answers cannot carry one.

    Raises:
        Refusal: no login waits for this answer, or this challenge needs a Session.
    """
    if name in _PROOFS:
        return state.auth_sessions.take_by_secret_block(named(answers, "PASSWORD_CLAIM_SECRET_BLOCK"))
    if name == "DEVICE_SRP_AUTH":
        user = directory.find(state, pool, named(answers, "USERNAME"))
        if user is None:
            raise invalid_session()
        return state.auth_sessions.take_by_device(client, user, named(answers, "DEVICE_KEY"))
    raise invalid_parameter("Missing required parameter Session")


def _answer(
    state: State, session: str | None, auth_session: AuthSession, name: str, answers: Mapping[str, Any]
) -> Step[dict[str, Any]]:
    try:
        answer = _ANSWERS[name](state, auth_session, answers)
        return (yield from answer) if isinstance(answer, Generator) else answer
    except Refusal as refusal:
        # A new password that breaks the policy may be corrected in the same Session, and so may a mistyped code, but
        # only a few times: otherwise it could be guessed. Any other refusal ends the login.
        if refusal.code in _CORRECTABLE:
            state.auth_sessions.put_back(session, auth_session)
        elif refusal.code in ("CodeMismatchException", "ExpiredCodeException"):
            tries.allow_another(state, session, auth_session)
        raise


def _require_user(auth_session: AuthSession) -> User:
    if auth_session.user is None:
        raise not_authorized()
    return auth_session.user


def _password_verifier(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    pool, user, typed, exchange = auth_session.pool, auth_session.user, auth_session.typed, auth_session.exchange
    passwords.require_not_locked(state, pool, user, typed)
    proved = yield from outside(srp.read_proof(state, exchange, answers))
    if exchange is None:
        raise not_authorized()
    passwords.judge(state, pool, user, typed, exchange.verifier, proved=proved)
    return (yield from advance(state, replace(auth_session, exchange=None)))


def _new_password(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    user, pool, password = require_can_log_in(state, auth_session), auth_session.pool, named(answers, "NEW_PASSWORD")
    temporary = user.password
    _require_password(user, temporary)
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
    verifier = yield from passwords.make(pool, user.username, password)
    _require_password(user, temporary)
    passwords.store(state, pool, user, verifier, "CONFIRMED")
    user.attributes |= given
    return (yield from advance(state, auth_session, "NewPasswordChallenge"))


def _require_password(user: User, temporary: Verifier | None) -> None:
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
    step = mfa.match_totp(state, user.totp_secret, code)
    if step is None:
        tries.count_wrong(state, user, "SOFTWARE_TOKEN_MFA")
        raise code_mismatch("Invalid code received for user")
    if step <= user.totp_step:
        raise expired_code("Your software token has already been used once.")
    user.totp_step = step
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
        both = passkeys.check(auth_session.pool, user, auth_session.passkey_challenge or "", given)
    except Refusal as refusal:
        # Turn every failure into NotAuthorizedException. For this exception _answer() does not put the Session back, so
        # the next try needs a new challenge.
        raise not_authorized(refusal.message) from None
    return (yield from advance(state, replace(auth_session, passkey_challenge=None, second_factor_done=both)))


def _custom(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    return (yield from advance(state, (yield from custom_auth.verify(state, auth_session, named(answers, "ANSWER")))))


def _select_challenge(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    return (yield from choice.begin(state, auth_session, named(answers, "ANSWER"), answers))


def _password_or_srp(state: State, auth_session: AuthSession, answers: Mapping[str, Any]) -> Step[dict[str, Any]]:
    return (yield from choice.begin(state, auth_session, auth_session.challenges[0], answers))


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
    # respond_to_auth_challenge() has already refused any device other than the one that was challenged.
    device = user.devices.get(named(answers, "DEVICE_KEY"))
    if device is None:
        raise not_found("Device does not exist.")
    exchange, parameters = yield from srp.device_challenge(user, device, A)
    return challenge(state, replace(auth_session, exchange=exchange), "DEVICE_PASSWORD_VERIFIER", parameters)


def _device_password_verifier(
    state: State, auth_session: AuthSession, answers: Mapping[str, Any]
) -> Step[dict[str, Any]]:
    user = _require_user(auth_session)
    proved = yield from outside(srp.read_proof(state, auth_session.exchange, answers))
    device = user.devices.get(auth_session.device_key or "")
    if device is None or auth_session.exchange is None:
        raise not_found("Device does not exist.")
    if not proved or auth_session.exchange.verifier != device.password:
        raise not_authorized()
    return (yield from complete(state, auth_session, device, "AuthenticateDevice"))


_ANSWERS: dict[str, Answer] = {
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

OPERATIONS: dict[str, Handler] = {
    "RespondToAuthChallenge": respond_to_auth_challenge,
    "AdminRespondToAuthChallenge": admin_respond_to_auth_challenge,
}
