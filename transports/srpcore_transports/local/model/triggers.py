"""The triggers of custom logins (the flow CUSTOM_AUTH), as Python callables instead of Lambda functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["CustomAuth", "Trigger"]

Trigger: TypeAlias = Callable[[dict[str, Any], None], Any]
"""A Lambda handler ``handler(event, context)``: *context* is None; it returns the event with ``response`` filled in."""


@dataclass(frozen=True)
class CustomAuth:
    """The three triggers of CUSTOM_AUTH, each called as a Lambda handler: ``handler(event, context)``.

    The pool's lock is not held during a call, so several threads may call a trigger at the same time. If a trigger
    raises an exception, the client gets UserLambdaValidationException with the exception's message.

    Args:
        define: DefineAuthChallenge. It reads the results so far in ``request.session``, and sets ``challengeName``,
            ``issueTokens`` or ``failAuthentication`` in the response.
        create: CreateAuthChallenge. It sets ``publicChallengeParameters``, ``privateChallengeParameters`` and
            ``challengeMetadata`` in the response.
        verify: VerifyAuthChallengeResponse. It compares ``challengeAnswer`` with ``privateChallengeParameters`` in the
            request, and sets ``answerCorrect`` in the response.
    """

    define: Trigger
    create: Trigger
    verify: Trigger
