"""What the service asks on the way: each challenge as a value that says what it needs, and as pycognito's exception.

A :class:`Challenge` is plain data: it can be kept, sent to another process and answered there. It holds the Session, a
secret of a few minutes, and never a password, a code or a device's secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, cast

from ..exceptions.base import ConfigurationError, UnsafeServerValue, UnsupportedChallenge
from ..exceptions.challenges import (
    ForceChangePasswordException,
    SMSMFAChallengeException,
    SoftwareTokenMFAChallengeException,
)
from ..protocol import JsonObject
from .login_context import LoginContext, challenge_parameters

__all__ = [
    "NEEDS",
    "PREFIX",
    "Answer",
    "Challenge",
    "challenge_of",
    "missing_attributes",
    "raise_challenge",
    "required_attributes",
]

PREFIX = "userAttributes."

NEEDS: Final[Mapping[str, tuple[str, str]]] = {
    "SMS_MFA": ("code", "SMS_MFA_CODE"),
    "SOFTWARE_TOKEN_MFA": ("code", "SOFTWARE_TOKEN_MFA_CODE"),
    "EMAIL_OTP": ("code", "EMAIL_OTP_CODE"),
    "SMS_OTP": ("code", "SMS_OTP_CODE"),
    "CUSTOM_CHALLENGE": ("answer", "ANSWER"),
    "SELECT_MFA_TYPE": ("choice", "ANSWER"),
    "SELECT_CHALLENGE": ("choice", "ANSWER"),
    "WEB_AUTHN": ("credential", "CREDENTIAL"),
    "PASSWORD": ("password", "PASSWORD"),
    "PASSWORD_SRP": ("password", "SRP_A"),
    "PASSWORD_VERIFIER": ("password", "PASSWORD_CLAIM_SIGNATURE"),
    "ADMIN_NO_SRP_AUTH": ("password", "PASSWORD"),
    "NEW_PASSWORD_REQUIRED": ("new_password", "NEW_PASSWORD"),
    "MFA_SETUP": ("set_up", "SESSION"),
    "DEVICE_SRP_AUTH": ("device", "SRP_A"),
    "DEVICE_PASSWORD_VERIFIER": ("device", "PASSWORD_CLAIM_SIGNATURE"),
}
"""Every challenge name of the service model: what it needs of the user, and the key of the answer that carries it."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the service asks next. ``needs`` says what to give :meth:`answer`; ``parameters`` are the service's own."""

    name: str
    session: str | None = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)
    username: str
    canonical: str | None = None
    available: tuple[str, ...] = ()
    admin: bool = False

    @property
    def needs(self) -> str:
        """The kind of answer that the challenge needs.

        One of ``code``, ``new_password``, ``choice``, ``answer``, ``credential``, ``password``, ``set_up``, and
        ``device``, which the program cannot answer: only the device can.
        """
        return NEEDS[self.name][0]

    @property
    def choices(self) -> tuple[str, ...]:
        """What there is to choose from, where ``needs`` is ``choice`` or ``set_up``.

        Raises:
            UnsafeServerValue: the service's list is no JSON list.
        """
        if self.available:
            return self.available
        text = self.parameters.get("MFAS_CAN_CHOOSE") or self.parameters.get("MFAS_CAN_SETUP") or "[]"
        try:
            names = json.loads(text)
        except (ValueError, RecursionError):
            names = None
        if not isinstance(names, list):
            raise UnsafeServerValue("the list of factors is not a JSON list: refused to answer it")
        return tuple(str(name) for name in cast(list[Any], names))

    @property
    def required_attributes(self) -> tuple[str, ...]:
        """The attributes that a new password must come with, where ``needs`` is ``new_password``."""
        return required_attributes(self.as_reply())

    @property
    def destination(self) -> str | None:
        """Where a code was sent, as far as the service shows it."""
        return self.parameters.get("CODE_DELIVERY_DESTINATION")

    def as_reply(self) -> JsonObject:
        """Return the challenge in the shape of the service's reply."""
        session = {} if self.session is None else {"Session": self.session}
        return {"ChallengeName": self.name, "ChallengeParameters": dict(self.parameters), **session}

    def to_json(self) -> str:
        """Return the challenge as JSON, for another process to answer. The Session in it is a secret."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Challenge:
        """Return the challenge that :meth:`to_json` wrote.

        Raises:
            ConfigurationError: *text* is not of its making.
        """
        try:
            members: dict[str, Any] = _parsed(text)
            texts = {name: members[name] for name in ("name", "username", "session", "canonical")}
            parameters, available = members["parameters"], members["available"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise _not_a_challenge() from None
        if not isinstance(parameters, dict) or not isinstance(available, list):
            raise _not_a_challenge()
        named, choices = cast(dict[str, Any], parameters), cast(list[Any], available)
        optional = [text for text in (texts["session"], texts["canonical"]) if text is not None]
        strings = (texts["name"], texts["username"], *optional, *choices, *named.values())
        if not all(isinstance(text, str) for text in strings) or texts["name"] not in NEEDS:
            raise _not_a_challenge()
        return cls(**texts, parameters=named, available=tuple(choices), admin=members.get("admin") is True)


def _parsed(text: str) -> Any:
    # Its error holds the whole text, Session and all: it must not stay behind as the context of ours.
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None


def _not_a_challenge() -> ConfigurationError:
    return ConfigurationError("this is not a challenge: give what to_json() returned")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the user gives to a challenge: the one of these that it needs."""

    code: str | None = field(default=None, repr=False)
    new_password: str | None = field(default=None, repr=False)
    attributes: Mapping[str, str] | None = None
    choice: str | None = None
    password: str | None = field(default=None, repr=False)
    answer: str | None = field(default=None, repr=False)
    credential: str | Mapping[str, Any] | None = field(default=None, repr=False)


