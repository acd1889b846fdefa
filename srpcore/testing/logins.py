"""Whole logins by Cognito's dialect of SRP: what the service sends, and what an honest client must answer.

The values are those of :mod:`srpcore.crypto.cognito`, whose docstring has the formulas.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import cached_property

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..crypto import cognito
from ..crypto.srp import Ephemeral
from .strategies import passwords, salts, usernames

__all__ = ["ClaimAnswer", "CognitoExchange", "DeviceIdentity", "PasswordChallenge", "UserIdentity", "cognito_exchanges"]


@dataclass(frozen=True)
class UserIdentity:
    """A user who logs in: the pool, and USER_ID_FOR_SRP."""

    pool_id: str
    user_id: str

    @property
    def hashed(self) -> str:
        """The identity in *x* and in the claim: the part of the pool id after ``_``, and the user's id."""
        return self.pool_id.partition("_")[2] + self.user_id


@dataclass(frozen=True)
class DeviceIdentity:
    """A device that logs in: its group key and its key."""

    group_key: str
    key: str

    @property
    def hashed(self) -> str:
        """The identity in *x* and in the claim: the group key and the key."""
        return self.group_key + self.key


@dataclass(frozen=True)
class PasswordChallenge:
    """PASSWORD_VERIFIER or DEVICE_PASSWORD_VERIFIER, with what the client already has.

    Attributes:
        identity: the user or the device.
        password: the password of the user or of the device.
        a: the secret exponent of the client.
        B: SRP_B, a hexadecimal number.
        salt: SALT, a hexadecimal number that may be negative.
        secret_block: SECRET_BLOCK, in base64.
        time: the time of the answer, in UTC.
    """

    identity: UserIdentity | DeviceIdentity
    password: str
    a: int
    B: str
    salt: str
    secret_block: str
    time: datetime

    @property
    def timestamp(self) -> str:
        """``time`` as TIMESTAMP, in the form that the service requires."""
        return cognito.format_timestamp(self.time)


@dataclass(frozen=True)
class ClaimAnswer:
    """The answer of a client to :class:`PasswordChallenge`.

    Attributes:
        timestamp: TIMESTAMP.
        signature: PASSWORD_CLAIM_SIGNATURE.
        secret_block: PASSWORD_CLAIM_SECRET_BLOCK.
    """

    timestamp: str
    signature: str
    secret_block: str


@dataclass(frozen=True)
class CognitoExchange:
    """One login in which client and service know the same password. The properties follow from the attributes."""

    identity: UserIdentity | DeviceIdentity
    password: str
    salt: int
    a: int
    b: int
    secret_block: bytes = b"secret block"
    time: datetime = datetime(2024, 2, 29, 3, 4, 5, tzinfo=timezone.utc)

    @cached_property
    def v(self) -> int:
        """The verifier that the service stores."""
        return cognito.verifier(cognito.private_key(self.identity.hashed, self.password, self.salt))

    @cached_property
    def A(self) -> int:
        """The client's public value."""
        return cognito.client_pair(self.a).public

    @cached_property
    def pair(self) -> Ephemeral:
        """The service's pair *(b, B)*."""
        return cognito.server_pair(self.v, self.b)

    @cached_property
    def key(self) -> bytes:
        """The key, as the service computes it."""
        return cognito.server_key(self.pair, self.A, self.v)

    def challenge(self) -> PasswordChallenge:
        """Return the challenge in its usual form: hexadecimal numbers in lower case, and base64 with padding.

        A test of other forms changes it: ``dataclasses.replace(exchange.challenge(), salt="00ab")``.
        """
        block = base64.b64encode(self.secret_block).decode("ascii")
        B, salt = f"{self.pair.public:x}", f"{self.salt:x}"
        return PasswordChallenge(self.identity, self.password, self.a, B, salt, block, self.time)

    def answer(self, challenge: PasswordChallenge | None = None) -> ClaimAnswer:
        """Return the right answer to *challenge*, which may differ in form and time; the default is the usual form."""
        sent = self.challenge() if challenge is None else challenge
        claim = cognito.claim(self.key, self.identity.hashed, self.secret_block, sent.timestamp)
        return ClaimAnswer(sent.timestamp, claim, sent.secret_block)

    def with_salt(self, salt: int) -> CognitoExchange:
        """Return the same login with another salt."""
        return replace(self, salt=salt)


def cognito_exchanges(*, signed_salts: bool = True) -> SearchStrategy[CognitoExchange]:
    """Return logins of users and of devices. If *signed_salts*, some salts are negative."""
    secrets = st.integers(1, 1 << 16) | st.integers(1 << 255, (1 << 256) - 1)
    users = st.builds(
        UserIdentity, st.sampled_from(("eu-west-1_AbCd12345", "us-east-1_000000000")), usernames().filter(bool)
    )
    devices = st.builds(DeviceIdentity, st.just("-0w7nndXa"), st.just("us-east-1_eeff478e-00dc-e8e2-b24a-094326000000"))
    salt = salts(signed=signed_salts)
    return st.builds(
        CognitoExchange, users | devices, passwords(), salt, secrets, secrets, st.binary(min_size=1, max_size=40)
    )
