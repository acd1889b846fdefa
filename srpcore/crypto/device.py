"""A remembered device: its password, the verifier that the service stores, and its identity in the SRP exchange."""

from __future__ import annotations

import base64

from .._values import Value
from . import cognito
from .encoding import to_bytes

__all__ = ["Device", "DeviceVerifier", "device_identity", "device_verifier", "new_device_password"]

PASSWORD_BYTES = 40
SALT_BITS = 128


class Device(Value):
    """A device that ConfirmDevice has accepted, with what DEVICE_SRP_AUTH needs. Keep it as secret as a password."""

    __slots__ = ("group_key", "key", "password")
    _hidden = frozenset({"password"})

    key: str
    group_key: str
    password: str

    def __init__(self, key: str, group_key: str, password: str) -> None:
        self._set(key=key, group_key=group_key, password=password)


class DeviceVerifier(Value):
    """DeviceSecretVerifierConfig, a parameter of ConfirmDevice.

    Both values are base64 of the integers in minimal two's complement (:func:`~srpcore.crypto.encoding.to_bytes`).
    """

    __slots__ = ("salt", "verifier")
    _hidden = frozenset({"verifier"})

    salt: str
    verifier: str

    def __init__(self, salt: str, verifier: str) -> None:
        self._set(salt=salt, verifier=verifier)

    def as_parameter(self) -> dict[str, str]:
        """Return the value of the parameter ``DeviceSecretVerifierConfig`` of ConfirmDevice."""
        return {"PasswordVerifier": self.verifier, "Salt": self.salt}


def device_identity(group_key: str, device_key: str) -> str:
    """Return the identity of a device in *x* and in the claim: its group key followed by its device key."""
    return group_key + device_key


def new_device_password() -> str:
    """Return a new random device password: base64 of 40 random bytes."""
    import secrets  # slow to import, and a login needs no new device

    return base64.b64encode(secrets.token_bytes(PASSWORD_BYTES)).decode("ascii")


def device_verifier(group_key: str, device_key: str, password: str, salt: int | None = None) -> DeviceVerifier:
    """Return the salt and the verifier of a device in the form in which ConfirmDevice takes them.

    ``v = g^x mod N``, ``x = SHA-256(tc(salt) | SHA-256(group key | device key | ":" | password))``. *salt* is an
    integer with 128 random bits unless you pass it.

    Raises:
        ConfigurationError: an argument is not a string that can be encoded as UTF-8.
    """
    import secrets

    number = secrets.randbits(SALT_BITS) if salt is None else salt
    x = cognito.private_key(device_identity(group_key, device_key), password, number)
    return DeviceVerifier(_base64(number), _base64(cognito.verifier(x)))


def _base64(number: int) -> str:
    return base64.b64encode(to_bytes(number)).decode("ascii")