def challenge_of(context: LoginContext, reply: JsonObject) -> Challenge | None:
    """Return the challenge in *reply*, None where it has the tokens.

    Raises:
        UnsupportedChallenge: nobody has heard of the challenge.
    """
    name = reply.get("ChallengeName")
    if name is None:
        return None
    if name not in NEEDS:
        raise UnsupportedChallenge(str(name))
    return Challenge(
        name,
        reply.get("Session"),
        {key: str(value) for key, value in challenge_parameters(reply).items()},
        context.username,
        context.canonical,
        tuple(str(item) for item in reply.get("AvailableChallenges") or ()),
        context.admin,
    )


def raise_challenge(reply: JsonObject) -> None:
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


def required_attributes(challenge: JsonObject) -> tuple[str, ...]:
    """Return the names of the attributes that NEW_PASSWORD_REQUIRED asks for, without the prefix ``userAttributes.``.

    The service sends them as a JSON *string*, prefixed.

    Raises:
        UnsafeServerValue: it is not a JSON list of strings.
    """
    names = _json(challenge, "requiredAttributes", "[]")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in cast(list[Any], names)):
        raise UnsafeServerValue("requiredAttributes is not a JSON list of names: refused to answer it")
    return tuple(name.removeprefix(PREFIX) for name in cast(list[str], names))


def missing_attributes(challenge: JsonObject, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the required attributes that the user does not have and that are not *given*."""
    has = _json(challenge, "userAttributes", "{}")
    existing: dict[str, Any] = cast(dict[str, Any], has) if isinstance(has, dict) else {}
    return tuple(name for name in required_attributes(challenge) if name not in given and not existing.get(name))


def _json(challenge: JsonObject, name: str, default: str) -> object:
    try:
        return json.loads(challenge_parameters(challenge).get(name) or default)
    except (TypeError, ValueError, RecursionError):
        raise UnsafeServerValue(f"{name} is not JSON: refused to answer it") from None
