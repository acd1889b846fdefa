"""The trigger CustomMessage: the text of a message with a code, instead of the pool's template."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..api.errors import Refusal, invalid_parameter
from ..steps import Step
from .configuration import Triggers
from .invocation import Subject, invoke
from .responses import optional_string

__all__ = ["CODE", "USERNAME", "Cause", "Texts", "custom_message", "fill"]

Cause: TypeAlias = Literal[
    "SignUp",
    "AdminCreateUser",
    "ResendCode",
    "ForgotPassword",
    "UpdateUserAttribute",
    "VerifyUserAttribute",
    "Authentication",
]

CODE, USERNAME, _LINK = "{####}", "{username}", "{##Click Here##}"
_LONGEST_SMS, _LONGEST_EMAIL = 140, 20_000


@dataclass(frozen=True)
class Texts:
    """What CustomMessage returned, with the placeholders still in it; None for the pool's own text."""

    sms: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    subject: str | None = field(default=None, repr=False)


def custom_message(triggers: Triggers, cause: Cause, subject: Subject) -> Step[Texts]:
    """Call CustomMessage before a message is sent, and return the texts.

    The service documents that it accepts ``emailMessage`` and ``emailSubject`` only if EmailSendingAccount is
    DEVELOPER. The local pool sends no mail, and accepts them always.

    Raises:
        Refusal: the trigger failed, or a text is too long or lacks a placeholder.
    """
    if triggers.custom_message is None:
        return Texts()
    invitation = cause == "AdminCreateUser"
    request = {
        "userAttributes": dict(subject.attributes),
        "codeParameter": CODE,
        "linkParameter": _LINK,
        "usernameParameter": USERNAME if invitation else None,
    }
    empty = {"smsMessage": None, "emailMessage": None, "emailSubject": None}
    response = yield from invoke(triggers, "custom_message", f"CustomMessage_{cause}", subject, request, empty)
    texts = Texts(*(optional_string(response, name) for name in empty))
    placeholders = (CODE, USERNAME) if invitation else (CODE,)
    _check("smsBody", texts.sms, placeholders, _LONGEST_SMS)
    _check("emailBody", texts.email, placeholders, _LONGEST_EMAIL)
    return texts


def _check(member: str, text: str | None, placeholders: tuple[str, ...], longest: int) -> None:
    if text is None:
        return
    for placeholder in placeholders:
        if placeholder not in text:
            # The service's text for emailBody; its pattern also describes the characters around the placeholder.
            pattern = "".join(rf"[\s\S]*\{{{placeholder[1:-1]}\}}" for placeholder in placeholders)
            raise _violation(member, text, rf"Member must satisfy regular expression pattern: {pattern}[\s\S]*")
    if len(text) > longest:
        raise _violation(member, text, f"Member must have length less than or equal to {longest}")


def _violation(member: str, text: str, rule: str) -> Refusal:
    return invalid_parameter(
        f"1 validation error detected: Value '{text}' at '{member}' failed to satisfy constraint: {rule}"
    )


def fill(text: str, *, code: str, username: str) -> str:
    """Return *text* with the placeholders for the code and the user name replaced."""
    # Split first, so that a placeholder in the code or in the user name is not replaced.
    parts = (part.replace(USERNAME, username) for part in text.split(CODE))
    return code.join(parts)
