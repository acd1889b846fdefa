"""The challenges of a login: as a value that the program can answer, and as pycognito's exceptions.

A :class:`Challenge` is plain data. A program can store it or send it to another process, and answer it there. It holds
the Session, which is a secret and expires after a few minutes. It does not hold a password, a code or the secret of a
device.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from .._values import Value
from ..exceptions.base import ConfigurationError, UnsafeServerValue, UnsupportedChallenge
from ..exceptions.challenges import (
    ForceChangePasswordException,
    SMSMFAChallengeException,
    SoftwareTokenMFAChallengeException,
)
from ..exceptions.context import without_context
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
    "unsupported",
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
    "PASSWORD": ("clear_password", "PASSWORD"),
    "PASSWORD_SRP": ("password", "SRP_A"),
    "PASSWORD_VERIFIER": ("password", "PASSWORD_CLAIM_SIGNATURE"),
    "ADMIN_NO_SRP_AUTH": ("clear_password", "PASSWORD"),
    "NEW_PASSWORD_REQUIRED": ("new_password", "NEW_PASSWORD"),
    "MFA_SETUP": ("set_up", "SESSION"),
    "DEVICE_SRP_AUTH": ("device", "SRP_A"),
    "DEVICE_PASSWORD_VERIFIER": ("device", "PASSWORD_CLAIM_SIGNATURE"),
}
"""For every challenge name of the service model: what the user must give, and the key for it in ChallengeResponses."""


class Challenge(Value):
    """A challenge of the service.

    ``needs`` names the argument that ``SignIn.answer`` must get, except ``clear_password`` (give ``password``),
    ``set_up`` (call ``set_up_totp()``, or give ``email`` in ``attributes``) and ``device`` (give nothing).
    ``parameters`` are the service's ChallengeParameters.
    """

    __slots__ = (
        "admin",
        "available",
        "canonical",
        "name",
        "parameters",
        "secret_shown",
        "session",
        "username",
    )
    _hidden = frozenset({"session", "parameters"})

    name: str
    session: str | None
    parameters: Mapping[str, str]
    username: str
    canonical: str | None
    available: tuple[str, ...]
    admin: bool
    secret_shown: bool  # MFA_SETUP only: set_up_totp() has returned the secret, so the next answer is a code

    def __init__(
        self,
        name: str,
        session: str | None,
        parameters: Mapping[str, str],
        username: str,
        canonical: str | None = None,
        available: tuple[str, ...] = (),
        admin: bool = False,
        secret_shown: bool = False,
    ) -> None:
        self._set(
            name=name,
            session=session,
            parameters=parameters,
            username=username,
            canonical=canonical,
            available=available,
            admin=admin,
            secret_shown=secret_shown,
        )

    @property
    def needs(self) -> str:
        """The kind of answer that the challenge needs.

        One of ``code``, ``new_password``, ``choice``, ``answer``, ``credential``, ``password``, ``clear_password``,
        ``set_up``, and ``device``, which the program cannot answer: only the device can.

        For ``password`` (PASSWORD_SRP) the password is proved by SRP and never sent. For ``clear_password`` (PASSWORD,
        ADMIN_NO_SRP_AUTH) the password itself is sent. The names differ, so a program that answers ``password`` does
        not send the password itself because a server asks for it.
        """
        return "code" if self.secret_shown else NEEDS[self.name][0]

    @property
    def choices(self) -> tuple[str, ...]:
        """The names to choose from, if ``needs`` is ``choice`` or ``set_up``.

        Raises:
            UnsafeServerValue: the service's list is not a JSON list.
        """
        if self.available:
            return self.available
        text = self.parameters.get("MFAS_CAN_CHOOSE") or self.parameters.get("MFAS_CAN_SETUP") or "[]"
        try:
            names = json.loads(text)
        except (ValueError, RecursionError):
            names = None
        if not isinstance(names, list):
            raise UnsafeServerValue("unsafe value from the server: the list of factors must be a JSON list")
        return tuple(str(name) for name in cast(list[Any], names))

    @property
    def required_attributes(self) -> tuple[str, ...]:
        """The attributes that must be given together with the new password, if ``needs`` is ``new_password``."""
        return required_attributes(self.as_reply())

    @property
    def destination(self) -> str | None:
        """The phone number or e-mail address that a code was sent to; the service shows only a part of it."""
        return self.parameters.get("CODE_DELIVERY_DESTINATION")

    def as_reply(self) -> JsonObject:
        """Return the challenge as a reply of the service would have it."""
        session = {} if self.session is None else {"Session": self.session}
        return {"ChallengeName": self.name, "ChallengeParameters": dict(self.parameters), **session}

    def to_json(self) -> str:
        """Return the challenge as JSON, for another process to answer. The Session in it is a secret."""
        return json.dumps(self._fields())

    @classmethod
    def from_json(cls, text: str) -> Challenge:
        """Return the challenge that :meth:`to_json` returned as *text*.

        Raises:
            ConfigurationError: *text* was not made by ``to_json``.
        """
        try:
            members: dict[str, Any] = _parse_json(text)
            fields = {name: members[name] for name in ("name", "username", "session", "canonical")}
            parameters, available = members["parameters"], members["available"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise _not_a_challenge() from None
        if not isinstance(parameters, dict) or not isinstance(available, list):
            raise _not_a_challenge()
        named, choices = cast(dict[str, Any], parameters), cast(list[Any], available)
        optional = [value for value in (fields["session"], fields["canonical"]) if value is not None]
        strings = (fields["name"], fields["username"], *optional, *choices, *named.values())
        if not all(isinstance(value, str) for value in strings) or fields["name"] not in NEEDS:
            raise _not_a_challenge()
        return cls(
            **fields,
            parameters=named,
            available=tuple(choices),
            admin=members.get("admin") is True,
            secret_shown=members.get("secret_shown") is True,
        )


def _parse_json(text: str) -> Any:
    # The parser's error holds the whole string, which has the Session in it. If our error were raised while that one is
    # being handled, it would be the context (`__context__`) of ours, and could be logged with it. So return None first.
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None


def _not_a_challenge() -> ConfigurationError:
    return ConfigurationError("not a challenge: give the string that to_json() returned")


class Answer(Value):
    """The user's answer to a challenge. Give the member that ``Challenge.needs`` names."""

    __slots__ = (
        "answer",
        "attributes",
        "choice",
        "code",
        "credential",
        "new_password",
        "password",
    )
    _hidden = frozenset({"code", "new_password", "password", "answer", "credential"})

    code: str | None
    new_password: str | None
    attributes: Mapping[str, str | float | bool] | None
    choice: str | None
    password: str | None
    answer: str | None
    credential: str | Mapping[str, Any] | None

    def __init__(
        self,
        code: str | None = None,
        new_password: str | None = None,
        attributes: Mapping[str, str | float | bool] | None = None,
        choice: str | None = None,
        password: str | None = None,
        answer: str | None = None,
        credential: str | Mapping[str, Any] | None = None,
    ) -> None:
        self._set(
            code=code,
            new_password=new_password,
            attributes=attributes,
            choice=choice,
            password=password,
            answer=answer,
            credential=credential,
        )


