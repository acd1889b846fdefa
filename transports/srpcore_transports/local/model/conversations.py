"""Logins in progress, called conversations: the user, the challenges that may be answered next, and the Session.

A conversation lasts from InitiateAuth until the tokens are issued. Each of its challenges has a new Session, a random
string that the client sends back with its answer.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from srpcore.crypto.srp import Ephemeral

from ..api.errors import invalid_session, not_authorized
from .records import AppClient, PoolRecord, User

__all__ = ["Conversation", "Conversations", "Custom", "Exchange"]

_SWEEP_OVER = 256


@dataclass(frozen=True)
class Exchange:
    """The server's values of one SRP exchange (RFC 5054).

    Attributes:
        identity: what is hashed before ``:`` and the password: pool suffix and user name, or device group key and
            device key.
        A: the client's public value.
        pair: the server's secret b and public B.
        verifier: g^x mod N, for the password of the user or device.
        secret_block: the random base64 string that the client must send back.
    """

    identity: str
    A: int
    pair: Ephemeral
    verifier: int = field(repr=False)
    secret_block: str = field(repr=False)


@dataclass(frozen=True)
class Custom:
    """The state of a custom login.

    Attributes:
        results: the challenges that were answered so far, as DefineAuthChallenge receives them.
        A: the client's public SRP value, until PASSWORD_VERIFIER has used it.
        private: privateChallengeParameters, which only the triggers see.
        challenge_metadata: challengeMetadata of the challenge that is open.
        password_proved: PASSWORD_VERIFIER was answered correctly.
        done: DefineAuthChallenge has set issueTokens.
    """

    results: tuple[Mapping[str, Any], ...] = ()
    A: int | None = None
    private: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    challenge_metadata: str | None = None
    password_proved: bool = False
    done: bool = False


@dataclass(frozen=True)
class Conversation:
    """One login in progress.

    Attributes:
        user: None for a name that does not exist; such a login gets the usual challenges, and fails at the answer.
        typed: the user name as the client sent it.
        challenges: the names of the challenges that may be answered next.
        code: the one-time code that was sent.
        new_address: an e-mail address that the user is setting up as a second factor.
        first_factor: EMAIL_OTP or SMS_OTP while its code is the first factor, otherwise None.
        expires: when the Session expires, in seconds since the epoch.
    """

    pool: PoolRecord
    client: AppClient
    user: User | None
    typed: str
    device_key: str | None = None
    challenges: tuple[str, ...] = ()
    exchange: Exchange | None = None
    code: str | None = field(default=None, repr=False)
    new_address: str | None = field(default=None, repr=False)
    first_factor: str | None = None
    passkey_challenge: str | None = field(default=None, repr=False)
    custom: Custom | None = None
    client_metadata: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    second_factor_done: bool = False
    wrong_codes: int = 0
    expires: float = 0.0

    @property
    def names(self) -> set[str]:
        """The user names that are valid in an answer: the one that was typed, and the canonical one."""
        return {self.typed} if self.user is None else {self.typed, self.user.username}


class Conversations:
    """The conversations in progress, by Session. An answer without a Session can be matched with :meth:`find`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_session: dict[str, Conversation] = {}

    def open(self, conversation: Conversation, *challenges: str) -> str:
        """Store *conversation* until one of *challenges* is answered, and return a new Session for it."""
        if len(self._by_session) > _SWEEP_OVER:
            self._sweep()
        session = base64.urlsafe_b64encode(secrets.token_bytes(300)).decode("ascii")
        expires = self._clock() + conversation.client.session_seconds
        self._by_session[session] = replace(conversation, challenges=challenges, expires=expires)
        return session

    def _sweep(self) -> None:
        now = self._clock()
        self._by_session = {key: value for key, value in self._by_session.items() if value.expires > now}

    def take(self, session: str) -> Conversation:
        """Return the conversation of *session*, and remove it: a Session can be used once.

        Raises:
            Refusal: the Session is unknown, already used, or expired.
        """
        conversation = self._by_session.pop(session, None)
        if conversation is None:
            raise invalid_session()
        if conversation.expires <= self._clock():
            raise not_authorized("Invalid session for the user, session is expired.")
        return conversation

    def put_back(self, session: str, conversation: Conversation) -> None:
        """Store *conversation* under its old Session again, so that the client can correct a mistyped code."""
        self._by_session[session] = conversation

    def find(self, matches: Callable[[Conversation], bool]) -> str:
        """Return the Session of the newest conversation for which *matches* is true.

        Raises:
            Refusal: no conversation matches.
        """
        for session in reversed(self._by_session):
            if matches(self._by_session[session]):
                return session
        raise invalid_session()

    def forget_user(self, user: User) -> None:
        """Remove the conversations of *user*."""
        self._by_session = {key: value for key, value in self._by_session.items() if value.user is not user}

    def forget_client(self, client: AppClient) -> None:
        """Remove the conversations of *client*."""
        self._by_session = {key: value for key, value in self._by_session.items() if value.client is not client}
