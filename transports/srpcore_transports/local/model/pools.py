"""The records of a user pool and of what belongs to it, except its users: app clients, groups, providers, and others.

Times are in seconds since the epoch.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from msgspec import field

from .clock import DAY
from .records import Fixed, Record, fold_case, random_string
from .users import User

__all__ = ["AppClient", "ClientSecret", "Group", "IdentityProvider", "PoolRecord", "Resource", "new_client_secret"]

_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": DAY}
_DEFAULT_FLOWS = ("ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")


class Group(Record):
    """A group. A lower ``precedence`` comes first, None last."""

    _shown = ("name",)

    name: str
    created: float
    modified: float
    description: str | None = None
    role: str | None = None
    precedence: int | None = None


class IdentityProvider(Record):
    """An external identity provider; ``settings`` has parameters of CreateIdentityProvider."""

    _shown = ("name",)

    name: str
    created: float
    modified: float
    settings: dict[str, Any]


class Resource(Record):
    """Something that belongs to a pool, such as a domain or a resource server.

    Attributes:
        name: unique in its table: a name or an id.
        settings: its members, with the names of the API.
    """

    _shown = ("name",)

    name: str
    created: float
    modified: float
    settings: dict[str, Any]


def new_client_secret() -> str:
    """Return a random secret of an app client."""
    return random_string(51)


class ClientSecret(Fixed, frozen=True):
    """A secret of an app client."""

    value: str
    created: float


class AppClient(Record):
    """An app client; ``settings`` has the parameters of CreateUserPoolClient.

    Attributes:
        secret: the older one of its secrets, or None if it has none.
        secret_created: when it was created; 0.0 if it was created with the app client.
        second_secret: the newer one, while the secret is being rotated.
    """

    _shown = ("client_id", "user_pool_id")

    client_id: str
    user_pool_id: str
    secret: str | None
    created: float
    modified: float
    settings: dict[str, Any]
    secret_created: float = 0.0
    second_secret: ClientSecret | None = None

    @property
    def secrets(self) -> list[ClientSecret]:
        """The secrets that are valid, the older one first."""
        if self.secret is None:
            return []
        first = ClientSecret(self.secret, self.secret_created or self.created)
        return [first] if self.second_secret is None else [first, self.second_secret]

    @property
    def flows(self) -> list[str]:
        """The flows that the client may use, with the names of ExplicitAuthFlows."""
        flows: list[str] = self.settings.get("ExplicitAuthFlows") or list(_DEFAULT_FLOWS)
        return flows

    @property
    def hides_users(self) -> bool:
        """Whether the answers to the client hide that a user does not exist (PreventUserExistenceErrors)."""
        return self.settings.get("PreventUserExistenceErrors") == "ENABLED"

    @property
    def revokes_tokens(self) -> bool:
        """Whether tokens can be revoked, and have the claims that this needs (EnableTokenRevocation)."""
        return self.settings.get("EnableTokenRevocation") is not False

    @property
    def session_seconds(self) -> int:
        """How long a Session is valid, in seconds."""
        return int(self.settings.get("AuthSessionValidity") or 3) * 60

    def validity(self, token: str, default: int, unit: str) -> int:
        """Return how many seconds a token is valid.

        Args:
            token: ``AccessToken``, ``IdToken`` or ``RefreshToken``.
            default: the seconds if the client has no such setting, or if it is 0, as documented for refresh tokens.
            unit: the unit of the setting if TokenValidityUnits does not give one: ``minutes``, ``hours``, ...
        """
        units: Mapping[str, str] = self.settings.get("TokenValidityUnits") or {}
        amount = int(self.settings.get(f"{token}Validity") or 0)
        return amount * _UNITS[units.get(token) or unit] if amount else default

    @property
    def rotation_grace(self) -> int | None:
        """How many seconds a refresh token is still valid after rotation; None if the client does not rotate tokens."""
        rotation: Mapping[str, Any] = self.settings.get("RefreshTokenRotation") or {}
        return int(rotation.get("RetryGracePeriodSeconds") or 0) if rotation.get("Feature") == "ENABLED" else None


class PoolRecord(Record):
    """A user pool.

    Attributes:
        settings: the parameters of CreateUserPool, UpdateUserPool and SetUserPoolMfaConfig.
        key: the key that signs the pool's tokens, as an unencrypted PEM; None until it is needed.
        secret: random bytes from which the answers for unknown users are derived.
    """

    _shown = ("id",)

    id: str
    created: float
    modified: float
    settings: dict[str, Any]
    key: str | None = None
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    @property
    def region(self) -> str:
        """The region in the id."""
        return self.id.split("_", 1)[0]

    @property
    def suffix(self) -> str:
        """The part of the id after the underscore; SRP hashes it before the user name."""
        return self.id.split("_", 1)[1]

    def names(self, setting: str) -> list[str]:
        """Return a setting that is a list of names, such as AliasAttributes."""
        names: list[str] = self.settings.get(setting) or []
        return names

    def section(self, setting: str) -> dict[str, Any]:
        """Return a setting that is an object, such as DeviceConfiguration; an empty dictionary if it is not set."""
        section: dict[str, Any] = self.settings.get(setting) or {}
        return section

    @property
    def password_policy(self) -> dict[str, Any]:
        """PasswordPolicy of the setting Policies; an empty dictionary means the service's default."""
        policy: dict[str, Any] = self.section("Policies").get("PasswordPolicy") or {}
        return policy

    @property
    def password_history_size(self) -> int:
        """How many passwords, with the current one, a user cannot set again; 0 for none."""
        return int(self.password_policy.get("PasswordHistorySize") or 0)

    @property
    def first_factors(self) -> list[str]:
        """The first factors that are allowed (AllowedFirstAuthFactors); only PASSWORD by default."""
        policy: Mapping[str, Any] = self.section("Policies").get("SignInPolicy") or {}
        factors: list[str] = policy.get("AllowedFirstAuthFactors") or ["PASSWORD"]
        return factors

    @property
    def schema(self) -> list[dict[str, Any]]:
        """The setting Schema: custom attributes, and standard attributes with other properties, such as required."""
        schema: list[dict[str, Any]] = self.settings.get("Schema") or []
        return schema

    @property
    def mfa(self) -> str:
        """Whether second factors are used: ``OFF``, ``OPTIONAL`` or ``ON``."""
        return str(self.settings.get("MfaConfiguration") or "OFF")

    @property
    def tracks_devices(self) -> bool:
        """Whether a login without a device key adds a device."""
        return self.settings.get("DeviceConfiguration") is not None

    def fold(self, name: str) -> str:
        """Return *name* in the form that names are compared in: pools with ``CaseSensitive: false`` ignore case."""
        return name if self.section("UsernameConfiguration").get("CaseSensitive", True) else fold_case(name)

    def new_user(self, username: str, now: float, sub: str | None = None) -> User:
        """Return a user with this ``sub``, or with a new one. The caller must add it to ``users``."""
        sub = sub or str(uuid.uuid4())
        username = sub if self.names("UsernameAttributes") else username
        return User(username, sub, now, {"sub": sub}, modified=now)
