"""A login in progress: the user, the challenges that may be answered next, and the SRP exchange.

The words for a login, in the whole local pool::

    InitiateAuth --> AuthSession --> answer --> AuthSession --> answer --> ... --> Grant --> tokens
                     + Session                  + Session

Session
    The random string that the service sends with a challenge, and that the client sends back with the answer. It can be
    used once. The first challenge of an SRP login has none; its answer is matched by the secret block.
AuthSession
    What the pool knows about the login that waits for this answer. The name is that of the app client's setting
    AuthSessionValidity. SignUp and ConfirmSignUp return a Session, too, so they also begin one
    (``auth/sign_up_session.py``).
AuthSessionRecord
    The part of an AuthSession that is stored as one value, in the table ``login``. The other part is the pool, the app
    client and the user, which have records of their own.
Grant, GrantRecord
    A completed login (``grants.py``). All its tokens share one GrantRecord, and are revoked together. A Grant is this
    record with the pool, the app client and the user: what an access token is worth. ListUserSessions calls it a
    session.
RefreshRecord
    A refresh token of a grant. Without rotation a grant has one.
Exchange
    The numbers of one SRP exchange in a login, either for the password or for the device.
CustomLogin
    The results so far in a login with the flow CUSTOM_AUTH.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from msgspec import field

from srpcore.crypto.key_exchange import Ephemeral

from .pools import AppClient, PoolRecord
from .records import Fixed, number_bytes
from .users import User, Verifier

__all__ = ["AuthSession", "AuthSessionRecord", "CustomLogin", "Exchange"]


class Exchange(Fixed, frozen=True):
    """The server's values of one SRP exchange (RFC 5054). Numbers are big-endian bytes in two's complement.

    Attributes:
        identity: what is hashed before ``:`` and the password: pool suffix and user name, or device group key and
            device key.
        verifier: the verifier of the password of the user or device, at the beginning of the exchange.
        secret_block: the random base64 string that the client must send back.
    """

    identity: str
    A_bytes: bytes
    b_bytes: bytes
    B_bytes: bytes
    verifier: Verifier
    secret_block: str

    @classmethod
    def of(cls, identity: str, A: int, pair: Ephemeral, verifier: Verifier, secret_block: str) -> Exchange:
        """Return the exchange with these numbers: the client's public value, the server's pair, and the verifier."""
        numbers = number_bytes(A), number_bytes(pair.secret), number_bytes(pair.public)
        return cls(identity, *numbers, verifier, secret_block)

    @property
    def A(self) -> int:
        """The client's public value."""
        return int.from_bytes(self.A_bytes, "big", signed=True)

    @property
    def pair(self) -> Ephemeral:
        """The server's secret b and public B."""
        return Ephemeral(*(int.from_bytes(data, "big", signed=True) for data in (self.b_bytes, self.B_bytes)))


class CustomLogin(Fixed, frozen=True):
    """How far a custom login has come.

    Attributes:
        results: the challenges that were answered so far, as DefineAuthChallenge receives them.
        A: the client's public SRP value in hexadecimal, until PASSWORD_VERIFIER has used it.
        private: privateChallengeParameters, which only the triggers see.
        challenge_metadata: challengeMetadata of the challenge that is open.
        password_proved: PASSWORD_VERIFIER was answered correctly.
        done: DefineAuthChallenge has set issueTokens.
    """

    results: tuple[Mapping[str, Any], ...] = ()
    A: str | None = None
    private: Mapping[str, str] = field(default_factory=dict[str, str])
    challenge_metadata: str | None = None
    password_proved: bool = False
    done: bool = False


class AuthSessionRecord(Fixed, frozen=True, kw_only=True):
    """How far a login has come: the part of an :class:`AuthSession` that is stored as one value.

    Attributes:
        typed: the user name as the client sent it.
        challenges: the names of the challenges that may be answered next.
        code: the one-time code that was sent.
        code_address: the address of the user that it was sent to; None for an address that is being set up.
        new_address: an e-mail address that the user is setting up as a second factor.
        first_factor: EMAIL_OTP or SMS_OTP while its code is the first factor, otherwise None.
        expires: when the Session expires, in seconds since the epoch.
        wrong: how many wrong codes were sent since the last right one.
        previous_session: the SHA-256 of the Session of the challenge before.
        event_id: the claim ``event_id`` of the tokens that end the login.
    """

    typed: str
    device_key: str | None = None
    challenges: tuple[str, ...] = ()
    exchange: Exchange | None = None
    code: str | None = None
    code_address: str | None = None
    new_address: str | None = None
    first_factor: str | None = None
    passkey_challenge: str | None = None
    custom: CustomLogin | None = None
    client_metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    second_factor_done: bool = False
    wrong: int = 0
    previous_session: bytes | None = None
    expires: float = 0.0
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))


class AuthSession(AuthSessionRecord, frozen=True, kw_only=True):
    """A login in progress, with the records that belong to it.

    Attributes:
        user: None for a name that does not exist; such a login gets the usual challenges, and fails at the answer.
    """

    pool: PoolRecord
    client: AppClient
    user: User | None
