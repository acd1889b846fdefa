"""A remembered device: its secret, the verifier that the service keeps, and its identity in the dialect."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field

from . import cognito
from .encoding import to_bytes

__all__ = ["Device", "DeviceVerifier", "device_identity", "device_verifier", "new_device_password"]

PASSWORD_BYTES = 40
SALT_BITS = 128


@dataclass(frozen=True, slots=True)
class Device:
    """A device that ConfirmDevice has accepted: what DEVICE_SRP_AUTH needs. Keep it as safe as a password."""

    key: str
    group_key: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeviceVerifier:
    """ConfirmDevice's DeviceSecretVerifierConfig: both values are base64 of the *padded* bytes."""

    salt: str
    verifier: str = field(repr=False)

    def as_parameter(self) -> dict[str, str]:
        """Return the value of the parameter ``DeviceSecretVerifierConfig``."""
        return {"PasswordVerifier": self.verifier, "Salt": self.salt}


def device_identity(group_key: str, device_key: str) -> str:
    """Return the identity that stands in a device's *x* and claim: group key, then device key."""
    return group_key + device_key


def new_device_password() -> str:
    """Return a fresh device password: base64 of 40 random bytes."""
    return base64.b64encode(secrets.token_bytes(PASSWORD_BYTES)).decode("ascii")


def device_verifier(group_key: str, device_key: str, password: str, salt: int | None = None) -> DeviceVerifier:
    """Return ``v = g^x``, ``x = SHA-256(tc(salt) | SHA-256(group key | device key | ":" | password))``, as sent.

    *salt* is 128 fresh random bits unless it is given.

    Raises:
        ConfigurationError: a text has no UTF-8 form.
    """
    number = secrets.randbits(SALT_BITS) if salt is None else salt
    x = cognito.private_key(device_identity(group_key, device_key), password, number)
    return DeviceVerifier(_base64(number), _base64(cognito.verifier(x)))


def _base64(number: int) -> str:
    return base64.b64encode(to_bytes(number)).decode("ascii")
