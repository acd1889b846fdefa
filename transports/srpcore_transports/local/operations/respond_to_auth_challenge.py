"""RespondToAuthChallenge and AdminRespondToAuthChallenge: the client answers a challenge of its login.

Theory of operation::

    check the form of the answer ------------ refused: the Session is still valid
          v
    take the AuthSession out of the database
          v
    app client, challenge, user and device -- refused: the login has ended
          v
    ANSWERS[challenge] checks the answer ---- refused: the login has ended, except that a mistyped code or an
          v                                            unacceptable new password can be corrected in the same Session
    next_step.advance: the next challenge, or the tokens
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from msgspec.structs import replace

from ..api.errors import (
    Refusal,
    invalid_parameter,
    invalid_session,
    not_found,
)
from ..api.parameters import Parameters, mapping, named, optional_string, string
from ..auth import auth_events, client_secret, srp, tries
from ..auth.caller import read_metadata
from ..model.auth_sessions import AuthSession
from ..model.pools import AppClient, PoolRecord
from ..steps import Step
from ..storage import directory
from ..storage.state import Handler, State
from .challenge_answers import ANSWERS

__all__ = ["OPERATIONS"]


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
    step = _answer(state, session, auth_session, name, answers)
    return (yield from auth_events.record_sign_in(state, auth_session, proved, parameters, step))


def admin_respond_to_auth_challenge(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer AdminRespondToAuthChallenge."""
    return (yield from respond_to_auth_challenge(state, parameters))


def _check_form(name: str, answers: Mapping[str, Any]) -> None:
    """Check what can be checked without the login.

    Raises:
        Refusal: there is no such challenge, or an entry of ChallengeResponses is missing or malformed.
    """
    if name not in ANSWERS:
        raise invalid_parameter(f"Challenge {name} is not supported.")
    if not answers:
        raise invalid_parameter("Missing required parameter challenge responses.")
    named(answers, "USERNAME")
    if name in _PROOFS:
        srp.check_proof_form(answers)


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
    if not _is_name_of_user(state, auth_session, username):
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


def _is_name_of_user(state: State, auth_session: AuthSession, username: str) -> bool:
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
        answer = ANSWERS[name](state, auth_session, answers)
        return (yield from answer) if isinstance(answer, Generator) else answer
    except Refusal as refusal:
        # A new password that breaks the policy may be corrected in the same Session, and so may a mistyped code, but
        # only a few times: otherwise it could be guessed. Any other refusal ends the login.
        if refusal.code in _CORRECTABLE:
            state.auth_sessions.put_back(session, auth_session)
        elif refusal.code in ("CodeMismatchException", "ExpiredCodeException"):
            tries.allow_another(state, session, auth_session)
        raise


OPERATIONS: dict[str, Handler] = {
    "RespondToAuthChallenge": respond_to_auth_challenge,
    "AdminRespondToAuthChallenge": admin_respond_to_auth_challenge,
}
