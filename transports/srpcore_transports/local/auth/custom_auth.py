"""Custom logins (the flow CUSTOM_AUTH): the three triggers that choose, make and check challenges.

Before each step DefineAuthChallenge gets the results so far and chooses what is next: the password by SRP, a challenge
that CreateAuthChallenge makes and VerifyAuthChallengeResponse checks, the tokens, or the end of the login.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from ..api.errors import Refusal, invalid_parameter, not_authorized
from ..model.conversations import Conversation, Custom
from ..steps import Step
from ..storage.state import State
from ..triggers.invocation import KINDS, Kind, Subject, invalid_output, invoke, optional_string, string_map
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


def record_answered_challenge(conversation: Conversation) -> Conversation:
    """Return *conversation* with the challenge that was just answered added to its results, if it is a custom login."""
    custom = conversation.custom
    if custom is None or custom.done or conversation.challenges in ((), ("CUSTOM_CHALLENGE",)):
        return conversation
    name = conversation.challenges[0]
    proved = custom.password_proved or name == "PASSWORD_VERIFIER"
    # Clear the challenges: this function may be called again before the next challenge is sent, and must not add the
    # same result twice.
    return replace(
        conversation, challenges=(), custom=replace(_with_result(custom, name, passed=True), password_proved=proved)
    )


def _with_result(custom: Custom, name: str, *, passed: bool, metadata: str | None = None) -> Custom:
    result = {"challengeName": name, "challengeResult": passed, "challengeMetadata": metadata}
    return replace(custom, results=(*custom.results, result))


def start(A: int | None) -> Custom:
    """Return the state of a new custom login.

    Args:
        A: the client's public SRP value, if the client starts with ``CHALLENGE_NAME: SRP_A``. The triggers then see
            SRP_A as the first result and can continue with PASSWORD_VERIFIER.
    """
    custom = Custom(A=None if A is None else f"{A:x}")
    return custom if A is None else _with_result(custom, "SRP_A", passed=True)


def define(state: State, conversation: Conversation) -> Step[str | None]:
    """Call DefineAuthChallenge and return the name of the next challenge, or None if the tokens are to be issued.

    Raises:
        Refusal: the trigger set failAuthentication, raised an exception, or returned an invalid response.
    """
    response = yield from _invoke(
        state, conversation, "define_auth_challenge", {"session": _results(conversation)}, _EMPTY_DEFINE_RESPONSE
    )
    if response.get("failAuthentication") is True:
        raise not_authorized()
    if response.get("issueTokens") is True:
        return None
    name = response.get("challengeName")
    if not isinstance(name, str):
        raise invalid_output()
    return name


def create(state: State, conversation: Conversation) -> Step[tuple[Conversation, dict[str, str]]]:
    """Call CreateAuthChallenge and return the new conversation and the challenge parameters for the client.

    The private challenge parameters are kept in the conversation and never sent to the client.

    Raises:
        Refusal: the trigger raised an exception, or returned an invalid response.
    """
    request = {"challengeName": "CUSTOM_CHALLENGE", "session": _results(conversation)}
    response = yield from _invoke(state, conversation, "create_auth_challenge", request, _EMPTY_CREATE_RESPONSE)
    public, private = (string_map(response, f"{kind}ChallengeParameters") for kind in ("public", "private"))
    metadata = optional_string(response, "challengeMetadata")
    custom = replace(_custom(conversation), private=private, challenge_metadata=metadata)
    return replace(conversation, custom=custom), public


def verify(state: State, conversation: Conversation, answer: str) -> Step[Conversation]:
    """Call VerifyAuthChallengeResponse with *answer*, and return *conversation* with the result added.

    Raises:
        Refusal: the trigger raised an exception, or returned an invalid response.
    """
    custom = _custom(conversation)
    request = {"privateChallengeParameters": dict(custom.private), "challengeAnswer": answer}
    empty = {"answerCorrect": None}
    response = yield from _invoke(state, conversation, "verify_auth_challenge_response", request, empty)
    passed = response.get("answerCorrect") is True
    after = _with_result(custom, "CUSTOM_CHALLENGE", passed=passed, metadata=custom.challenge_metadata)
    return replace(conversation, custom=replace(after, private={}, challenge_metadata=None))


_EMPTY_DEFINE_RESPONSE = {"challengeName": None, "issueTokens": None, "failAuthentication": None}
_EMPTY_CREATE_RESPONSE = {
    "publicChallengeParameters": None,
    "privateChallengeParameters": None,
    "challengeMetadata": None,
}


def _custom(conversation: Conversation) -> Custom:
    return conversation.custom or Custom()


def _results(conversation: Conversation) -> list[dict[str, Any]]:
    return [dict(result) for result in _custom(conversation).results]


def _invoke(
    state: State, conversation: Conversation, kind: Kind, request: Mapping[str, Any], response: Mapping[str, Any]
) -> Step[dict[str, object]]:
    caller = Caller.of(conversation)
    triggers = caller.triggers(state)
    if getattr(triggers, kind) is None:
        raise not_configured()
    subject = login_subject(conversation)
    hidden = {} if subject.not_found is None else {"userNotFound": subject.not_found}
    request = {"userAttributes": dict(subject.attributes), **request, **hidden}
    return (yield from invoke(triggers, kind, f"{KINDS[kind]}_Authentication", subject, request, response))


def login_subject(conversation: Conversation) -> Subject:
    """Return the user of a login as the subject of an event. A stranger has the name that the client is shown."""
    caller, user = Caller.of(conversation), conversation.user
    if user is not None:
        return caller.subject(user)
    return caller.stranger(fake_user(caller.pool, conversation.typed).username)


def not_configured() -> Refusal:
    """Return the refusal of a custom login on a pool that has no triggers."""
    return invalid_parameter("Custom auth lambda trigger is not configured for the user pool.")
