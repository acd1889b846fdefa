"""The data of a server: user pools, app clients, users, groups, devices, passkeys and codes.

Times are in seconds since the epoch. Secrets are left out of every repr. Passwords are not stored, only SRP verifiers.
"""

from __future__ import annotations

import secrets
import string
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ..auth.webauthn import PublicKey
from .signing import SigningKey

__all__ = [
    "AppClient",
    "Code",
    "DeviceRecord",
    "Group",
    "IdentityProvider",
    "Passkey",
    "PoolRecord",
    "Registration",
    "User",
    "random_string",
]

_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
_DEFAULT_FLOWS = ("ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")


def random_string(length: int, alphabet: str = string.ascii_lowercase + string.digits) -> str:
    """Return *length* random characters of *alphabet*."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


@dataclass
class Code:
    """A code that was sent.

    Attributes:
        attribute: the attribute that has the address: ``email`` or ``phone_number``.
        wrong: how many wrong codes were tried.
    """

    value: str = field(repr=False)
    expires: float
    attribute: str
    wrong: int = 0


@dataclass
class DeviceRecord:
    """A device of a user.

    Attributes:
        key: created at the login, like ``group_key``.
        salt: sent by the client in ConfirmDevice, like ``verifier``.
        confirmed: ConfirmDevice was called.
        remembered: the device may replace the second factor.
        authenticated: the time of the last login.
    """

    key: str
    group_key: str
    created: float
    name: str = ""
    salt: int = field(default=0, repr=False)
    verifier: int = field(default=0, repr=False)
    confirmed: bool = False
    remembered: bool = False
    modified: float = 0.0
    authenticated: float = 0.0


@dataclass
class Group:
    """A group. Its members are found by ``User.groups``. A lower ``precedence`` comes first, None last."""

    name: str
    created: float
    modified: float
    description: str | None = None
    role: str | None = None
    precedence: int | None = None


@dataclass
class IdentityProvider:
    """An external identity provider; ``settings`` has parameters of CreateIdentityProvider."""

    name: str
    created: float
    modified: float
    settings: dict[str, Any] = field(repr=False)


@dataclass
class Passkey:
    """A WebAuthn credential.

    Attributes:
        id: the credential id in base64url, without padding.
        relying_party: the id of the relying party, a domain.
        sign_count: the signature counter at the last use; 0 if the authenticator does not count.
        attachment: ``platform`` or ``cross-platform``, if the browser sent it.
        transports: how the authenticator is connected, for example ``usb``; from the browser.
    """

    id: str
    key: PublicKey = field(repr=False)
    relying_party: str
    created: float
    sign_count: int = 0
    attachment: str | None = None
    transports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Registration:
    """A registration of a passkey in progress, until ``expires``; the challenge is in base64url."""

    challenge: str = field(repr=False)
    client_id: str
    expires: float


@dataclass
class User:
    """A user.

    Attributes:
        username: the canonical name; it equals ``sub`` in pools that have UsernameAttributes.
        salt: the salt of the password; may be any integer.
        verifier: g^x mod N of the password; 0 if the user has no password.
        password_set: when the password was set.
        failures: the number of wrong passwords in a row.
        totp_pending: the secret of an authenticator app that is not verified yet.
        totp_step: the last time step whose code was used, so that no code is accepted twice.
        codes: the codes that were sent, by purpose.
    """

    username: str
    sub: str
    created: float
    attributes: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    status: str = "UNCONFIRMED"
    enabled: bool = True
    modified: float = 0.0
    salt: int = field(default=0, repr=False)
    verifier: int = field(default=0, repr=False)
    password_set: float = 0.0
    failures: int = 0
    last_failure: float = 0.0
    totp_secret: str | None = field(default=None, repr=False)
    totp_pending: str | None = field(default=None, repr=False)
    totp_step: int = -1
    totp_name: str = ""
    enabled_mfa: set[str] = field(default_factory=set[str])
    preferred_mfa: str | None = None
    devices: dict[str, DeviceRecord] = field(default_factory=dict[str, DeviceRecord], repr=False)
    codes: dict[str, Code] = field(default_factory=dict[str, Code], repr=False)
    groups: set[str] = field(default_factory=set[str])
    passkeys: dict[str, Passkey] = field(default_factory=dict[str, "Passkey"], repr=False)
    registration: Registration | None = field(default=None, repr=False)

    def verified(self, attribute: str) -> bool:
        """Return whether the user has *attribute* (``email`` or ``phone_number``) and it is verified."""
        return attribute in self.attributes and self.attributes.get(f"{attribute}_verified") == "true"


@dataclass
class AppClient:
    """An app client; ``settings`` has the parameters of CreateUserPoolClient."""

    client_id: str
    user_pool_id: str
    secret: str | None = field(repr=False)
    created: float
    modified: float
    settings: dict[str, Any] = field(repr=False)

    @property
    def flows(self) -> list[str]:
        """The flows that the client may use, with the names of ExplicitAuthFlows."""
        return cast(list[str], self.settings.get("ExplicitAuthFlows") or list(_DEFAULT_FLOWS))

    @property
    def hides_users(self) -> bool:
        """Whether the answers to the client hide that a user does not exist (PreventUserExistenceErrors)."""
        return self.settings.get("PreventUserExistenceErrors") == "ENABLED"

    @property
    def session_seconds(self) -> int:
        """How long a Session is valid, in seconds."""
        return int(self.settings.get("AuthSessionValidity", 3)) * 60

    def validity(self, token: str, default: int, unit: str) -> int:
        """Return how many seconds a token is valid.

        Args:
            token: ``AccessToken``, ``IdToken`` or ``RefreshToken``.
            default: the seconds if the client has no such setting.
            unit: the unit of the setting if TokenValidityUnits does not give one: ``minutes``, ``hours``, ...
        """
        units = cast(Mapping[str, str], self.settings.get("TokenValidityUnits") or {})
        amount = int(self.settings.get(f"{token}Validity") or 0)
        return amount * _UNITS[units.get(token, unit)] if amount else default

    @property
    def rotation_grace(self) -> int | None:
        """How many seconds a refresh token is still valid after rotation; None if the client does not rotate tokens."""
        rotation = cast(Mapping[str, Any], self.settings.get("RefreshTokenRotation") or {})
        return int(rotation.get("RetryGracePeriodSeconds") or 0) if rotation.get("Feature") == "ENABLED" else None


@dataclass
class PoolRecord:
    """A user pool.

    Attributes:
        settings: the parameters of CreateUserPool, UpdateUserPool and SetUserPoolMfaConfig.
        users: the users by canonical name.
        secret: random bytes from which the answers for unknown users are derived.
    """

    id: str
    created: float
    modified: float
    settings: dict[str, Any] = field(repr=False)
    users: dict[str, User] = field(default_factory=dict[str, User], repr=False)
    groups: dict[str, Group] = field(default_factory=dict[str, Group], repr=False)
    providers: dict[str, IdentityProvider] = field(default_factory=dict[str, IdentityProvider], repr=False)
    key: SigningKey = field(default_factory=SigningKey, repr=False)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @property
    def suffix(self) -> str:
        """The part of the id after the underscore; SRP hashes it before the user name."""
        return self.id.split("_", 1)[1]

    def names(self, setting: str) -> list[str]:
        """Return a setting that is a list of names, such as AliasAttributes."""
        return cast(list[str], self.settings.get(setting) or [])

    def section(self, setting: str) -> dict[str, Any]:
        """Return a setting that is an object, such as DeviceConfiguration; an empty dictionary if it is not set."""
        return cast(dict[str, Any], self.settings.get(setting) or {})

    @property
    def password_policy(self) -> dict[str, Any]:
        """PasswordPolicy of the setting Policies; an empty dictionary means the service's default."""
        return cast(dict[str, Any], self.section("Policies").get("PasswordPolicy") or {})

    @property
    def first_factors(self) -> list[str]:
        """The first factors that are allowed (AllowedFirstAuthFactors); only PASSWORD by default."""
        policy = cast(Mapping[str, Any], self.section("Policies").get("SignInPolicy") or {})
        return cast(list[str], policy.get("AllowedFirstAuthFactors") or ["PASSWORD"])

    @property
    def schema(self) -> list[dict[str, Any]]:
        """The setting Schema: custom attributes, and standard attributes with other properties, such as required."""
        return cast(list[dict[str, Any]], self.settings.get("Schema") or [])

    @property
    def mfa(self) -> str:
        """Whether second factors are used: ``OFF``, ``OPTIONAL`` or ``ON``."""
        return str(self.settings.get("MfaConfiguration", "OFF"))

    @property
    def tracks_devices(self) -> bool:
        """Whether a login without a device key adds a device."""
        return self.settings.get("DeviceConfiguration") is not None

    def fold(self, name: str) -> str:
        """Return *name* in the form that names are compared in: pools with ``CaseSensitive: false`` ignore case."""
        return name if self.section("UsernameConfiguration").get("CaseSensitive", True) else name.casefold()

    def new_user(self, username: str, now: float) -> User:
        """Return a user with a new ``sub``. The caller must add it to ``users``."""
        sub = str(uuid.uuid4())
        username = sub if self.names("UsernameAttributes") else username
        return User(username, sub, now, {"sub": sub}, modified=now)
