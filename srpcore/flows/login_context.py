"""One log-in under way: who asks, who is logging in, and what every answer carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ..clock import Clock, system_clock
from ..crypto.device import Device
from ..crypto.encoding import utf8
from ..crypto.randomness import RandomBits, system_random_bits
from ..crypto.secret_hash import secret_hash
from ..exceptions.base import ConfigurationError
from ..pool import Pool
from ..protocol import Flow, JsonObject
from . import ask

__all__ = ["AppClient", "LoginContext", "challenge_parameters"]


@dataclass(frozen=True, slots=True)
class AppClient:
    """The app client that asks: its pool, its id, and its secret if it has one."""

    pool: Pool
    client_id: str
    client_secret: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not utf8(self.client_id, name="client_id"):
            raise ConfigurationError("client_id is empty: give the app client's id")

    def secret_hash(self, username: str) -> str | None:
        """Return SECRET_HASH for *username*, or None for a client without a secret."""
        if self.client_secret is None:
            return None
        return secret_hash(username, self.client_id, self.client_secret)


@dataclass
class LoginContext:
    """One log-in. ``username`` is the name as typed; ``canonical`` the service's own, once it has said it.

    With ``admin`` the administrator's twins of the operations are asked, which are signed; ``user_context`` is the
    request's UserContextData, or the administrator's ContextData. ``clock`` gives seconds since the epoch,
    ``random_bits`` an integer of so many secret random bits.
    """

    app: AppClient
    username: str
    canonical: str | None = None
    device: Device | None = None
    client_metadata: Mapping[str, str] | None = None
    clock: Clock = system_clock
    random_bits: RandomBits = system_random_bits
    admin: bool = False
    user_context: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.client_metadata is not None and not isinstance(self.client_metadata, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError("client_metadata must be a dictionary of texts")

    @property
    def name(self) -> str:
        """The name that answers bear: the canonical one where it is known.

        Raises:
            ConfigurationError: there is none, or it has no UTF-8 form.
        """
        # At use and not before: a program that overrides get_auth_params names the user itself.
        name = self.canonical or self.username
        if not utf8(name, name="username"):
            raise ConfigurationError("username is empty: give the user's name or alias")
        return name

    @property
    def now(self) -> datetime:
        """The time of the clock, in UTC."""
        return datetime.fromtimestamp(self.clock(), tz=timezone.utc)

    def initiate(self, auth_flow: str, parameters: Mapping[str, str]) -> Flow[JsonObject]:
        """Begin: InitiateAuth with *parameters*, sent as they are.

        Raises:
            ServiceError: the service refused.
        """
        asked = {"AuthFlow": auth_flow, "AuthParameters": dict(parameters)}
        return self._named((yield from ask(*self._as_whom("InitiateAuth", asked))))

    def respond(self, challenge: JsonObject, responses: Mapping[str, str]) -> Flow[JsonObject]:
        """Answer *challenge* (a reply with ``ChallengeName``) with *responses*, sent as they are, and its Session.

        Raises:
            ServiceError: the service refused.
        """
        asked = {
            "ChallengeName": challenge["ChallengeName"],
            "ChallengeResponses": dict(responses),
            "Session": challenge.get("Session"),
        }
        return self._named((yield from ask(*self._as_whom("RespondToAuthChallenge", asked))))

    def _as_whom(self, operation: str, asked: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        asked |= {"ClientId": self.app.client_id, "ClientMetadata": self.client_metadata}
        if not self.admin:
            return operation, {**asked, "UserContextData": self.user_context}
        pool_id = self.app.pool.user_pool_id
        return f"Admin{operation}", {**asked, "UserPoolId": pool_id, "ContextData": self.user_context}

    def identified(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Return *parameters* with what every request carries: USERNAME, SECRET_HASH, and DEVICE_KEY if there is one.

        DEVICE_KEY goes with MFA answers too, or the service makes up a duplicate device.
        """
        carried: dict[str, str | None] = {
            "USERNAME": self.name,
            "SECRET_HASH": self.app.secret_hash(self.name),
            "DEVICE_KEY": self.device.key if self.device else None,
        }
        return {**{key: value for key, value in carried.items() if value is not None}, **parameters}

    def _named(self, reply: JsonObject) -> JsonObject:
        parameters = challenge_parameters(reply)
        self.canonical = parameters.get("USERNAME") or self.canonical or parameters.get("USER_ID_FOR_SRP")
        return reply


def challenge_parameters(reply: JsonObject) -> dict[str, Any]:
    """Return the ChallengeParameters of *reply*; none are an empty dictionary."""
    parameters: dict[str, Any] = reply.get("ChallengeParameters") or {}
    return parameters
