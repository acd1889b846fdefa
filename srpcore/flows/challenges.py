"""Answers to the challenges that need the user: a new password, a code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from ..crypto.encoding import utf8
from ..exceptions.base import ConfigurationError, UnsafeServerValue
from ..exceptions.challenges import (
    ForceChangePasswordException,
    SMSMFAChallengeException,
    SoftwareTokenMFAChallengeException,
)
from ..wire import Document, Flow
from .conversation import Conversation, challenge_parameters
from .srp import answer_device

__all__ = [
    "CODE_KEYS",
    "answer_code",
    "answer_new_password",
    "missing_attributes",
    "raise_challenge",
    "required_attributes",
]

PREFIX = "userAttributes."

CODE_KEYS = {"SMS_MFA": "SMS_MFA_CODE", "SOFTWARE_TOKEN_MFA": "SOFTWARE_TOKEN_MFA_CODE"}
"""The challenges that want a code, and the key of the answer that carries it."""


def raise_challenge(reply: Document) -> None:
    """Raise the exception that pycognito raises for the challenge in *reply*; a reply without one passes.

    Raises:
        ForceChangePasswordException: NEW_PASSWORD_REQUIRED.
        SMSMFAChallengeException, SoftwareTokenMFAChallengeException: SMS_MFA, SOFTWARE_TOKEN_MFA.
    """
    name = reply.get("ChallengeName")
    if name == "NEW_PASSWORD_REQUIRED":
        raise ForceChangePasswordException("Change password before authenticating", required_attributes(reply))
    if name == "SMS_MFA":
        raise SMSMFAChallengeException("Do SMS MFA", reply)
    if name == "SOFTWARE_TOKEN_MFA":
        raise SoftwareTokenMFAChallengeException("Do Software Token MFA", reply)


def required_attributes(challenge: Document) -> tuple[str, ...]:
    """Return the names of the attributes that NEW_PASSWORD_REQUIRED asks for, without the prefix ``userAttributes.``.

    The service sends them as a JSON *string*, prefixed.

    Raises:
        UnsafeServerValue: it is not a JSON list of strings.
    """
    names = _json(challenge, "requiredAttributes", "[]")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in cast(list[Any], names)):
        raise UnsafeServerValue("requiredAttributes is not a JSON list of names: refused to answer it")
    return tuple(name.removeprefix(PREFIX) for name in cast(list[str], names))


def missing_attributes(challenge: Document, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the required attributes that the user does not have and that are not *given*."""
    has = _json(challenge, "userAttributes", "{}")
    existing: dict[str, Any] = cast(dict[str, Any], has) if isinstance(has, dict) else {}
    return tuple(name for name in required_attributes(challenge) if name not in given and not existing.get(name))


def _json(challenge: Document, name: str, default: str) -> object:
    try:
        return json.loads(challenge_parameters(challenge).get(name) or default)
    except (TypeError, ValueError, RecursionError):
        raise UnsafeServerValue(f"{name} is not JSON: refused to answer it") from None


def answer_new_password(
    conversation: Conversation, challenge: Document, new_password: str, attributes: Mapping[str, str]
) -> Flow[Document]:
    """Answer NEW_PASSWORD_REQUIRED with *new_password* and the required *attributes*, by their plain names.

    Attributes that the user has already are not sent back: the service refuses that.

    Raises:
        ConfigurationError: a required attribute is missing, or a text has no UTF-8 form; nothing was sent.
        ServiceError: the service refused.
    """
    utf8(new_password, name="new_password")
    missing = missing_attributes(challenge, attributes)
    if missing:
        raise ConfigurationError(f"the pool requires more attributes: give {', '.join(missing)} as required_attributes")
    answer = {"NEW_PASSWORD": new_password}
    answer |= {PREFIX + name.removeprefix(PREFIX): value for name, value in attributes.items()}
    reply = yield from conversation.respond(challenge, conversation.identified(answer))
    return (yield from answer_device(conversation, reply))


def answer_code(conversation: Conversation, challenge: Document, code: str) -> Flow[Document]:
    """Answer SMS_MFA or SOFTWARE_TOKEN_MFA with the user's *code*; a device challenge that follows is answered too.

    Raises:
        ConfigurationError: the code is empty; nothing was sent.
        ServiceError: the service refused.
    """
    if not utf8(code, name="code").strip():
        raise ConfigurationError("the code is empty: give the code that the user has")
    answer = {CODE_KEYS[challenge["ChallengeName"]]: code.strip()}
    reply = yield from conversation.respond(challenge, conversation.identified(answer))
    return (yield from answer_device(conversation, reply))
