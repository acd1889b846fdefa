"""Custom logins (the flow CUSTOM_AUTH): the three triggers that choose, make and check challenges.

Before each step DefineAuthChallenge gets the results so far and chooses what is next: the password by SRP, a challenge
that CreateAuthChallenge makes and VerifyAuthChallengeResponse checks, the tokens, or the end of the login.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from ..api.errors import Refusal, invalid_parameter, not_authorized
from ..model.auth_sessions import AuthSession, CustomLogin
from ..steps import Step
from ..storage.state import State
from ..triggers.configuration import KINDS, Kind
from ..triggers.invocation import Subject, invoke
from ..triggers.responses import invalid_output, optional_string, string_map
from .caller import Caller
from .srp import fake_user

__all__ = [
    "create",
    "define",
    "login_subject",
    "not_configured",
    "record_answered_challenge",
    "start",
    "verify",
]


def record_answered_challenge(auth_session: AuthSession) -> AuthSession:
    """Return *auth_session* with the challenge that was just answered added to its results, if it is a custom login."""
    custom = auth_session.custom
    if custom is None or custom.done or auth_session.challenges in ((), ("CUSTOM_CHALLENGE",)):
        return auth_session
    name = auth_session.challenges[0]
    proved = custom.password_proved or name == "PASSWORD_VERIFIER"
    # Clear the challenges: this function may be called again before the next challenge is sent, and must not add the
    # same result twice.
    return replace(
        auth_session, challenges=(), custom=replace(_with_result(custom, name, passed=True), password_proved=proved)
    )


def _with_result(custom: CustomLogin, name: str, *, passed: bool, metadata: str | None = None) -> CustomLogin:
    result = {"challengeName": name, "challengeResult": passed, "challengeMetadata": metadata}
    return replace(custom, results=(*custom.results, result))


def start(A: int | None) -> CustomLogin:
    """Return the state of a new custom login.

    Args:
        A: the client's public SRP value, if the client starts with ``CHALLENGE_NAME: SRP_A``. The triggers then see
            SRP_A as the first result and can continue with PASSWORD_VERIFIER.
    """
    custom = CustomLogin(A=None if A is None else f"{A:x}")
    return custom if A is None else _with_result(custom, "SRP_A", passed=True)


def define(state: State, auth_session: AuthSession) -> Step[str | None]:
    """Call DefineAuthChallenge and return the name of the next challenge, or None if the tokens are to be issued.

    Raises:
        Refusal: the trigger set failAuthentication, raised an exception, or returned an invalid response.
    """
    response = yield from _invoke(
        state, auth_session, "define_auth_challenge", {"session": _results(auth_session)}, _EMPTY_DEFINE_RESPONSE
    )
    if response.get("failAuthentication") is True:
        raise not_authorized()
    if response.get("issueTokens") is True:
        return None
    name = response.get("challengeName")
    if not isinstance(name, str):
        raise invalid_output()
    return name


def create(state: State, auth_session: AuthSession) -> Step[tuple[AuthSession, dict[str, str]]]:
    """Call CreateAuthChallenge, and return *auth_session* with the challenge, and the public challenge parameters.

    The private challenge parameters are stored in the returned AuthSession, and never sent to the client.

    Raises:
        Refusal: the trigger raised an exception, or returned an invalid response.
    """
    request = {"challengeName": "CUSTOM_CHALLENGE", "session": _results(auth_session)}
    response = yield from _invoke(state, auth_session, "create_auth_challenge", request, _EMPTY_CREATE_RESPONSE)
    public, private = (string_map(response, f"{kind}ChallengeParameters") for kind in ("public", "private"))
    metadata = optional_string(response, "challengeMetadata")
    custom = replace(_custom(auth_session), private=private, challenge_metadata=metadata)
    return replace(auth_session, custom=custom), public


def verify(state: State, auth_session: AuthSession, answer: str) -> Step[AuthSession]:
    """Call VerifyAuthChallengeResponse with *answer*, and return *auth_session* with the result added.

    Raises:
        Refusal: the trigger raised an exception, or returned an invalid response.
    """
    custom = _custom(auth_session)
    request = {"privateChallengeParameters": dict(custom.private), "challengeAnswer": answer}
    empty = {"answerCorrect": None}
    response = yield from _invoke(state, auth_session, "verify_auth_challenge_response", request, empty)
    passed = response.get("answerCorrect") is True
    after = _with_result(custom, "CUSTOM_CHALLENGE", passed=passed, metadata=custom.challenge_metadata)
    return replace(auth_session, custom=replace(after, private={}, challenge_metadata=None))


_EMPTY_DEFINE_RESPONSE = {"challengeName": None, "issueTokens": None, "failAuthentication": None}
_EMPTY_CREATE_RESPONSE = {
    "publicChallengeParameters": None,
    "privateChallengeParameters": None,
    "challengeMetadata": None,
}


def _custom(auth_session: AuthSession) -> CustomLogin:
    return auth_session.custom or CustomLogin()


def _results(auth_session: AuthSession) -> list[dict[str, Any]]:
    return [dict(result) for result in _custom(auth_session).results]


def _invoke(
    state: State, auth_session: AuthSession, kind: Kind, request: Mapping[str, Any], response: Mapping[str, Any]
) -> Step[dict[str, object]]:
    caller = Caller.of(auth_session)
    triggers = caller.triggers(state)
    if getattr(triggers, kind) is None:
        raise not_configured()
    subject = login_subject(auth_session)
    hidden = {} if subject.not_found is None else {"userNotFound": subject.not_found}
    request = {"userAttributes": dict(subject.attributes), **request, **hidden}
    return (yield from invoke(triggers, kind, f"{KINDS[kind]}_Authentication", subject, request, response))


def login_subject(auth_session: AuthSession) -> Subject:
    """Return the user of a login as the subject of an event.

    If the user does not exist, the subject has the same made-up name as the challenges.
    """
    caller, user = Caller.of(auth_session), auth_session.user
    if user is not None:
        return caller.subject(user)
    return caller.stranger(fake_user(caller.pool, auth_session.typed).username)


def not_configured() -> Refusal:
    """Return the refusal of a custom login on a pool that has no triggers."""
    return invalid_parameter("Custom auth lambda trigger is not configured for the user pool.")
