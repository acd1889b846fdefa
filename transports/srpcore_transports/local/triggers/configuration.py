"""The Lambda triggers of a user pool: the value ``Triggers``, and the setting LambdaConfig that turns them on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias, cast

from srpcore.exceptions.base import ConfigurationError

from ..model.aws_names import lambda_function_arn
from .functions import Handler, check_url

__all__ = ["KINDS", "NO_TRIGGERS", "Kind", "Triggers", "Version", "enabled", "lambda_config"]

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

_TIMEOUT = 5.0


@dataclass(frozen=True, kw_only=True)
class Triggers:
    """The Lambda triggers of a user pool. Each is a Python callable or an HTTP endpoint; None means no trigger.

    A callable is a Lambda handler: ``handler(event, context)`` returns the event with its ``response`` filled in. It
    runs in a thread of its own, and several threads may call it at the same time. If it raises an exception, the
    request is refused with UserLambdaValidationException and the exception's message. The pool then does
    not do what the trigger was called before, for example add the user. ``post_confirmation`` is called after the
    confirmation, so the user stays confirmed.

    An endpoint is a URL such as ``http://127.0.0.1:3001/2015-03-31/functions/NAME/invocations``, where ``sam local
    start-lambda`` or the runtime interface emulator of AWS's container images serves the function.

    Args:
        pre_sign_up: called before a user is added by SignUp or AdminCreateUser. It can refuse the user, and for SignUp
            also confirm and verify the user.
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
        name: lambda_function_arn(region, name) for kind, name in KINDS.items() if getattr(triggers, kind) is not None
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
