"""What the model of a user pool knows: settings, users, codes, devices, logins, tokens, and challenges."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = [
    "AccessToken",
    "Client",
    "Code",
    "Device",
    "Login",
    "RefreshToken",
    "Refused",
    "Session",
    "Settings",
    "User",
]


class Refused(Exception):
    """The service, or the client itself, refuses a request with an exception of the class *error*."""

    def __init__(self, error: type[Exception]) -> None:
        super().__init__(error.__name__)
        self.error = error


class Settings(NamedTuple):
    """The settings of the pool and of its app client.

    Attributes:
        mfa: MfaConfiguration: OFF, OPTIONAL or ON.
        devices: the pool tracks devices: ``always`` remembers each confirmed device, ``prompt`` only if the user
            agrees. None means that it does not track devices.
        device_replaces_mfa: ChallengeRequiredOnNewDevice: a remembered device needs no second factor.
        rotation: the grace period of refresh token rotation in seconds; None means no rotation.
        secret: the app client has a secret.
    """

    mfa: str = "OFF"
    devices: str | None = None
    device_replaces_mfa: bool = False
    rotation: int | None = None
    secret: bool = False


@dataclass(eq=False)
class Code:
    """A code that was sent. Its *value* is set when the message is read; None means that it is still to be read.

    Attributes:
        attribute: the attribute that has the address it was sent to; empty if no message was sent.
    """

    username: str
    purpose: str
    expires: float = 0.0
    value: str | None = None
    wrong: int = 0
    attribute: str = ""
    address: str | None = None

    def reaches(self, user: User) -> bool:
        """Return whether the user still has the address that the code was sent to."""
        return not self.attribute or user.attributes.get(self.attribute) == self.address


@dataclass(eq=False)
class Device:
    """A device that the pool has registered at a login."""

    confirmed: bool = False
    remembered: bool = False


@dataclass(eq=False)
class User:
    """A user.

    Attributes:
        password_set: when the password was set.
        earlier: the passwords that were valid before.
        failures: the number of wrong passwords in a row, the last one at *last_failure*.
        totp_pending: the secret of an authenticator app that is not verified yet.
        totp_step: the time step of the last code that was accepted.
        codes: the codes that were sent, by purpose.
        tries: the times of the wrong codes in a row, by purpose.
    """

    name: str
    status: str
    password: str
    password_set: float
    attributes: dict[str, str]
    enabled: bool = True
    deleted: bool = False
    earlier: list[str] = field(default_factory=list[str])
    failures: int = 0
    last_failure: float = 0.0
    totp: str | None = None
    totp_pending: str | None = None
    totp_step: int = -1
    enabled_mfa: set[str] = field(default_factory=set[str])
    preferred_mfa: str | None = None
    devices: list[Device] = field(default_factory=list[Device])
    codes: dict[str, Code] = field(default_factory=dict[str, Code])
    tries: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def verified(self, attribute: str) -> bool:
        """Return whether the user has this e-mail address or phone number, and it is verified."""
        return attribute in self.attributes and self.attributes.get(f"{attribute}_verified") == "true"


@dataclass(eq=False)
class Login:
    """A login that is complete. Its tokens are revoked together."""

    user: User
    device: Device | None
    revoked: bool = False


@dataclass(eq=False)
class RefreshToken:
    """A refresh token; *rotated* is the time when another one replaced it."""

    login: Login
    expires: float
    rotated: float | None = None


@dataclass(eq=False)
class AccessToken:
    """An access token. The ID token beside it is not modelled."""

    login: Login
    expires: float


@dataclass(eq=False)
class Session:
    """A challenge that waits for its answer.

    Attributes:
        device: the device that the login comes from, if the client has named one.
        open: the Session may still be used.
        code: the one-time code that was sent for this challenge.
        choices: the factors of SELECT_MFA_TYPE.
    """

    user: User
    device: Device | None
    challenge: str
    expires: float
    open: bool = True
    wrong: int = 0
    code: Code | None = None
    choices: tuple[str, ...] = ()


@dataclass(eq=False)
class Client:
    """What one ``Cognito`` object holds.

    Attributes:
        number: the number of the object in the actor.
        device: the device that the object can prove.
        new_device: the device that the last login got, until it is confirmed.
        sessions: the challenges of this object, each with the actor's number of the step to answer.
        kept: the tokens that this object had, oldest first, each with the actor's number of them.
    """

    number: int
    name: str
    access: AccessToken | None = None
    refresh: RefreshToken | None = None
    device: Device | None = None
    new_device: Device | None = None
    sessions: list[tuple[Session, int]] = field(default_factory=list[tuple[Session, int]])
    kept: list[tuple[AccessToken, RefreshToken, int]] = field(
        default_factory=list[tuple[AccessToken, RefreshToken, int]]
    )

    def drop_tokens(self) -> None:
        """Forget the tokens, as after a logout."""
        self.access = self.refresh = None
