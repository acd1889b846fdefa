"""Lambda triggers: the value ``Triggers``, and the invocation of one trigger with the service's event.

The events, the names of their sources and the rules for the responses are those of the developer guide, "Customizing
user pool workflows with Lambda triggers" and the pages below it. The messages of the errors, and what the guide leaves
open, are from answers of the service in public issue threads:

- PreSignUp failed with error MESSAGE. (UserLambdaValidationException)
- PreSignUp invocation failed due to error REASON. (UnexpectedLambdaException)
- Unrecognizable lambda output (InvalidLambdaResponseException)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypeAlias, cast

from srpcore.exceptions.base import ConfigurationError

from ..api.errors import Refusal
from ..steps import Step, outside
from .functions import FunctionError, Handler, InvocationError, call, check_url

__all__ = [
    "KINDS",
    "NO_CLIENT",
    "NO_TRIGGERS",
    "Kind",
    "Subject",
    "Triggers",
    "Version",
    "boolean",
    "enabled",
    "invalid_output",
    "invoke",
    "lambda_config",
    "optional_string",
    "string_map",
]

Version: TypeAlias = Literal["V1_0", "V2_0", "V3_0"]
Kind: TypeAlias = Literal[
    "pre_sign_up",
    "post_confirmation",
    "pre_authentication",
    "post_authentication",
    "custom_message",
    "define_auth_challenge",
    "create_auth_challenge",
    "verify_auth_challenge_response",
    "user_migration",
    "pre_token_generation",
]

NO_CLIENT = "CLIENT_ID_NOT_APPLICABLE"
"""``callerContext.clientId`` in the event of an administrator's operation, which has no app client."""

_TIMEOUT = 5.0


@dataclass(frozen=True, kw_only=True)
class Triggers:
    """The Lambda triggers of a user pool. Each is a Python callable or an HTTP endpoint; None means no trigger.

    A callable is a Lambda handler: ``handler(event, context)`` returns the event with its ``response`` filled in. It
    runs in a thread of its own, and several threads may call it at the same time. If it raises an exception, the
    request is refused with UserLambdaValidationException and the exception's message, and the pool does not change.

    An endpoint is a URL such as ``http://127.0.0.1:3001/2015-03-31/functions/NAME/invocations``, where ``sam local
    start-lambda`` or the runtime interface emulator of AWS's container images serves the function.

    Args:
        pre_sign_up: called before a user is added by SignUp or AdminCreateUser. It can refuse, confirm and verify the
            user.
        post_confirmation: called after a user confirmed the account or a new password.
        pre_authentication: called before the password or another first factor is checked. It can refuse the login.
        post_authentication: called after a login, before its tokens are issued.
        custom_message: called before a message is sent. It can replace the text.
        define_auth_challenge: chooses the next challenge of a custom login. It reads the results so far in
            ``request.session``, and sets ``challengeName``, ``issueTokens`` or ``failAuthentication``.
        create_auth_challenge: makes a challenge of a custom login. It sets ``publicChallengeParameters``,
            ``privateChallengeParameters`` and ``challengeMetadata``.
        verify_auth_challenge_response: checks the answer to that challenge. It compares ``challengeAnswer`` with
            ``privateChallengeParameters``, and sets ``answerCorrect``.
        user_migration: called if a user who does not exist logs in with a password or has forgotten it. It returns the
            user's attributes from another directory.
        pre_token_generation: called before tokens are issued. It can change their claims.
        pre_token_generation_version: the version of its event. With ``V1_0`` it changes the ID token, with ``V2_0`` the
            access token too, with ``V3_0`` also tokens of machines.
        timeout: the time limit of one attempt in seconds. The service waits 5 seconds, and tries three times. None
            removes the limit, for example while you step through a trigger in a debugger: the callable then runs in
            the thread of the request.

    Raises:
        ConfigurationError: a trigger is neither a callable nor an http URL, or the version is not known.
    """

    pre_sign_up: Handler | str | None = None
    post_confirmation: Handler | str | None = None
    pre_authentication: Handler | str | None = None
    post_authentication: Handler | str | None = None
    custom_message: Handler | str | None = None
    define_auth_challenge: Handler | str | None = None
    create_auth_challenge: Handler | str | None = None
    verify_auth_challenge_response: Handler | str | None = None
    user_migration: Handler | str | None = None
    pre_token_generation: Handler | str | None = None
    pre_token_generation_version: Version = "V1_0"
    timeout: float | None = _TIMEOUT

    def __post_init__(self) -> None:
        for kind in KINDS:
            function: object = getattr(self, kind)
            if isinstance(function, str):
                check_url(function)
            elif function is not None and not callable(function):
                raise ConfigurationError(f"trigger {kind} must be a callable or an http URL, not {function!r:.80}")
        if self.pre_token_generation_version not in ("V1_0", "V2_0", "V3_0"):
            raise ConfigurationError(
                f"pre_token_generation_version must be 'V1_0', 'V2_0' or 'V3_0', "
                f"not {self.pre_token_generation_version!r:.80}"
            )
        if self.timeout is not None and not self.timeout > 0:
            raise ConfigurationError(f"timeout of the triggers must be a number of seconds over 0, not {self.timeout}")


