"""The records of a user: password, devices, passkeys, codes that were sent, and the limits of wrong tries.

Times are in seconds since the epoch. Passwords are not stored, only SRP verifiers.
"""

from __future__ import annotations

import secrets

from msgspec import field

from .records import Fixed, Record, number_bytes

__all__ = ["Code", "DeviceRecord", "Passkey", "Registration", "Stranger", "Tries", "User", "Verifier", "random_salt"]

_SALT_BITS = 128


def random_salt() -> int:
    """Return a new salt for a verifier."""
    return secrets.randbits(_SALT_BITS)


class Verifier(Fixed, frozen=True):
    """What is stored instead of a password: the salt, and g^x mod N.

    Both are big-endian bytes in two's complement, because MessagePack has no integers of this size.
    """

    salt_bytes: bytes
    value_bytes: bytes

    @classmethod
    def of(cls, salt: int, value: int) -> Verifier:
        """Return the verifier with these numbers. The salt may be negative."""
        return cls(number_bytes(salt), number_bytes(value))

    @property
    def salt(self) -> int:
        """The salt; it may be any integer."""
        return int.from_bytes(self.salt_bytes, "big", signed=True)

    @property
    def value(self) -> int:
        """g^x mod N, where x is a hash of the salt, the identity and the password."""
        return int.from_bytes(self.value_bytes, "big", signed=True)


class Code(Record):
    """A code that was sent.

    Attributes:
        attribute: the attribute that has the address: ``email`` or ``phone_number``.
        wrong: how many wrong codes were tried.
        address: where it was sent; None if it was not sent (see Stranger).
        pending: the address that the attribute gets when the code is entered; None if the user has it already.
    """

    _shown = ("expires", "attribute", "wrong")

    value: str
    expires: float
    attribute: str
    wrong: int = 0
    address: str | None = None
    pending: str | None = None


class Tries(Record):
    """Wrong passwords, or wrong codes of one kind: how many in a row, and when the last one was sent."""

    wrong: int = 0
    last: float = 0.0


class DeviceRecord(Record):
    """A device of a user.

    Attributes:
        key: created at the login, like ``group_key``.
        password: what the client sent in ConfirmDevice; None before.
        remembered: the device may replace the second factor.
        authenticated: the time of the last login.
    """

    _shown = ("key", "name", "remembered")

    key: str
    group_key: str
    created: float
    name: str = ""
    password: Verifier | None = None
    remembered: bool = False
    modified: float = 0.0
    authenticated: float = 0.0

    @property
    def confirmed(self) -> bool:
        """Whether ConfirmDevice was called."""
        return self.password is not None


class Passkey(Record):
    """A WebAuthn credential.

    Attributes:
        id: the credential id in base64url, without padding.
        key: the public key, a DER-encoded SubjectPublicKeyInfo.
        relying_party: the id of the relying party, a domain.
        sign_count: the signature counter at the last use; 0 if the authenticator does not count.
        attachment: ``platform`` or ``cross-platform``, if the browser sent it.
        transports: how the authenticator is connected, for example ``usb``; from the browser.
    """

    _shown = ("id", "relying_party")

    id: str
    key: bytes
    relying_party: str
    created: float
    sign_count: int = 0
    attachment: str | None = None
    transports: tuple[str, ...] = ()


class Registration(Fixed, frozen=True):
    """A registration of a passkey in progress, until ``expires``; the challenge is in base64url."""

    challenge: str
    client_id: str
    expires: float


class User(Record):
    """A user.

    Attributes:
        username: the canonical name; it equals ``sub`` in pools that have UsernameAttributes.
        password: None if the user has no password.
        password_set: when the password was set.
        previous_passwords: the latest ones first, without temporary ones, as many as the pool's policy needs.
        totp_pending: the secret of an authenticator app that is not verified yet.
        totp_step: the last time step whose code was used, so that no code is accepted twice.
        codes: the codes that were sent, by purpose.
        tries: the wrong passwords and codes that were sent, by kind.
    """

    _shown = ("username", "sub", "status", "enabled")

    username: str
    sub: str
    created: float
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    status: str = "UNCONFIRMED"
    enabled: bool = True
    modified: float = 0.0
    password: Verifier | None = None
    password_set: float = 0.0
    previous_passwords: tuple[Verifier, ...] = ()
    totp_secret: str | None = None
    totp_pending: str | None = None
    totp_step: int = -1
    totp_name: str = ""
    enabled_mfa: set[str] = field(default_factory=set[str])
    preferred_mfa: str | None = None
    devices: dict[str, DeviceRecord] = field(default_factory=dict[str, DeviceRecord])
    codes: dict[str, Code] = field(default_factory=dict[str, Code])
    tries: dict[str, Tries] = field(default_factory=dict[str, Tries])
    passkeys: dict[str, Passkey] = field(default_factory=dict[str, Passkey])
    registration: Registration | None = None

    def verified(self, attribute: str) -> bool:
        """Return whether the user has *attribute* (``email`` or ``phone_number``) and it is verified."""
        return attribute in self.attributes and self.attributes.get(f"{attribute}_verified") == "true"


class Stranger(Record):
    """The tries for a name that does not exist. They have the limits of a user, so that the limits reveal nothing.

    Attributes:
        codes: the codes that the pool pretends to have sent. Their values are empty, so that nothing equals them.
    """

    codes: dict[str, Code] = field(default_factory=dict[str, Code])
    tries: dict[str, Tries] = field(default_factory=dict[str, Tries])
