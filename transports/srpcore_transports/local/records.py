"""What the pool keeps: pools, app clients, users, devices and codes. Secrets are in no repr; passwords are not kept."""

from __future__ import annotations

import secrets
import string
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from .signing import SigningKey
from .webauthn import PublicKey

__all__ = [
    "AppClient",
    "Code",
    "DeviceRecord",
    "Group",
    "IdentityProvider",
    "Passkey",
    "Registration",
    "User",
    "UserPool",
    "random_string",
]

_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
_DEFAULT_FLOWS = ("ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")


def random_string(length: int, alphabet: str = string.ascii_lowercase + string.digits) -> str:
    """Return *length* random characters of *alphabet*."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


@dataclass
class Code:
    """A code that was sent: good until ``expires``; ``wrong`` counts the wrong tries."""

    value: str = field(repr=False)
    expires: float
    attribute: str
    wrong: int = 0


@dataclass
class DeviceRecord:
    """A device: known by its key from the log-in on, confirmed once it has a salt and a verifier."""

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
    """A group: who is in it is kept with the users; a lower ``precedence`` goes first, None last."""

    name: str
    created: float
    modified: float
    description: str | None = None
    role: str | None = None
    precedence: int | None = None


@dataclass
class IdentityProvider:
    """An identity provider of another house; ``settings`` are the parameters of CreateIdentityProvider."""

    name: str
    created: float
    modified: float
    settings: dict[str, Any] = field(repr=False)


@dataclass
class Passkey:
    """A WebAuthn credential: its id in base64url, the public key, and how often it has signed, where it counts."""

    id: str
    key: PublicKey = field(repr=False)
    relying_party: str
    created: float
    sign_count: int = 0
    attachment: str | None = None
    transports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Registration:
    """A passkey's registration that was begun: its challenge, the app client that asked, and until when it is good."""

    challenge: str = field(repr=False)
    client_id: str
    expires: float


@dataclass
class User:
    """A user: ``username`` is the canonical name, which is ``sub`` in pools whose users sign in by e-mail."""

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
        """Whether the e-mail address or phone number is there and verified."""
        return attribute in self.attributes and self.attributes.get(f"{attribute}_verified") == "true"


@dataclass
class AppClient:
    """An app client; ``settings`` are the parameters of CreateUserPoolClient."""

    client_id: str
    user_pool_id: str
    secret: str | None = field(repr=False)
    created: float
    modified: float
    settings: dict[str, Any] = field(repr=False)

    @property
    def flows(self) -> list[str]:
        """The flows it may use, as ExplicitAuthFlows names them."""
        return cast(list[str], self.settings.get("ExplicitAuthFlows") or list(_DEFAULT_FLOWS))

    @property
    def hides_users(self) -> bool:
        """Whether an unknown user gets the same answers as a wrong password."""
        return self.settings.get("PreventUserExistenceErrors") == "ENABLED"

    @property
    def session_seconds(self) -> int:
        """How long a Session lives."""
        return int(self.settings.get("AuthSessionValidity", 3)) * 60

    def validity(self, token: str, default: int, unit: str) -> int:
        """Return the seconds that an ``AccessToken``, ``IdToken`` or ``RefreshToken`` is good for."""
        units = cast(Mapping[str, str], self.settings.get("TokenValidityUnits") or {})
        amount = int(self.settings.get(f"{token}Validity") or 0)
        return amount * _UNITS[units.get(token, unit)] if amount else default

    @property
    def rotation_grace(self) -> int | None:
        """How long a rotated refresh token stays good, in seconds; None where there is no rotation."""
        rotation = cast(Mapping[str, Any], self.settings.get("RefreshTokenRotation") or {})
        return int(rotation.get("RetryGracePeriodSeconds") or 0) if rotation.get("Feature") == "ENABLED" else None


@dataclass
class UserPool:
    """A user pool; ``settings`` are the parameters of CreateUserPool."""

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
        """What follows the underscore of the id."""
        return self.id.split("_", 1)[1]

    def names(self, setting: str) -> list[str]:
        """Return a setting that is a list of names, such as AliasAttributes."""
        return cast(list[str], self.settings.get(setting) or [])

    def section(self, setting: str) -> dict[str, Any]:
        """Return a setting that is an object, such as DeviceConfiguration; empty where it is not set."""
        return cast(dict[str, Any], self.settings.get(setting) or {})

    @property
    def password_policy(self) -> dict[str, Any]:
        """The policy of CreateUserPool's ``Policies``, empty where the service's default holds."""
        return cast(dict[str, Any], self.section("Policies").get("PasswordPolicy") or {})

    @property
    def first_factors(self) -> list[str]:
        """The first factors that AllowedFirstAuthFactors allows: PASSWORD alone unless it says otherwise."""
        policy = cast(Mapping[str, Any], self.section("Policies").get("SignInPolicy") or {})
        return cast(list[str], policy.get("AllowedFirstAuthFactors") or ["PASSWORD"])

    @property
    def schema(self) -> list[dict[str, Any]]:
        """The attributes that were declared beside the standard ones, or that were made required."""
        return cast(list[dict[str, Any]], self.settings.get("Schema") or [])

    @property
    def mfa(self) -> str:
        """``OFF``, ``OPTIONAL`` or ``ON``."""
        return str(self.settings.get("MfaConfiguration", "OFF"))

    @property
    def tracks_devices(self) -> bool:
        """Whether a log-in from an unknown device makes a device key."""
        return self.settings.get("DeviceConfiguration") is not None

    def fold(self, name: str) -> str:
        """Return *name* as it is compared: pools made with ``CaseSensitive: false`` ignore case."""
        return name if self.section("UsernameConfiguration").get("CaseSensitive", True) else name.casefold()

    def new_user(self, username: str, now: float) -> User:
        """Return a user with a fresh sub, not yet in the pool."""
        sub = str(uuid.uuid4())
        username = sub if self.names("UsernameAttributes") else username
        return User(username, sub, now, {"sub": sub}, modified=now)