KINDS: dict[Kind, str] = {
    cast(Kind, each.name): "".join(part.capitalize() for part in each.name.split("_"))
    for each in fields(Triggers)
    if each.name not in ("pre_token_generation_version", "timeout")
}
"""The keywords of Triggers, and the service's names for them, for example ``pre_sign_up`` and ``PreSignUp``."""


NO_TRIGGERS = Triggers()


def lambda_config(triggers: Triggers, region: str) -> dict[str, Any]:
    """Return the setting LambdaConfig of a pool with all these *triggers*.

    It has made-up ARNs: ``arn:aws:lambda:eu-west-1:000000000000:function:PreSignUp``.
    """
    arns = {
        name: f"arn:aws:lambda:{region}:000000000000:function:{name}"
        for kind, name in KINDS.items()
        if getattr(triggers, kind) is not None
    }
    if "PreTokenGeneration" in arns:
        version = {"LambdaVersion": triggers.pre_token_generation_version, "LambdaArn": arns["PreTokenGeneration"]}
        return {**arns, "PreTokenGenerationConfig": version}
    return dict(arns)


def enabled(triggers: Triggers, settings: Mapping[str, Any]) -> Triggers:
    """Return those of *triggers* whose kinds *settings*, the LambdaConfig of a pool, names with any ARN."""
    config = cast("Mapping[str, Any]", settings.get("PreTokenGenerationConfig") or {})
    names = {*(name for name in settings if settings[name]), *(["PreTokenGeneration"] if config else [])}
    off = dict.fromkeys(kind for kind, name in KINDS.items() if name not in names)
    return replace(triggers, **cast(Any, off), pre_token_generation_version=config.get("LambdaVersion") or "V1_0")


@dataclass(frozen=True)
class Subject:
    """The user whom an event is about, and the request that caused the event.

    Attributes:
        client_id: the app client of the request; NO_CLIENT if it has none.
        attributes: the user's attributes, with ``cognito:user_status`` and the like.
        metadata: ClientMetadata of the request; empty if it has none, or if this trigger does not get it.
        not_found: the member ``userNotFound`` of some events: whether the user does not exist. None if the app client
            does not hide which users exist: the events then do not have the member.
    """

    user_pool_id: str
    client_id: str
    username: str
    attributes: Mapping[str, str] = field(repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    not_found: bool | None = None

    @property
    def region(self) -> str:
        """The AWS region of the user pool."""
        return self.user_pool_id.split("_")[0]


def invoke(
    triggers: Triggers,
    kind: Kind,
    source: str,
    subject: Subject,
    request: Mapping[str, object],
    response: Mapping[str, object],
    version: str = "1",
) -> Step[dict[str, object]]:
    """Invoke the trigger *kind*, which must be set, and return the ``response`` of the event that it returned.

    Args:
        source: ``triggerSource`` of the event, for example ``PreSignUp_SignUp``.
        request: the request, with ``userAttributes`` if the event has them. ``clientMetadata`` is added.
        response: the empty response in the event.
        version: the version of the event.

    Raises:
        Refusal: the trigger raised an exception, cannot be invoked, took too long, or did not return an event.
    """
    name, function = KINDS[kind], cast("Handler | str", getattr(triggers, kind))
    event = _event(source, subject, request, response, version)
    outcome = yield from outside(lambda: _outcome(function, name, event, triggers.timeout))
    if isinstance(outcome, Refusal):
        raise outcome
    returned = cast(dict[str, object], outcome).get("response") if isinstance(outcome, dict) else None
    if not isinstance(returned, dict):
        raise invalid_output()
    return cast(dict[str, object], returned)


def _outcome(function: Handler | str, name: str, event: Mapping[str, Any], timeout: float | None) -> object:
    try:
        return call(function, name, event, timeout)
    except FunctionError as error:
        return Refusal("UserLambdaValidationException", f"{name} failed with error {error}.")
    except InvocationError as error:
        return Refusal("UnexpectedLambdaException", f"{name} invocation failed due to error {error}.")


def _event(
    source: str, subject: Subject, request: Mapping[str, object], response: Mapping[str, object], version: str
) -> dict[str, Any]:
    metadata = {"clientMetadata": dict(subject.metadata)} if subject.metadata else {}
    return {
        "version": version,
        "region": subject.region,
        "userPoolId": subject.user_pool_id,
        "userName": subject.username,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": subject.client_id},
        "triggerSource": source,
        "request": {**request, **metadata},
        "response": dict(response),
    }


def invalid_output() -> Refusal:
    """Return the refusal of a response that the trigger may not give."""
    return Refusal("InvalidLambdaResponseException", "Unrecognizable lambda output")


def boolean(response: Mapping[str, object], name: str) -> bool:
    """Return the member *name* of *response*; False if it is absent or null.

    Raises:
        Refusal: the value is not a boolean.
    """
    value = response.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid_output()
    return bool(value)


def optional_string(response: Mapping[str, object], name: str) -> str | None:
    """Return the member *name* of *response*; None if it is absent or null.

    Raises:
        Refusal: the value is not a string.
    """
    value = response.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid_output()
    return value


def string_map(response: Mapping[str, object], name: str) -> dict[str, str]:
    """Return the member *name* of *response*, an object with strings as values; empty if it is absent or null.

    Raises:
        Refusal: the value is not an object, or one of its values is not a string.
    """
    value = response.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_output()
    values = cast(dict[str, object], value)
    if not all(isinstance(each, str) for each in values.values()):
        raise invalid_output()
    return cast(dict[str, str], values)