def challenge_of(context: LoginContext, reply: JsonObject) -> Challenge | None:
    """Return the challenge in *reply*, or None if the reply has the tokens.

    Raises:
        UnsupportedChallenge: the service model does not have a challenge of this name.
        UnsafeServerValue: ChallengeParameters is not an object, or AvailableChallenges is not a list.
    """
    name = reply.get("ChallengeName")
    if name is None:
        return None
    if name not in NEEDS:
        raise UnsupportedChallenge(str(name), _UNKNOWN)
    return Challenge(
        name,
        reply.get("Session"),
        {key: str(value) for key, value in challenge_parameters(reply).items()},
        context.username,
        context.canonical,
        _available(reply),
        context.admin,
    )


def _available(reply: JsonObject) -> tuple[str, ...]:
    names: object = reply.get("AvailableChallenges") or []
    if not isinstance(names, list):
        raise UnsafeServerValue("unsafe value from the server: AvailableChallenges is not a JSON list")
    return tuple(str(name) for name in cast(list[Any], names))


def raise_challenge(reply: JsonObject) -> None:
    """Raise the exception that pycognito raises for the challenge in *reply*. Do nothing if it has another or none.

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


_UNKNOWN: Final = (
    "it is newer than this library: update srpcore, or answer it with client.call('RespondToAuthChallenge', ...)"
)
_RESUME: Final = "continue with step = resume_sign_in(error.to_json()), then "
_AGAIN: Final = "begin the login again, because the answer needs the secret value of the request before it"
_WAYS: Final[Mapping[str, str]] = {
    "code": f"{_RESUME}step.answer(code=...)",
    "new_password": f"{_RESUME}step.answer(new_password=...)",
    "answer": f"{_RESUME}step.answer(answer=...)",
    "choice": f"{_RESUME}step.answer(choice=...) with one of step.challenge.choices",
    "credential": f"{_RESUME}step.answer(credential=...)",
    "password": f"{_RESUME}step.answer(password=...)",
    "clear_password": f"{_RESUME}step.answer(password=...), which sends the password itself",
    "set_up": f"{_RESUME}step.set_up_totp() and step.answer(code=...) for an authenticator app, "
    "or step.answer(attributes={'email': ...})",
    "device": "give the remembered device to the constructor (device=... or store=...), and log in again",
}
"""For every need of a challenge: how a program answers it, if the present method cannot."""


def unsupported(challenge: Challenge) -> UnsupportedChallenge:
    """Return the error of a method that cannot answer *challenge*. Its message names the way to answer it."""
    if challenge.name in ("PASSWORD_VERIFIER", "DEVICE_PASSWORD_VERIFIER"):
        return UnsupportedChallenge(challenge.name, _AGAIN)
    resumable = None if challenge.needs == "device" else challenge.to_json()
    return UnsupportedChallenge(challenge.name, _WAYS[challenge.needs], resumable)


def required_attributes(challenge: JsonObject) -> tuple[str, ...]:
    """Return the names of the attributes that NEW_PASSWORD_REQUIRED demands, without the prefix ``userAttributes.``.

    The service sends a *string* that holds a JSON list of names with the prefix.

    Raises:
        UnsafeServerValue: the string is not a JSON list of strings.
    """
    names = _json_parameter(challenge, "requiredAttributes", "[]")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in cast(list[Any], names)):
        raise UnsafeServerValue("unsafe value from the server: requiredAttributes must be a JSON list of names")
    return tuple(name.removeprefix(PREFIX) for name in cast(list[str], names))


def missing_attributes(challenge: JsonObject, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the required attributes that the user does not have and that are not *given*."""
    has = _json_parameter(challenge, "userAttributes", "{}")
    existing: dict[str, Any] = cast(dict[str, Any], has) if isinstance(has, dict) else {}
    return tuple(name for name in required_attributes(challenge) if name not in given and not existing.get(name))


@without_context
def _json_parameter(challenge: JsonObject, name: str, default: str) -> object:
    try:
        return json.loads(challenge_parameters(challenge).get(name) or default)
    except (TypeError, ValueError, RecursionError):
        raise UnsafeServerValue(f"unsafe value from the server: {name} must be JSON") from None
