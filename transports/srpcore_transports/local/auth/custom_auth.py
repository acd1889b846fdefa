"""Custom logins (the flow CUSTOM_AUTH): the three triggers, as Python callables instead of Lambda functions.

Before each step DefineAuthChallenge gets the results so far and chooses what is next: the password by SRP, a challenge
that CreateAuthChallenge makes and VerifyAuthChallengeResponse checks, the tokens, or the end of the login.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from msgspec.structs import replace

from ..api.errors import Refusal, not_authorized
from ..model.conversations import Conversation, Custom
from ..model.triggers import CustomAuth, Trigger
from ..steps import Step, outside
from ..storage.state import State
from .srp import fake_user

__all__ = [
    "create",
    "define",
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
        state, conversation, "DefineAuthChallenge", {"session": _results(conversation)}, _EMPTY_DEFINE_RESPONSE
    )
    if response.get("failAuthentication") is True:
        raise not_authorized()
    if response.get("issueTokens") is True:
        return None
    name = response.get("challengeName")
    if not isinstance(name, str):
        raise _invalid_output()
    return name


def create(state: State, conversation: Conversation) -> Step[tuple[Conversation, dict[str, str]]]:
    """Call CreateAuthChallenge and return the new conversation and the challenge parameters for the client.

    The private challenge parameters are kept in the conversation and never sent to the client.

    Raises:
        Refusal: the trigger raised an exception, or returned an invalid response.
    """
    request = {"challengeName": "CUSTOM_CHALLENGE", "session": _results(conversation)}
    response = yield from _invoke(state, conversation, "CreateAuthChallenge", request, _EMPTY_CREATE_RESPONSE)
    public, private = (_string_map(response.get(f"{kind}ChallengeParameters")) for kind in ("public", "private"))
    metadata = response.get("challengeMetadata")
    if metadata is not None and not isinstance(metadata, str):
        raise _invalid_output()
    custom = replace(_custom(conversation), private=private, challenge_metadata=metadata)
    return replace(conversation, custom=custom), public


def verify(state: State, conversation: Conversation, answer: str) -> Step[Conversation]:
    """Call VerifyAuthChallengeResponse with *answer*, and return *conversation* with the result added.

    Raises:
        Refusal: the trigger raised an exception, or returned an invalid response.
    """
    custom = _custom(conversation)
    request = {"privateChallengeParameters": dict(custom.private), "challengeAnswer": answer}
    response = yield from _invoke(state, conversation, "VerifyAuthChallengeResponse", request, {"answerCorrect": None})
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
    state: State, conversation: Conversation, trigger: str, request: Mapping[str, Any], response: Mapping[str, Any]
) -> Step[Mapping[str, Any]]:
    handler = _handler(state, trigger)
    event = _event(conversation, trigger, request, response)
    try:
        returned: object = yield from outside(lambda: handler(event, None))
    except Exception as error:  # noqa: BLE001 - any exception is reported to the client
        raise Refusal("UserLambdaValidationException", f"{trigger} failed with error {error}.") from None
    answered = cast(dict[str, Any], returned).get("response") if isinstance(returned, dict) else None
    if not isinstance(answered, dict):
        raise _invalid_output()
    return cast(Mapping[str, Any], answered)


def _handler(state: State, trigger: str) -> Trigger:
    custom: CustomAuth | None = state.service.custom_auth
    if custom is None:
        raise not_configured()
    if trigger == "DefineAuthChallenge":
        return custom.define
    return custom.create if trigger == "CreateAuthChallenge" else custom.verify


def not_configured() -> Refusal:
    """Return the refusal of a custom login on a pool that has no triggers."""
    return Refusal("InvalidParameterException", "Custom auth lambda trigger is not configured for the user pool.")


def _event(
    conversation: Conversation, trigger: str, request: Mapping[str, Any], response: Mapping[str, Any]
) -> dict[str, Any]:
    pool, client, user = conversation.pool, conversation.client, conversation.user
    shown = user or fake_user(pool, conversation.typed)
    attributes = {} if user is None else {**user.attributes, "cognito:user_status": user.status}
    # Copy every dictionary. A Lambda function gets its own copy of the event over the network, so a trigger that
    # changes the event must not change the pool.
    return {
        "version": "1",
        "region": pool.id.split("_")[0],
        "userPoolId": pool.id,
        "userName": shown.username,
        "callerContext": {"awsSdkVersion": "srpcore", "clientId": client.client_id},
        "triggerSource": f"{trigger}_Authentication",
        "request": {
            "userAttributes": attributes,
            **request,
            **({"clientMetadata": dict(conversation.client_metadata)} if conversation.client_metadata else {}),
            **({"userNotFound": user is None} if client.hides_users else {}),
        },
        "response": dict(response),
    }


def _string_map(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _invalid_output()
    values = cast(dict[Any, Any], value)
    if not all(isinstance(part, str) for pair in values.items() for part in pair):
        raise _invalid_output()
    return dict(values)


def _invalid_output() -> Refusal:
    return Refusal("InvalidLambdaResponseException", "Unrecognizable lambda output")
